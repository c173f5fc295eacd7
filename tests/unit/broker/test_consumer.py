"""The consumer against a broker that refuses, cancels, closes, and falls silent."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import SecretStr

from fiksmelding.broker import Consumer, ConsumerState, Credentials, Delivery
from fiksmelding.config import BrokerSettings
from fiksmelding.errors import (
    AccessRefused,
    BrokerError,
    BrokerUnavailable,
    JournalUnavailable,
    PlatformUnavailable,
    SettingsError,
)
from fiksmelding.simulator.pki import Authority
from support.fake_clock import FakeClock
from support.scripted_broker import Refusal, ScriptedBroker

PASSWORD = "integration pass+/%@ eyJ.token"
MELDING = str(uuid4())
HEADERS: dict[str, object] = {"melding-id": MELDING, "type": "t", "avsender-id": str(uuid4())}
ACCESS_REFUSED = Refusal(403, "ACCESS_REFUSED - the token has expired")


async def credentials() -> Credentials:
    return Credentials("integration-id", SecretStr(PASSWORD))


class Inbox:
    """Acknowledges what it is handed, unless told otherwise, and keeps it for the test."""

    def __init__(self) -> None:
        self.deliveries: asyncio.Queue[Delivery] = asyncio.Queue()
        self.acks = True

    async def keep(self, delivery: Delivery) -> None:
        if self.acks:
            await delivery.ack()
        self.deliveries.put_nowait(delivery)

    async def next(self) -> Delivery:
        return await asyncio.wait_for(self.deliveries.get(), 10)


def settings(broker: ScriptedBroker, **changes: object) -> BrokerSettings:
    base = {"host": "127.0.0.1", "port": broker.port, "tls": False, "timeout_seconds": 5}
    return BrokerSettings.model_validate({**base, **changes})


def consumer(
    broker: ScriptedBroker,
    on_delivery: Callable[[Delivery], Awaitable[None]],
    *,
    clock: FakeClock | None = None,
    log_in: Callable[[], Awaitable[Credentials]] = credentials,
    **changes: object,
) -> Consumer:
    return Consumer(
        settings(broker, **changes),
        queue=broker.queue,
        credentials=log_in,
        on_delivery=on_delivery,
        clock=clock or FakeClock(),
        stop_seconds=5,
    )


async def reached(one: Consumer, state: ConsumerState) -> str:
    async with asyncio.timeout(10):
        return (await one.until(state)).reason


async def test_a_delivery_is_handed_over_and_acknowledged(broker: ScriptedBroker) -> None:
    inbox = Inbox()
    async with consumer(broker, inbox.keep, prefetch=7) as one:
        session = await broker.consumer()
        tag = session.deliver(b"sealed", HEADERS, redelivered=True, expiration="5000")
        delivery = await inbox.next()
        assert await broker.acked(session, 1) == [tag]
        assert one.status.state is ConsumerState.CONSUMING
    assert delivery.body == b"sealed"
    assert delivery.redelivered
    assert delivery.queue == broker.queue
    assert delivery.received_at.tzinfo is not None
    assert (delivery.metadata.melding_id, delivery.metadata.expiration_ms) == (MELDING, 5000)
    assert broker.logins == [("integration-id", PASSWORD)]
    assert (broker.prefetch, broker.no_ack) == (7, False)
    assert session.methods.index("Basic.Qos") < session.methods.index("Basic.Consume")
    assert not [method for method in session.methods if "Declare" in method]
    assert await reached(one, ConsumerState.CLOSED) == ""


async def test_a_delivery_without_body_or_headers_is_handed_over_too(broker: ScriptedBroker) -> None:
    inbox = Inbox()
    async with consumer(broker, inbox.keep):
        session = await broker.consumer()
        session.deliver(b"", {}, expiration="soon")
        delivery = await inbox.next()
    assert (delivery.body, delivery.metadata.missing[0]) == (b"", "melding-id")


async def test_headers_of_any_type_are_handed_over(broker: ScriptedBroker) -> None:
    inbox = Inbox()
    strange = {"melding-id": bytearray(b"\xff\xfe"), "a": 1, "b": None, "c": {"d": [1, True]}, "long": "x" * 65_000}
    async with consumer(broker, inbox.keep):
        (await broker.consumer()).deliver(b"x", strange)
        metadata = (await inbox.next()).metadata
    assert metadata.melding_id == "\\xff\\xfe"
    assert len(metadata.headers["long"]) == 65_000


@pytest.mark.parametrize(
    "fault",
    [
        lambda session: session.drop(),
        lambda session: session.cancel_consumer(),
        lambda session: session.close_channel(Refusal(406, "PRECONDITION_FAILED - delivery acknowledgement timed out")),
        lambda session: session.close_channel(Refusal(404, "NOT_FOUND - no queue")),
        lambda session: session.close_connection(Refusal(320, "CONNECTION_FORCED - broker forced closure")),
        lambda session: session.close_connection(Refusal(541, "INTERNAL_ERROR")),
    ],
    ids=["cut", "consumer cancelled", "ack timed out", "queue gone", "broker stops", "broker broken"],
)
async def test_after_any_loss_it_consumes_again_with_fresh_credentials(
    fault: Callable[[object], None], broker: ScriptedBroker
) -> None:
    inbox, asked = Inbox(), 0

    async def log_in() -> Credentials:
        nonlocal asked
        asked += 1
        return Credentials("integration-id", SecretStr(f"token-{asked}"))

    async with consumer(broker, inbox.keep, log_in=log_in):
        fault(await broker.consumer(1))
        session = await broker.consumer(2)
        session.deliver(b"again", HEADERS)
        assert (await inbox.next()).body == b"again"
    assert [password for _, password in broker.logins] == ["token-1", "token-2"]


async def test_a_broker_restarted_on_its_port_is_found_again(broker: ScriptedBroker) -> None:
    inbox = Inbox()
    async with consumer(broker, inbox.keep) as one:
        await reached(one, ConsumerState.CONSUMING)
        await broker.stop()
        assert "no working connection" in await reached(one, ConsumerState.CONNECTING)
        async with ScriptedBroker(port=broker.port) as restarted:
            (await restarted.consumer()).deliver(b"back", HEADERS)
            assert (await inbox.next()).body == b"back"


@pytest.mark.parametrize(
    "greeting",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"AMQP\x00\x00\x09\x01",
        b"\x00" * 100,
        b"\x01\x00\x00\x00\x00\x00\x04abcd\xce",
    ],
    ids=["nothing", "HTTP", "another AMQP", "zeros", "a frame of nonsense"],
)
async def test_what_is_no_broker_is_survived(greeting: bytes, broker: ScriptedBroker) -> None:
    broker.greetings.append(greeting)
    async with consumer(broker, Inbox().keep) as one:
        await reached(one, ConsumerState.CONSUMING)
    assert len(broker.sessions) == 2


@pytest.mark.parametrize(
    "octets",
    [
        b"\x01\x00\x01\x00\x00\x00\x04\xff\xff\xff\xff\xce",
        b"\x02\x00\x01\x00\x00\x00\x02ab\xce",
    ],
    ids=["unknown method", "header of nonsense"],
)
async def test_frames_of_nonsense_cost_the_connection_only(octets: bytes, broker: ScriptedBroker) -> None:
    inbox = Inbox()
    async with consumer(broker, inbox.keep):
        (await broker.consumer(1)).raw(octets)
        (await broker.consumer(2)).deliver(b"after", HEADERS)
        assert (await inbox.next()).body == b"after"


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (lambda session: session.cancel_consumer(), "cancelled the consumer"),
        (lambda session: session.close_channel(Refusal(406, "PRECONDITION_FAILED\nx")), "PRECONDITION_FAILED x"),
        (lambda session: session.close_channel(Refusal(404, "NOT_FOUND")), "queue does not exist"),
        (lambda session: session.close_connection(Refusal(320, "CONNECTION_FORCED")), "CONNECTION_FORCED"),
    ],
)
async def test_the_status_says_why_the_connection_was_lost(
    fault: Callable[[object], None], reason: str, broker: ScriptedBroker, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="fiksmelding")
    async with consumer(broker, Inbox().keep):
        fault(await broker.consumer(1))
        await broker.consumer(2)
    assert [
        record for record in caplog.records if record.name.startswith("fiksmelding") and reason in record.getMessage()
    ]


async def test_a_refused_login_is_told_apart_and_tried_again_slowly(broker: ScriptedBroker) -> None:
    clock = FakeClock()
    broker.login_refusals.extend([ACCESS_REFUSED, ACCESS_REFUSED, None])
    async with consumer(broker, Inbox().keep, clock=clock, reconnect_longest_seconds=60) as one:
        reason = await reached(one, ConsumerState.REFUSED)
        await reached(one, ConsumerState.CONSUMING)
    assert "the token has expired" in reason
    assert len(broker.logins) == 3
    assert all(30 <= pause <= 60 for pause in clock.slept[:2])


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


async def test_waits_between_attempts_double_with_full_jitter(unused_tcp_port: int) -> None:
    clock = FakeClock()
    nowhere = ScriptedBroker(port=unused_tcp_port)
    async with consumer(nowhere, Inbox().keep, clock=clock, reconnect_first_seconds=1, reconnect_longest_seconds=8):
        async with asyncio.timeout(10):
            while len(clock.slept) < 12:  # noqa: ASYNC110  the clock has no event
                await asyncio.sleep(0)
    ceilings = [1, 2, 4, *[8] * 9]
    assert all(0 <= pause <= ceiling for pause, ceiling in zip(clock.slept, ceilings, strict=False))
    assert len(set(clock.slept)) > 6


async def test_a_status_is_logged_once_however_many_attempts_fail(
    unused_tcp_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="fiksmelding")
    clock = FakeClock()
    async with consumer(ScriptedBroker(port=unused_tcp_port), Inbox().keep, clock=clock):
        async with asyncio.timeout(10):
            while len(clock.slept) < 6:  # noqa: ASYNC110  the clock has no event
                await asyncio.sleep(0)
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("fiksmelding")]
    assert len(lines) == 2
    assert "no working connection" in lines[0]
    assert "closed" in lines[1]


async def test_a_silent_broker_does_not_hold_us_for_ever(broker: ScriptedBroker) -> None:
    broker.mute = True
    async with consumer(broker, Inbox().keep, timeout_seconds=0.1) as one:
        async with asyncio.timeout(10):
            while not one.status.reason:  # noqa: ASYNC110  waits for a reason, not for a state
                await asyncio.sleep(0)
        assert "did not answer" in one.status.reason
        broker.mute = False
        await reached(one, ConsumerState.CONSUMING)


async def test_a_broker_that_stops_answering_is_taken_for_dead_after_two_heartbeats(broker: ScriptedBroker) -> None:
    """Half-open TCP: nothing comes, nothing is closed."""
    async with consumer(broker, Inbox().keep, heartbeat_seconds=2):
        session = await broker.consumer(1)
        session.silent = True
        await broker.consumer(2)


async def test_a_hand_over_survives_the_loss_of_its_connection(broker: ScriptedBroker) -> None:
    begun, released, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
    failures: list[Exception] = []

    async def keep(delivery: Delivery) -> None:
        begun.set()
        await released.wait()
        try:
            await delivery.ack()
        except BrokerUnavailable as error:
            failures.append(error)
        ended.set()

    async with consumer(broker, keep):
        session = await broker.consumer(1)
        session.deliver(b"x", HEADERS)
        await begun.wait()
        session.drop()
        fresh = await broker.consumer(2)
        released.set()
        await asyncio.wait_for(ended.wait(), 5)
    assert MELDING in str(failures[0])
    assert fresh.acked == []


async def test_a_handler_that_fails_leaves_the_message_unacknowledged_and_gets_it_again(broker: ScriptedBroker) -> None:
    inbox, failures = Inbox(), [JournalUnavailable("full"), ValueError("x")]

    async def keep(delivery: Delivery) -> None:
        if failures:
            raise failures.pop()
        await inbox.keep(delivery)

    async with consumer(broker, keep):
        session = await broker.consumer()
        tag = session.deliver(b"x", HEADERS)
        await inbox.next()
        assert await broker.acked(session, 1) == [tag]
    assert not {"Basic.Nack", "Basic.Reject", "Basic.Recover"} & set(session.methods)


async def test_while_paused_nothing_comes_but_what_came_can_be_acknowledged(broker: ScriptedBroker) -> None:
    inbox = Inbox()
    inbox.acks = False
    async with consumer(broker, inbox.keep) as one:
        session = await broker.consumer(1)
        tag = session.deliver(b"x", HEADERS)
        delivery = await inbox.next()
        await one.pause()
        assert one.status.state is ConsumerState.PAUSED
        assert session.tag == ""
        await delivery.ack()
        assert await broker.acked(session, 1) == [tag]
        await one.resume()
        assert await broker.consumer(2) is session
        await reached(one, ConsumerState.CONSUMING)


async def test_a_connection_lost_while_paused_is_made_again_on_resuming(broker: ScriptedBroker) -> None:
    async with consumer(broker, Inbox().keep) as one:
        session = await broker.consumer(1)
        await one.pause()
        session.drop()
        async with asyncio.timeout(10):
            while one._linked:  # noqa: ASYNC110  losing a link while paused changes no state
                await asyncio.sleep(0)
        assert one.status.state.value == "paused"
        await one.resume()
        assert one.status.state.value == "connecting"
        assert await broker.consumer(2) is not session


async def test_paused_before_it_is_connected_it_consumes_only_when_resumed(broker: ScriptedBroker) -> None:
    one = consumer(broker, Inbox().keep)
    await one.pause()
    async with one:
        for _ in range(100):
            await asyncio.sleep(0)
        assert one.status.state is ConsumerState.PAUSED
        assert broker.sessions == []
        await one.resume()
        await broker.consumer(1)


async def test_the_handler_itself_may_pause(broker: ScriptedBroker) -> None:
    inbox = Inbox()

    async def keep(delivery: Delivery) -> None:
        await one.pause()
        await inbox.keep(delivery)

    one = consumer(broker, keep)
    async with one:
        session = await broker.consumer()
        session.deliver(b"x", HEADERS)
        await inbox.next()
        assert one.status.state is ConsumerState.PAUSED


async def test_whoever_waits_for_a_pause_is_freed_when_it_is_overruled(broker: ScriptedBroker) -> None:
    one = consumer(broker, Inbox().keep)
    async with one:
        await reached(one, ConsumerState.CONSUMING)
        pausing = asyncio.create_task(one.pause())
        await asyncio.sleep(0)
        await one.resume()
        await asyncio.wait_for(pausing, 5)
        pausing = asyncio.create_task(one.pause())
        await asyncio.sleep(0)
        await one.aclose()
        await asyncio.wait_for(pausing, 5)
        await asyncio.wait_for(one.pause(), 5)
    assert one.status.state.value == "closed"


async def test_closing_lets_a_running_hand_over_end_and_acknowledge(broker: ScriptedBroker) -> None:
    begun, released = asyncio.Event(), asyncio.Event()

    async def keep(delivery: Delivery) -> None:
        begun.set()
        await released.wait()
        await delivery.ack()

    one = consumer(broker, keep)
    async with one:
        session = await broker.consumer()
        tag = session.deliver(b"x", HEADERS)
        await begun.wait()
        closing = asyncio.create_task(one.aclose())
        await broker.until(lambda: "Basic.Cancel" in session.methods)
        released.set()
        await asyncio.wait_for(closing, 10)
    await session.over.wait()
    assert session.acked == [tag]
    assert session.methods[-1] == "Connection.Close"


async def test_closing_does_not_wait_for_a_broker_that_is_not_there(unused_tcp_port: int) -> None:
    one = consumer(ScriptedBroker(port=unused_tcp_port), Inbox().keep)
    async with one:
        pass
    await one.aclose()
    assert one.status.state is ConsumerState.CLOSED


async def test_a_connection_cut_while_closing_does_not_hold_it_up(broker: ScriptedBroker) -> None:
    class NeverWakes(FakeClock):
        async def sleep(self, _: float) -> None:
            await asyncio.Event().wait()

    one = consumer(broker, Inbox().keep, clock=NeverWakes())
    async with one:
        session = await broker.consumer()
        await reached(one, ConsumerState.CONSUMING)
        session.drop()
        await asyncio.wait_for(one.aclose(), 5)


async def test_a_consumer_is_opened_once(broker: ScriptedBroker) -> None:
    one = consumer(broker, Inbox().keep)
    async with one:
        with pytest.raises(BrokerError, match="once"):
            await one.__aenter__()


async def test_closing_while_logging_in_leaves_no_connection(broker: ScriptedBroker) -> None:
    broker.mute = True
    async with consumer(broker, Inbox().keep):
        async with asyncio.timeout(10):
            while not broker.sessions:  # noqa: ASYNC110  waits for the socket only
                await asyncio.sleep(0)
    await asyncio.wait_for(broker.sessions[0].over.wait(), 10)


async def test_an_ack_under_way_when_the_connection_is_cut_fails_and_is_not_cancelled(broker: ScriptedBroker) -> None:
    outcomes: asyncio.Queue[str] = asyncio.Queue()

    async def keep(delivery: Delivery) -> None:
        session.drop()
        try:
            while True:
                delivery.acknowledge._done = False  # type: ignore[attr-defined]
                await delivery.ack()
        except BrokerUnavailable:
            outcomes.put_nowait("unavailable")

    async with consumer(broker, keep):
        session = await broker.consumer()
        session.deliver(b"x", HEADERS)
        assert await asyncio.wait_for(outcomes.get(), 10) == "unavailable"


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
            async with asyncio.timeout(10):
                while not one.status.reason:  # noqa: ASYNC110  waits for a reason, not for a state
                    await asyncio.sleep(0)
            assert "not trusted" in one.status.reason
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


def test_the_platforms_password_is_password_space_token() -> None:
    integration = uuid4()
    made = Credentials.of_integration(integration, SecretStr("p w"), SecretStr("t"))
    assert (made.user, made.password.get_secret_value()) == (str(integration), "p w t")
