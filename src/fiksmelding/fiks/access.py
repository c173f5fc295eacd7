"""Why we are refused: the broker does not say, the platform's other side does (contract section 3)."""

import json
import re
from datetime import UTC, datetime, timedelta

from jwcrypto.common import JWException
from jwcrypto.jws import JWS

from fiksmelding.errors import NotFound, PlatformError
from fiksmelding.fiks.answers import TokenRefused
from fiksmelding.fiks.session import FiksSession

ORGANISATION = re.compile(r"\d{4}:\d{9}")
CLOCKS_DIFFER = timedelta(seconds=60)


async def explain_refusal(session: FiksSession) -> str:
    """What the platform says over HTTP to the integration, password and token that the broker refused.

    The broker gives one answer for all of them; over HTTP a 401 tells the token from the integration, and a 403 or 404
    is about the account.

    Returns:
        What to check, in sentences without secrets.
    """
    try:
        await session.request("GET", f"/fiks-io/katalog/api/v1/kontoer/{session.account_id}/status", repeatable=False)
    except TokenRefused as error:
        return f"Over HTTP it is the token that is refused: {error}{await _about_token(session)}"
    except NotFound:
        return "Over HTTP integration and token are accepted, but there is no such account. Check account.id."
    except PlatformError as error:
        about = await _about_token(session) if error.status == 401 else ""
        return f"Over HTTP: {error}{about}"
    return (
        "Over HTTP integration, password and token are accepted, and the account is there: the broker alone refuses. "
        "Check the integration's right to read the account, and that broker.host and platform.api_url are of the same "
        "environment."
    )


async def _about_token(session: FiksSession) -> str:
    """The organisation a token speaks for, and whether it is valid by our clock."""
    try:
        claims = _claims((await session.access_token()).get_secret_value())
    except PlatformError:
        return ""
    consumer = claims.get("consumer")
    organisation = consumer.get("ID") if isinstance(consumer, dict) else None
    said = ""
    if isinstance(organisation, str) and ORGANISATION.fullmatch(organisation):
        said = f" The token is for organisation {organisation}."
    return said + _about_time(claims, session.clock.now())


def _about_time(claims: dict[str, object], now: datetime) -> str:
    issued, expires = claims.get("iat"), claims.get("exp")
    if isinstance(issued, int) and datetime.fromtimestamp(issued, UTC) > now + CLOCKS_DIFFER:
        return " By this machine's clock it is not valid yet: set the clock."
    if isinstance(expires, int) and datetime.fromtimestamp(expires, UTC) < now:
        return " By this machine's clock it has expired: set the clock."
    return ""


def _claims(token: str) -> dict[str, object]:
    """What a token says. Nothing depends on it: the signature is the platform's to check."""
    signed = JWS()
    try:
        signed.deserialize(token)
        claims = json.loads(signed.objects["payload"])
    except (JWException, ValueError, KeyError):
        return {}
    return claims if isinstance(claims, dict) else {}
