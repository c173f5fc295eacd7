"""A broker that does not answer, a network that swallows everything: nothing of ours may hang on them."""

import asyncio
import gc

import pytest

from fiksmelding.broker import ConsumerState
from support.consumers import HEADERS, Inbox, consumer, reached, reason_given
from support.scripted_broker import ScriptedBroker
from support.tcp_proxy import TcpProxy


async def test_a_silent_broker_does_not_hold_us_for_ever(broker: ScriptedBroker) -> None:
    broker.mute = True
    async with consumer(broker, Inbox().keep, timeout_seconds=0.1) as one:
        assert "did not answer" in await reason_given(one)
        broker.mute = False
        await reached(one, ConsumerState.CONSUMING)


@pytest.mark.parametrize("method", ["Connection.Open", "Channel.Open", "Basic.Qos", "Basic.Consume"])
async def test_a_call_that_is_never_answered_is_given_up(method: str, broker: ScriptedBroker) -> None:
    broker.ignored.add(method)
    async with consumer(broker, Inbox().keep, timeout_seconds=0.2) as one:
        assert "did not answer in 0.2 s" in await reason_given(one)
        broker.ignored.clear()
        await reached(one, ConsumerState.CONSUMING)


async def test_a_pause_that_is_never_answered_ends_the_connection_instead(broker: ScriptedBroker) -> None:
    broker.ignored.add("Basic.Cancel")
    async with consumer(broker, Inbox().keep, timeout_seconds=0.2) as one:
        session = await broker.consumer()
        await asyncio.wait_for(one.pause(), 10)
        assert one.status.state is ConsumerState.PAUSED
        await asyncio.wait_for(session.over.wait(), 10)


async def test_closing_does_not_wait_for_a_broker_that_does_not_answer(broker: ScriptedBroker) -> None:
    broker.ignored.update({"Basic.Cancel", "Connection.Close"})
    one = consumer(broker, Inbox().keep, timeout_seconds=0.2)
    async with one:
        session = await broker.consumer()
        await asyncio.wait_for(one.aclose(), 10)
    await asyncio.wait_for(session.over.wait(), 10)


async def test_a_half_open_connection_is_taken_for_dead_after_two_heartbeats(broker: ScriptedBroker) -> None:
    """Nothing comes, nothing is closed, and what we send leads nowhere: the ack too, so the message comes again."""
    async with (
        TcpProxy("127.0.0.1", broker.port) as proxy,
        consumer(broker, Inbox().keep, port=proxy.port, heartbeat_seconds=2) as one,
    ):
        stranded = await broker.consumer(1)
        await reached(one, ConsumerState.CONSUMING)
        proxy.strand()
        fresh = await broker.consumer(2)
        tag = fresh.deliver(b"x", HEADERS, redelivered=True)
        assert await broker.acked(fresh, 1) == [tag]
        assert stranded.acked == []


async def test_a_broker_short_of_memory_still_delivers_and_takes_acknowledgements(broker: ScriptedBroker) -> None:
    inbox = Inbox()
    async with consumer(broker, inbox.keep) as one:
        session = await broker.consumer()
        session.block("low on memory")
        tag = session.deliver(b"x", HEADERS)
        await inbox.next()
        assert await broker.acked(session, 1) == [tag]
        await asyncio.wait_for(one.pause(), 5)
        await asyncio.wait_for(one.resume(), 5)
        await broker.consumer(2)


async def test_nothing_that_is_needed_is_held_weakly(broker: ScriptedBroker) -> None:
    inbox = Inbox()
    async with consumer(broker, inbox.keep):
        for number in (1, 2):
            session = await broker.consumer(number)
            gc.collect()
            session.deliver(b"x", HEADERS)
            gc.collect()
            await inbox.next()
            session.drop()
