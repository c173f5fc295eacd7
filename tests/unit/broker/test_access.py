"""Who we are to the broker, and who it is to us: logins, rights, certificates, secrets."""

import logging
import ssl
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr

from fiksmelding.broker import ConsumerState, Credentials
from fiksmelding.errors import AccessRefused, PlatformUnavailable, SettingsError
from fiksmelding.simulator.pki import Authority
from support.consumers import ACCESS_REFUSED, Inbox, consumer, credentials, reached, reason_given
from support.fake_clock import FakeClock
from support.scripted_broker import Refusal, ScriptedBroker


async def test_a_refused_login_is_told_apart_and_tried_again_once_soon_and_then_slowly(broker: ScriptedBroker) -> None:
    clock = FakeClock()
    broker.login_refusals.extend([ACCESS_REFUSED, ACCESS_REFUSED, ACCESS_REFUSED, None])
    async with consumer(broker, Inbox().keep, clock=clock, reconnect_longest_seconds=60) as one:
        reason = await reached(one, ConsumerState.REFUSED)
        await reached(one, ConsumerState.CONSUMING)
    assert "the token has expired" in reason
    assert len(broker.logins) == 4
    assert clock.slept[0] <= 1, "one token that is bad may be followed by a good one"
    assert all(30 <= pause <= 60 for pause in clock.slept[1:3])


async def test_a_queue_we_may_not_read_is_told_apart(broker: ScriptedBroker) -> None:
    broker.consume_refusals.append(Refusal(403, "ACCESS_REFUSED - no read access to queue"))
    async with consumer(broker, Inbox().keep) as one:
        assert "no read access" in await reached(one, ConsumerState.REFUSED)
        await reached(one, ConsumerState.CONSUMING)


async def test_a_virtual_host_we_may_not_use_is_told_apart(broker: ScriptedBroker) -> None:
    broker.login_refusals.append(Refusal(530, "NOT_ALLOWED - vhost"))
    async with consumer(broker, Inbox().keep) as one:
        assert "NOT_ALLOWED" in await reached(one, ConsumerState.REFUSED)


async def test_a_token_that_is_refused_shows_as_refused(broker: ScriptedBroker) -> None:
    answers: list[Exception | None] = [
        AccessRefused("invalid_grant"),
        PlatformUnavailable("503"),
        KeyError("secret"),
        None,
    ]
    seen: list[str] = []

    async def log_in() -> Credentials:
        seen.append(f"{one.status.state} {one.status.reason}")
        error = answers.pop(0)
        if error is not None:
            raise error
        return await credentials()

    one = consumer(broker, Inbox().keep, log_in=log_in)
    async with one:
        await reached(one, ConsumerState.CONSUMING)
    assert seen[1:] == ["refused invalid_grant", "connecting 503", "connecting Unexpected KeyError."]


async def test_no_secret_is_logged(broker: ScriptedBroker, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    broker.login_refusals.extend([ACCESS_REFUSED, Refusal(530, "NOT_ALLOWED"), None])
    async with consumer(broker, Inbox().keep) as one:
        (await broker.consumer()).drop()
        await broker.consumer(2)
        shown = caplog.text + repr(one) + repr(one.status) + repr(await credentials())
    for secret in ("pass+/", "eyJ.token", "pass%2B"):
        assert secret not in shown


async def test_the_brokers_certificate_is_verified(authority: Authority, tmp_path: Path) -> None:
    credential = authority.server("127.0.0.1")
    (tmp_path / "server.pem").write_bytes(credential.certificate_pem + credential.key_pem)
    (tmp_path / "roots.pem").write_bytes(authority.roots_pem)
    (tmp_path / "others.pem").write_bytes(Authority.new().roots_pem)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "server.pem")
    async with ScriptedBroker(tls=tls) as broker:
        async with consumer(broker, Inbox().keep, tls=True, ca_file=tmp_path / "roots.pem") as one:
            await reached(one, ConsumerState.CONSUMING)
        async with consumer(broker, Inbox().keep, tls=True, ca_file=tmp_path / "others.pem") as one:
            assert "not trusted" in await reason_given(one)
            assert len(broker.logins) == 1


@pytest.mark.parametrize("content", [None, b"no certificate"])
async def test_certificates_that_cannot_be_read_are_named_at_once(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "roots.pem").write_bytes(content)
    one = consumer(ScriptedBroker(port=1), Inbox().keep, tls=True, ca_file=tmp_path / "roots.pem")
    with pytest.raises(SettingsError, match=r"roots\.pem"):
        async with one:
            pass


@pytest.mark.parametrize("host", ["io.fiks.ks.no", "10.0.0.1", "localhost.evil.example"])
async def test_a_token_is_never_sent_elsewhere_in_the_clear(host: str) -> None:
    with pytest.raises(SettingsError, match="tls"):
        async with consumer(ScriptedBroker(port=1), Inbox().keep, host=host):
            pass
    with pytest.raises(SettingsError, match="tls"):
        async with consumer(ScriptedBroker(port=1), Inbox().keep, hosts=["127.0.0.1", host]):
            pass


def test_the_platforms_password_is_password_space_token() -> None:
    integration = uuid4()
    made = Credentials.of_integration(integration, SecretStr("p w"), SecretStr("t"))
    assert (made.user, made.password.get_secret_value()) == (str(integration), "p w t")


async def test_what_the_broker_does_not_say_about_a_refusal_is_asked_for_elsewhere(broker: ScriptedBroker) -> None:
    asked: list[str] = []

    async def explain() -> str:
        asked.append("why")
        return "It is the password."

    broker.login_refusals.append(ACCESS_REFUSED)
    async with consumer(broker, Inbox().keep, explain=explain) as one:
        assert (await reached(one, ConsumerState.REFUSED)).endswith("the token has expired. It is the password.")
        await reached(one, ConsumerState.CONSUMING)
        (await broker.consumer()).drop()
        await broker.consumer(2)
    assert asked == ["why"]


async def test_a_refusal_that_cannot_be_explained_is_told_as_it_is(broker: ScriptedBroker) -> None:
    async def explain() -> str:
        raise KeyError("secret")

    broker.login_refusals.append(ACCESS_REFUSED)
    async with consumer(broker, Inbox().keep, explain=explain) as one:
        reason = await reached(one, ConsumerState.REFUSED)
        assert "Check integration.id" in reason
        assert "secret" not in reason
        await reached(one, ConsumerState.CONSUMING)
