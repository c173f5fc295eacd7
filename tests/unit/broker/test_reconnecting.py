"""The consumer against a broker that cancels, closes, talks nonsense and falls silent."""

import asyncio
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from fiksmelding.broker import ConsumerState, Credentials
from support.consumers import HEADERS, Inbox, consumer, reached
from support.fake_clock import FakeClock
from support.scripted_broker import Refusal, ScriptedBroker


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


async def test_a_broker_with_several_addresses_is_tried_at_each_in_turn(
    broker: ScriptedBroker, unused_tcp_port: int
) -> None:
    inbox = Inbox()
    async with ScriptedBroker() as other:
        hosts = [f"127.0.0.1:{port}" for port in (unused_tcp_port, broker.port, other.port)]
        async with consumer(broker, inbox.keep, hosts=hosts):
            await broker.consumer()
            await broker.stop()
            session = await other.consumer()
            session.deliver(b"from another node", HEADERS)
            assert (await inbox.next()).body == b"from another node"
            session.drop()
            (await other.consumer(2)).deliver(b"the dead are passed over", HEADERS)
            assert (await inbox.next()).body == b"the dead are passed over"


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
