"""Calls to the API: headers, errors, retries, limits."""

import asyncio
import logging
from datetime import timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from aiohttp import web

from fiksmelding.config import Settings
from fiksmelding.errors import (
    AccessRefused,
    NotFound,
    PlatformError,
    PlatformUnavailable,
    RequestRefused,
    SettingsError,
)
from fiksmelding.fiks import Catalog, FiksSession
from fiksmelding.simulator.pki import Credential
from support.fake_clock import FakeClock
from support.platform import INTEGRATION, PASSWORD, Platform, answer, error, hang_up, settings_for


async def test_every_call_carries_token_and_integration(session: FiksSession, platform: Platform) -> None:
    platform.then(answer(200, {}))
    await session.request("GET", "/some/path", repeatable=True, query={"a": "b c"})
    (seen,) = platform.seen
    assert seen.headers["Authorization"] == "Bearer secret-token-1"
    assert seen.headers["IntegrasjonId"] == str(INTEGRATION)
    assert seen.headers["IntegrasjonPassord"] == PASSWORD
    assert (seen.path, dict(seen.query)) == ("/some/path", {"a": "b c"})


async def test_an_open_call_carries_neither(session: FiksSession, platform: Platform) -> None:
    platform.then(answer(200, {}))
    await session.request("GET", "/open", repeatable=True, authenticated=False)
    (seen,) = platform.seen
    assert not {"Authorization", "IntegrasjonId", "IntegrasjonPassord"} & set(seen.headers)
    assert platform.assertions == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, RequestRefused),
        (400, RequestRefused),
        (401, AccessRefused),
        (403, AccessRefused),
        (404, NotFound),
        (409, RequestRefused),
        (413, RequestRefused),
        (422, RequestRefused),
        (429, PlatformUnavailable),
        (500, PlatformUnavailable),
        (503, PlatformUnavailable),
    ],
)
async def test_each_status_becomes_its_error(
    status: int, kind: type[PlatformError], session: FiksSession, platform: Platform
) -> None:
    platform.then(error(status))
    with pytest.raises(kind) as caught:
        await session.request("GET", "/some/path", repeatable=False)
    assert (caught.value.status, caught.value.error_id, caught.value.path) == (status, "abc-123", "/some/path")
    assert "Nordmann" not in str(caught.value)
    assert "01010112345" not in repr(caught.value)
    assert len(platform.seen) == 1


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[1]", b'{"errorId": 5}', b'{"errorId": "Kari Nordmann"}', b"[" * 60000]
)
async def test_an_error_without_proper_error_json_is_an_error_all_the_same(
    body: bytes, session: FiksSession, platform: Platform
) -> None:
    platform.then(answer(400, body=body))
    with pytest.raises(RequestRefused) as caught:
        await session.request("GET", "/x", repeatable=True)
    assert caught.value.error_id is None


async def test_what_may_pass_is_tried_again(session: FiksSession, platform: Platform, clock: FakeClock) -> None:
    platform.then(error(503), hang_up, error(429), answer(200, {"ok": 1}))
    assert (await session.request("POST", "/x", repeatable=True)).body == b'{"ok": 1}'
    assert len(platform.seen) == 4
    assert len(clock.slept) == 3


async def test_attempts_come_to_an_end(session: FiksSession, platform: Platform, settings: Settings) -> None:
    platform.then(*[error(500)] * 10)
    with pytest.raises(PlatformUnavailable):
        await session.request("GET", "/x", repeatable=True)
    assert len(platform.seen) == settings.platform.attempts


@pytest.mark.parametrize("failure", [error(503), error(429), hang_up])
async def test_what_must_not_be_repeated_is_tried_once(
    failure: object, session: FiksSession, platform: Platform
) -> None:
    platform.answers.append(failure)  # type: ignore[arg-type]
    with pytest.raises(PlatformUnavailable):
        await session.request("POST", "/x", repeatable=False)
    assert len(platform.seen) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 409])
async def test_another_4xx_is_never_repeated(status: int, session: FiksSession, platform: Platform) -> None:
    platform.then(error(status))
    with pytest.raises(PlatformError):
        await session.request("GET", "/x", repeatable=True)
    assert len(platform.seen) == 1


async def test_retry_after_in_seconds_is_honoured(session: FiksSession, platform: Platform, clock: FakeClock) -> None:
    platform.then(answer(429, {}, headers={"Retry-After": "7"}), answer(200, {}))
    await session.request("GET", "/x", repeatable=True)
    assert clock.slept == [7.0]


async def test_retry_after_as_a_date_is_honoured(session: FiksSession, platform: Platform, clock: FakeClock) -> None:
    moment = format_datetime(clock.now() + timedelta(seconds=20))
    platform.then(answer(503, {}, headers={"Retry-After": moment}), answer(200, {}))
    await session.request("GET", "/x", repeatable=True)
    assert clock.slept == [pytest.approx(20, abs=1.1)]


async def test_a_retry_after_longer_than_a_minute_is_left_to_the_caller(
    session: FiksSession, platform: Platform, clock: FakeClock
) -> None:
    platform.then(answer(503, {}, headers={"Retry-After": "3600"}))
    with pytest.raises(PlatformUnavailable):
        await session.request("GET", "/x", repeatable=True)
    assert clock.slept == []


@pytest.mark.parametrize("value", ["soon", "-5", "", "١٢", "99999999999999999999", "Thu, 99 Foo 2026 00:00:00 GMT"])
async def test_a_strange_retry_after_does_no_harm(value: str, session: FiksSession, platform: Platform) -> None:
    platform.then(answer(429, {}, headers={"Retry-After": value}))
    with pytest.raises(PlatformUnavailable):
        await session.request("GET", "/x", repeatable=False)


async def test_a_slow_answer_is_unavailable(
    platform: Platform, tmp_path: Path, recipient_credential: Credential
) -> None:
    released = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        await released.wait()
        return web.Response()

    settings = settings_for(platform.url, tmp_path, recipient_credential, timeout_seconds=0.1)
    async with FiksSession(settings) as session:
        await session.access_token()
        platform.then(slow)
        with pytest.raises(PlatformUnavailable, match="no answer in time"):
            await session.request("GET", "/x", repeatable=False)
    released.set()


async def test_an_answer_that_breaks_off_is_unavailable(session: FiksSession, platform: Platform) -> None:
    async def breaks_off(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"{")
        return await hang_up(request)

    platform.then(breaks_off)
    with pytest.raises(PlatformUnavailable):
        await session.request("GET", "/x", repeatable=False)


async def test_an_answer_larger_than_the_limit_is_not_read_whole(session: FiksSession, platform: Platform) -> None:
    platform.then(answer(200, body=b" " * 10_001))
    with pytest.raises(PlatformUnavailable, match="larger than 10000 bytes"):
        await session.request("GET", "/x", repeatable=False, answer_limit=10_000)


async def test_an_answer_of_just_the_limit_is_read(session: FiksSession, platform: Platform) -> None:
    platform.then(answer(200, body=b" " * 10_000))
    assert len((await session.request("GET", "/x", repeatable=False, answer_limit=10_000)).body) == 10_000


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"kontoId": "Kari Nordmann"}', b"\xff"])
async def test_a_good_status_with_a_bad_body_is_unavailable_and_quotes_nothing(
    body: bytes, session: FiksSession, platform: Platform
) -> None:
    platform.then(answer(200, body=body))
    with pytest.raises(PlatformUnavailable) as caught:
        await Catalog(session).account(INTEGRATION)
    assert "Nordmann" not in str(caught.value)


async def test_nobody_listening_is_unavailable(
    tmp_path: Path, recipient_credential: Credential, clock: FakeClock
) -> None:
    settings = settings_for("http://127.0.0.1:9", tmp_path, recipient_credential)
    async with FiksSession(settings, clock=clock) as session:
        with pytest.raises(PlatformUnavailable):
            await session.request("GET", "/x", repeatable=True, authenticated=False)
    assert len(clock.slept) == settings.platform.attempts - 1


async def test_a_refused_token_is_dropped_and_the_call_made_once_more(session: FiksSession, platform: Platform) -> None:
    refusal = error(401, "Klarte ikke å validere access_token")
    platform.then(refusal, answer(200, {}))
    await session.request("POST", "/x", repeatable=False)
    tokens = [seen.headers["Authorization"] for seen in platform.seen]
    assert tokens == ["Bearer secret-token-1", "Bearer secret-token-2"]


async def test_a_token_refused_twice_is_an_error(session: FiksSession, platform: Platform) -> None:
    platform.then(*[error(401, "Klarte ikke å validere access_token")] * 2)
    with pytest.raises(AccessRefused, match="access token"):
        await session.request("GET", "/x", repeatable=True)
    assert len(platform.seen) == 2


async def test_a_401_about_the_integration_is_not_repeated(session: FiksSession, platform: Platform) -> None:
    platform.then(error(401, f"Autentisering feilet for integrasjon med id {INTEGRATION}"))
    with pytest.raises(AccessRefused, match="integration"):
        await session.request("GET", "/x", repeatable=True)
    assert len(platform.seen) == 1


async def test_redirections_are_not_followed(session: FiksSession, platform: Platform) -> None:
    platform.then(answer(302, {}, headers={"Location": f"{platform.url}/elsewhere"}))
    with pytest.raises(RequestRefused, match=r"platform\.api_url"):
        await session.request("GET", "/x", repeatable=True)
    assert [seen.path for seen in platform.seen] == ["/x"]


async def test_no_secret_is_logged_or_shown(
    session: FiksSession, platform: Platform, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    platform.then(error(503), error(401, "access_token"), error(401, "integrasjon"))
    with pytest.raises(AccessRefused) as caught:
        await session.request("GET", "/x", repeatable=True)
    shown = caplog.text + repr(session) + repr(caught.value) + str(caught.value) + repr(settings)
    for secret in (PASSWORD, "secret-token-1", "secret-token-2", *platform.assertions, "PRIVATE KEY"):
        assert secret not in shown


@pytest.mark.parametrize("password", ["line\nbreak", "tab\tstop", "nul\x00"])
async def test_a_password_no_header_can_carry_is_named_at_once(password: str, settings: Settings) -> None:
    integration = settings.integration.model_copy(update={"password": type(settings.integration.secret())(password)})
    with pytest.raises(SettingsError, match="control character"):
        async with FiksSession(settings.model_copy(update={"integration": integration})):
            pass


@pytest.mark.parametrize("url", ["api.fiks.ks.no", "ftp://x", "http://", "http://[bad", ""])
async def test_an_address_that_is_none_is_named_at_once(url: str, settings: Settings) -> None:
    platform = settings.platform.model_copy(update={"api_url": url})
    with pytest.raises(SettingsError, match=r"platform\.api_url"):
        async with FiksSession(settings.model_copy(update={"platform": platform})):
            pass


async def test_a_session_closes_twice_and_refuses_calls_afterwards(settings: Settings, clock: FakeClock) -> None:
    session = FiksSession(settings, clock=clock)
    async with session:
        pass
    await session.aclose()
    with pytest.raises(PlatformError, match="not open"):
        await session.request("GET", "/x", repeatable=True)
    assert clock.slept == []


async def test_a_session_is_opened_once(session: FiksSession) -> None:
    with pytest.raises(PlatformError, match="once"):
        await session.__aenter__()


@pytest.mark.parametrize(("trusting", "works"), [(False, True), (True, False)])
async def test_a_proxy_of_the_environment_counts_only_when_wanted(
    trusting: bool, works: bool, platform: Platform, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    platform.then(answer(200, {}))
    async with FiksSession(settings, clock=FakeClock(), trust_environment=trusting) as session:
        try:
            await session.request("GET", "/x", repeatable=False, authenticated=False)
        except PlatformUnavailable:
            assert not works
        else:
            assert works
