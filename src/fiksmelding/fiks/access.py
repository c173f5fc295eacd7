"""Why we are refused: the broker does not say, the platform's other side does (contract section 3)."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from jwcrypto.common import JWException
from jwcrypto.jws import JWS

from fiksmelding.errors import NotFound, PlatformError
from fiksmelding.fiks.answers import TokenRefused
from fiksmelding.fiks.session import FiksSession

ORGANISATION = re.compile(r"\d{4}:\d{9}")
CLOCKS_DIFFER = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """What a token says. Nothing may depend on it: the signature is the platform's to check.

    Attributes:
        organisation: Whom it speaks for, as `0192:` and the organisation number.
        scopes: The scopes it grants.
        issued_at: When it was issued, aware UTC.
        expires_at: When it ends, aware UTC.
    """

    organisation: str | None
    scopes: frozenset[str] | None
    issued_at: datetime | None
    expires_at: datetime | None


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
        claims = claims_of((await session.access_token()).get_secret_value())
    except PlatformError:
        return ""
    said = "" if claims.organisation is None else f" The token is for organisation {claims.organisation}."
    return said + _about_time(claims, session.clock.now())


def _about_time(claims: TokenClaims, now: datetime) -> str:
    if claims.issued_at is not None and claims.issued_at > now + CLOCKS_DIFFER:
        return " By this machine's clock it is not valid yet: set the clock."
    if claims.expires_at is not None and claims.expires_at < now:
        return " By this machine's clock it has expired: set the clock."
    return ""


def claims_of(token: str) -> TokenClaims:
    """What a token says; None where it does not."""
    claims = _claims(token)
    consumer, scope = claims.get("consumer"), claims.get("scope")
    organisation = consumer.get("ID") if isinstance(consumer, dict) else None
    return TokenClaims(
        organisation if isinstance(organisation, str) and ORGANISATION.fullmatch(organisation) else None,
        frozenset(scope.split()) if isinstance(scope, str) else None,
        _moment(claims.get("iat")),
        _moment(claims.get("exp")),
    )


def _moment(seconds: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, int) else None
    except (ValueError, OverflowError, OSError):
        return None


def _claims(token: str) -> dict[str, object]:
    signed = JWS()
    try:
        signed.deserialize(token)
        claims = json.loads(signed.objects["payload"])
    except (JWException, ValueError, KeyError):
        return {}
    return claims if isinstance(claims, dict) else {}
