"""The server as a whole: signs of life, faults, slow and dead clients, its end."""

import asyncio
from datetime import timedelta

import pytest
from pamqp import commands
from pamqp.heartbeat import Heartbeat

from fiksmelding.simulator.amqp import AmqpServer, Login
from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.queues import DeathReason, QueuedMessage, Queues
from support.embedded_broker import QUEUE, ReadsOwnQueue, authenticate, embedded_broker, until
from support.raw_amqp import RawClient, raw_client


async def consumer(client: RawClient, *, heartbeat: int = 0, prefetch: int = 10) -> RawClient:
    await client.log_in(heartbeat=heartbeat)
    await client.open_channel()
    return await client.consume(QUEUE, prefetch=prefetch)


async def test_the_server_shows_signs_of_life_and_lets_a_silent_client_go() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await consumer(client, heartbeat=1)
        broker.publish("1")
        await client.expect_delivery()
        await client.expect(Heartbeat, channel=0)
        end = await client.expect_end()
        assert set(end[::8]) == {8}
        assert (broker.queues.depth(QUEUE), broker.queues.held(QUEUE)) == (1, 0)


async def test_heartbeats_keep_a_quiet_client_alive() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await consumer(client, heartbeat=1)
        for _ in range(5):  # two and a half seconds: longer than two missed heartbeats
            await client.expect(Heartbeat)
            client.send(0, Heartbeat())
        broker.publish("1")
        await client.expect_delivery()


async def test_a_blocked_broker_tells_those_who_understand() -> None:
    async with (
        embedded_broker() as broker,
        raw_client(broker.server.port) as old,
        raw_client(broker.server.port) as new,
    ):
        await old.log_in(capabilities={})
        await new.log_in()
        broker.server.block("low on disk")
        assert (await new.expect(commands.Connection.Blocked, channel=0)).reason == "low on disk"
        async with raw_client(broker.server.port) as late:
            await late.log_in()
            await late.expect(commands.Connection.Blocked)
        broker.server.unblock()
        await new.expect(commands.Connection.Unblocked)
        await old.open_channel()


async def test_a_cancelled_consumer_is_told_and_keeps_what_it_holds() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await consumer(client)
        broker.publish("1")
        await client.expect_delivery()
        broker.server.cancel_consumers(QUEUE)
        assert (await client.expect(commands.Basic.Cancel, channel=1)).consumer_tag == "c"
        client.send(1, commands.Basic.Ack(1))
        broker.publish("2")
        await client.consume(QUEUE)
        await client.expect_delivery()


async def test_a_half_open_connection_is_found_out_by_heartbeats() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await consumer(client, heartbeat=1)
        broker.publish("1")
        await client.expect_delivery()
        broker.server.go_silent()
        client.send(1, commands.Basic.Ack(1))
        assert await client.expect_end() == b""
        await until(lambda: broker.queues.depth(QUEUE) == 1)


async def test_a_message_dies_of_age_though_nobody_reads() -> None:
    async with embedded_broker() as broker:
        broker.publish("1", expiration_ms=86_400_000)
        await asyncio.sleep(0)
        assert broker.deaths.seen == []
        broker.clock.advance(timedelta(days=1))
        await asyncio.wait_for(broker.deaths.happened.wait(), 10)
        assert broker.deaths.seen == [(DeathReason.EXPIRED, "1")]


async def test_a_severed_message_has_lost_one_attempt_only() -> None:
    async with embedded_broker() as broker:
        async with raw_client(broker.server.port) as one, raw_client(broker.server.port) as two:
            await consumer(one)
            await consumer(two)
            broker.publish("1")
            await one.expect_delivery()
            await broker.server.sever()
            assert await one.expect_end() == await two.expect_end() == b""
        assert (broker.queues.depth(QUEUE), broker.queues.held(QUEUE), broker.queues.consumers(QUEUE)) == (1, 0, 0)
        for deaths in (0, 1):
            lease = broker.queues.take(QUEUE)
            assert lease is not None
            lease.requeue()
            assert len(broker.deaths.seen) == deaths


async def test_a_client_in_the_middle_of_logging_in_is_severed_too() -> None:
    asked = asyncio.Event()

    async def never_answers(user: str, password: str) -> Login:
        asked.set()
        await asyncio.get_running_loop().create_future()
        return ReadsOwnQueue()

    queues = Queues(SimulatorClock(), lambda *_: None)
    async with (
        AmqpServer(queues, authenticate=never_answers, ssl_context=None) as server,
        raw_client(server.port) as client,
    ):
        await client.start()
        await asyncio.wait_for(asked.wait(), 10)
        await asyncio.wait_for(server.sever(), 10)
        assert await client.expect_end() == b""


async def test_a_server_that_ends_says_so_and_waits_for_its_clients_to_agree() -> None:
    async with embedded_broker() as broker:
        reader, writer = await asyncio.open_connection("127.0.0.1", broker.server.port)
        client = await consumer(RawClient(reader, writer))
        broker.publish("1")
        await client.expect_delivery()
        ended = asyncio.create_task(client.expect_closed(320))
    assert (await ended).reply_text.startswith("CONNECTION_FORCED")
    assert (broker.queues.depth(QUEUE), broker.queues.held(QUEUE)) == (1, 0)
    writer.close()


async def test_a_server_that_ends_does_not_wait_long_for_a_client_that_does_not_answer() -> None:
    async with asyncio.timeout(10):
        async with embedded_broker() as broker:
            _, writer = await asyncio.open_connection("127.0.0.1", broker.server.port)
    writer.transport.abort()


async def test_a_server_can_be_started_again_with_the_same_queues() -> None:
    async with embedded_broker() as broker:
        broker.publish("1")
        async with (
            AmqpServer(broker.queues, authenticate=authenticate, ssl_context=None) as second,
            raw_client(second.port) as client,
        ):
            await consumer(client)
            await client.expect_delivery()


async def test_a_mistake_of_ours_costs_one_client_its_connection(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def may_read(self, queue: str) -> bool:
            raise ZeroDivisionError(queue)

    async def lets_in(user: str, password: str) -> Login:
        return Broken()

    queues = Queues(SimulatorClock(), lambda *_: None)
    async with AmqpServer(queues, authenticate=lets_in, ssl_context=None) as server:
        async with raw_client(server.port) as client:
            await client.log_in()
            await client.open_channel()
            client.send(1, commands.Basic.Consume(queue=QUEUE))
            await client.expect_closed(541)
        async with raw_client(server.port) as neighbour:
            await neighbour.log_in()
    assert "ZeroDivisionError" in caplog.text


async def test_a_header_is_sent_as_it_came() -> None:
    headers = {"melding-id": "1", "avsender-navn": "Åse & Ødegård \0 barnehage", "empty": ""}
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await consumer(client)
        broker.queues.publish(QUEUE, QueuedMessage(headers))
        _, header, body = await client.expect_delivery()
        assert (header.properties.headers, body, header.properties.expiration) == (headers, b"", None)
