"""Access tokens: the assertion, the cache, concurrency."""

import asyncio
import base64
import json
from pathlib import Path

import pytest
from cryptography import x509
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT

from fiksmelding.config import MaskinportenSettings, Settings
from fiksmelding.errors import AccessRefused, PlatformUnavailable, SettingsError
from fiksmelding.fiks import FiksSession
from fiksmelding.fiks.maskinporten import token_url
from fiksmelding.simulator.pki import Credential
from support.fake_clock import FakeClock
from support.platform import Platform, answer, error, hang_up


def header_and_claims(assertion: str, credential: Credential) -> tuple[dict[str, object], dict[str, object]]:
    """What a signed assertion says, its signature checked."""
    key = JWK.from_pem(credential.certificate_pem)
    token = JWT(jwt=assertion, key=key, algs=["RS256"], expected_type="JWS")
    return json.loads(token.header), json.loads(token.claims)


def with_maskinporten(settings: Settings, **changes: object) -> Settings:
    changed = settings.maskinporten.model_copy(update=changes)
    return settings.model_copy(update={"maskinporten": changed})


async def test_the_assertion_is_as_maskinporten_wants_it(
    session: FiksSession, platform: Platform, clock: FakeClock, recipient_credential: Credential
) -> None:
    await session.access_token()
    header, claims = header_and_claims(platform.assertions[0], recipient_credential)
    assert header["alg"] == "RS256"
    assert isinstance(header["x5c"], list)
    chain = [x509.load_der_x509_certificate(base64.b64decode(one)) for one in header["x5c"]]
    assert chain == [recipient_credential.certificate, *recipient_credential.chain]
    issued = int(clock.now().timestamp())
    assert claims.pop("jti")
    assert claims == {
        "aud": f"{platform.url}/",
        "iss": "our-client",
        "scope": "ks:fiks",
        "iat": issued,
        "exp": issued + 100,
    }


async def test_a_registered_key_is_named_by_its_id(
    settings: Settings, platform: Platform, recipient_credential: Credential
) -> None:
    changed = with_maskinporten(
        settings, certificate=None, key_id="key-1", consumer_org="964338531", resource="https://r"
    )
    async with FiksSession(changed) as session:
        await session.access_token()
    header, claims = header_and_claims(platform.assertions[0], recipient_credential)
    assert header["kid"] == "key-1"
    assert "x5c" not in header
    assert (claims["consumer_org"], claims["resource"]) == ("964338531", "https://r")


async def test_a_token_is_used_until_shortly_before_it_expires(
    session: FiksSession, platform: Platform, clock: FakeClock
) -> None:
    first = await session.access_token()
    clock.advance(109)
    assert await session.access_token() == first
    clock.advance(2)
    assert await session.access_token() != first
    assert len(platform.assertions) == 2


async def test_a_token_of_few_seconds_is_still_used(session: FiksSession, platform: Platform, clock: FakeClock) -> None:
    platform.token_seconds = 4
    first = await session.access_token()
    clock.advance(2.9)
    assert await session.access_token() == first
    clock.advance(0.2)
    assert await session.access_token() != first


async def test_a_token_older_than_asked_for_is_renewed(session: FiksSession, clock: FakeClock) -> None:
    first = await session.access_token()
    clock.advance(20)
    assert await session.access_token(max_age=30) == first
    assert await session.access_token(max_age=10) != first


async def test_many_who_ask_at_once_share_one_request(session: FiksSession, platform: Platform) -> None:
    released = platform.hold_tokens()
    asking = [asyncio.create_task(session.access_token()) for _ in range(20)]
    await platform.tokens_asked.wait()
    released.set()
    assert len({token.get_secret_value() for token in await asyncio.gather(*asking)}) == 1
    assert len(platform.assertions) == 1


async def test_one_who_gives_up_does_not_spoil_it_for_the_others(session: FiksSession, platform: Platform) -> None:
    released = platform.hold_tokens()
    first, second = (asyncio.create_task(session.access_token()) for _ in range(2))
    await platform.tokens_asked.wait()
    first.cancel()
    released.set()
    assert (await second).get_secret_value() == "secret-token-1"


async def test_closing_ends_a_request_for_a_token(settings: Settings, platform: Platform) -> None:
    released = platform.hold_tokens()
    async with FiksSession(settings) as session:
        asking = asyncio.create_task(session.access_token())
        await platform.tokens_asked.wait()
    with pytest.raises(asyncio.CancelledError):
        await asking
    released.set()


async def test_a_503_is_tried_again_with_a_fresh_assertion(
    session: FiksSession, platform: Platform, recipient_credential: Credential
) -> None:
    platform.token_answers.extend([error(503), hang_up])
    await session.access_token()
    ids = {header_and_claims(one, recipient_credential)[1]["jti"] for one in platform.assertions}
    assert len(ids) == 3


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_a_refusal_is_not_repeated_and_says_why(status: int, session: FiksSession, platform: Platform) -> None:
    refusal = {"error": "invalid_grant", "error_description": "Kari Nordmann"}
    platform.token_answers.append(answer(status, refusal))
    with pytest.raises(AccessRefused, match="invalid_grant") as caught:
        await session.access_token()
    assert "Nordmann" not in str(caught.value)
    assert len(platform.assertions) == 1


@pytest.mark.parametrize(
    "content", [{}, {"access_token": "", "expires_in": 5}, {"access_token": "t", "expires_in": -1}]
)
async def test_an_answer_without_a_token_is_unavailable(
    content: dict[str, object], session: FiksSession, platform: Platform
) -> None:
    platform.token_answers.append(answer(200, content))
    with pytest.raises(PlatformUnavailable):
        await session.access_token()


async def test_a_failure_is_not_remembered(session: FiksSession, platform: Platform) -> None:
    platform.token_answers.append(answer(400, {"error": "invalid_client"}))
    with pytest.raises(AccessRefused):
        await session.access_token()
    assert (await session.access_token()).get_secret_value() == "secret-token-2"


async def test_a_newer_token_survives_the_refusal_of_an_older_one(session: FiksSession, platform: Platform) -> None:
    """Ten calls refused at once must not fetch ten tokens."""
    refusal = error(401, "Klarte ikke å validere access_token")
    await session.access_token()
    platform.then(*[refusal] * 10, *[answer(200, {})] * 10)
    await asyncio.gather(*(session.request("GET", "/x", repeatable=False) for _ in range(10)))
    assert len(platform.assertions) == 2


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"private_key": Path("/no/such/file")}, "private_key cannot be read"),
        ({"certificate": None}, "either"),
        ({"key_id": "both"}, "either"),
    ],
)
async def test_wrong_settings_are_named_when_opening(
    changes: dict[str, object], complaint: str, settings: Settings
) -> None:
    with pytest.raises(SettingsError, match=complaint):
        async with FiksSession(with_maskinporten(settings, **changes)):
            pass


async def test_a_key_that_is_none_is_named(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("no key")
    for changes in ({"private_key": tmp_path / "none.pem"}, {"certificate": tmp_path / "none.pem"}):
        with pytest.raises(SettingsError, match="PEM format"):
            async with FiksSession(with_maskinporten(settings, **changes)):
                pass


async def test_a_certificate_of_another_key_is_named(
    settings: Settings, tmp_path: Path, sender_credential: Credential
) -> None:
    (tmp_path / "other.pem").write_bytes(sender_credential.certificate_pem)
    with pytest.raises(SettingsError, match="does not belong"):
        async with FiksSession(with_maskinporten(settings, certificate=tmp_path / "other.pem")):
            pass


def test_the_token_endpoint_follows_from_the_issuer() -> None:
    settings = MaskinportenSettings(client_id="c", private_key=Path("k"))
    assert str(token_url(settings)) == "https://maskinporten.no/token"
    other = MaskinportenSettings(client_id="c", private_key=Path("k"), token_url="https://elsewhere/t")
    assert str(token_url(other)) == "https://elsewhere/t"
