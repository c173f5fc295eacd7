"""What the platform says to the credentials that the broker refused."""

import base64
import json

import pytest

from fiksmelding.fiks import FiksSession, explain_refusal
from support.fake_clock import FakeClock
from support.platform import ACCOUNT, PASSWORD, Platform, answer, error

TOKEN, INTEGRATION = "Klarte ikke å validere access_token", "Autentisering feilet for integrasjon med id x"


def token(**claims: object) -> str:
    """A token as Maskinporten's; nobody checks its signature here."""
    parts = ({"alg": "RS256"}, {"consumer": {"authority": "iso6523-actorid-upis", "ID": "0192:910000000"}, **claims})
    return ".".join(
        [*(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts), "c2ln"]
    )


def issue(platform: Platform, text: str) -> None:
    issued = {"access_token": text, "token_type": "Bearer", "expires_in": 120, "scope": "ks:fiks"}
    platform.token_answers.extend([answer(200, issued)] * 4)


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ([error(401, TOKEN), error(401, TOKEN)], "the token that is refused"),
        ([error(401, INTEGRATION)], "Check integration.id, its password, and that the token's organisation"),
        ([error(403)], "lacks the right"),
        ([error(404)], "Check account.id"),
        ([error(503)], "cannot take the call now"),
        ([answer(200, {})], "the broker alone refuses"),
    ],
    ids=["token", "integration", "right", "account", "unavailable", "nothing"],
)
async def test_each_answer_is_told_apart(
    answers: list[object], told: str, session: FiksSession, platform: Platform
) -> None:
    platform.then(*answers)  # type: ignore[arg-type]
    explained = await explain_refusal(session)
    assert told in explained
    assert platform.seen[0].path == f"/fiks-io/katalog/api/v1/kontoer/{ACCOUNT}/status"
    for secret in (PASSWORD, "secret-token", "Nordmann"):
        assert secret not in explained


async def test_a_wrong_organisation_shows_by_its_number(session: FiksSession, platform: Platform) -> None:
    issue(platform, token())
    platform.then(error(401, INTEGRATION))
    assert "The token is for organisation 0192:910000000." in await explain_refusal(session)


@pytest.mark.parametrize(
    ("issued", "expires", "told"),
    [(300, 420, "not valid yet"), (-300, -180, "has expired"), (-10, 110, "910000000.")],
)
async def test_a_wrong_clock_shows(  # noqa: PLR0917 - pytest passes by name
    issued: int, expires: int, told: str, session: FiksSession, platform: Platform, clock: FakeClock
) -> None:
    now = int(clock.now().timestamp())
    issue(platform, token(iat=now + issued, exp=now + expires))
    platform.then(error(401, TOKEN), error(401, TOKEN))
    assert told in (await explain_refusal(session))[-80:]


@pytest.mark.parametrize("text", ["opaque", "a.b.c", "", "W10.W10.W10", token(consumer=7, iat="x", exp=None)])
async def test_a_token_that_tells_nothing_is_no_hindrance(text: str, session: FiksSession, platform: Platform) -> None:
    issue(platform, text)
    platform.then(error(401, INTEGRATION))
    assert await explain_refusal(session)
