"""Told to pause, to go on, to close: at any moment, and in order."""

import asyncio

import pytest

from fiksmelding.broker import ConsumerState, Delivery
from fiksmelding.errors import BrokerError
from support.consumers import HEADERS, Inbox, consumer, reached
from support.fake_clock import FakeClock
from support.scripted_broker import ScriptedBroker


async def test_while_paused_nothing_comes_but_what_came_can_be_acknowledged(broker: ScriptedBroker) -> None:
    inbox = Inbox(acks=False)
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
