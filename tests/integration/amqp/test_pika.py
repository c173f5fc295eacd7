"""pika, an independent client, over TLS."""

import asyncio
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pika
import pika.exceptions
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from fiksmelding.simulator.queues import DeathReason
from support.embedded_broker import (
    MISSING_QUEUE,
    OTHERS_QUEUE,
    PASSWORD,
    QUEUE,
    USER,
    Broker,
    embedded_broker,
    in_thread,
)

LARGE = bytes(range(256)) * 4 * 300


@contextmanager
def pika_channel(port: int, tls: ssl.SSLContext, password: str = PASSWORD) -> Iterator[BlockingChannel]:
    parameters = pika.ConnectionParameters(
        "127.0.0.1",
        port,
        credentials=pika.PlainCredentials(USER, password),
        ssl_options=pika.SSLOptions(tls, "127.0.0.1"),
    )
    connection = pika.BlockingConnection(parameters)
    try:
        yield connection.channel()
    finally:
        if connection.is_open:
            connection.close()


async def test_a_report_arrives_whole_and_is_gone_when_acknowledged(
    broker_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with embedded_broker(broker_tls) as broker:
        broker.publish("one", body=LARGE, expiration_ms=60_000)

        def consume() -> None:
            with pika_channel(broker.server.port, client_tls) as channel:
                channel.basic_qos(prefetch_count=10)
                method, properties, body = next(channel.consume(QUEUE, inactivity_timeout=10))
                assert (method.routing_key, method.redelivered) == (QUEUE, False)
                assert properties.headers == {"melding-id": "one"}
                assert 0 < int(properties.expiration) <= 60_000
                assert body == LARGE
                channel.basic_ack(method.delivery_tag)

        await in_thread(consume)
        assert broker.queues.depth(QUEUE) == broker.queues.held(QUEUE) == 0
        assert broker.deaths.seen == []


async def test_three_deliveries_without_acknowledgement_are_the_messages_death(
    broker_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with embedded_broker(broker_tls) as broker:
        broker.publish("one")

        def take_and_leave() -> bool:
            with pika_channel(broker.server.port, client_tls) as channel:
                method, _, _ = next(channel.consume(QUEUE, inactivity_timeout=10))
                return bool(method.redelivered)

        assert [await in_thread(take_and_leave) for _ in range(3)] == [False, True, True]
        assert broker.deaths.seen == [(DeathReason.DELIVERY_LIMIT, "one")]


async def test_a_message_dies_of_age_with_nobody_reading(
    broker_tls: ssl.SSLContext,
) -> None:
    async with embedded_broker(broker_tls) as broker:
        broker.publish("one", expiration_ms=86_400_000)
        await asyncio.sleep(0)
        assert broker.deaths.seen == []
        broker.clock.advance(timedelta(days=1))
        await asyncio.wait_for(broker.deaths.happened.wait(), 10)
        assert broker.deaths.seen == [(DeathReason.EXPIRED, "one")]


async def test_a_wrong_password_is_refused(broker_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    async with embedded_broker(broker_tls) as broker:

        def log_in() -> None:
            with pika_channel(broker.server.port, client_tls, "wrong token"):
                pytest.fail("The broker let a wrong password in.")

        with pytest.raises(pika.exceptions.AMQPConnectionError) as refused:
            await in_thread(log_in)
        assert "ACCESS_REFUSED" in repr(refused.value)


@pytest.mark.parametrize(("queue", "code"), [(OTHERS_QUEUE, 403), (MISSING_QUEUE, 404)])
async def test_only_ones_own_queue_can_be_read(
    broker_tls: ssl.SSLContext, client_tls: ssl.SSLContext, queue: str, code: int
) -> None:
    async with embedded_broker(broker_tls) as broker:

        def consume() -> None:
            with pika_channel(broker.server.port, client_tls) as channel:
                channel.basic_consume(queue, lambda *_: None)

        with pytest.raises(pika.exceptions.ChannelClosedByBroker) as closed:
            await in_thread(consume)
        assert closed.value.reply_code == code


async def test_publishing_and_declaring_are_refused(broker_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    async with embedded_broker(broker_tls) as broker:

        def publish() -> None:
            with pika_channel(broker.server.port, client_tls) as channel:
                channel.confirm_delivery()
                channel.basic_publish("", QUEUE, b"x" * 500_000)

        def declare() -> None:
            with pika_channel(broker.server.port, client_tls) as channel:
                channel.queue_declare("mine")

        for forbidden in (publish, declare):
            with pytest.raises(pika.exceptions.ChannelClosedByBroker) as closed:
                await in_thread(forbidden)
            assert closed.value.reply_code == 403
        assert broker.queues.depth(QUEUE) == 0


async def test_a_passive_declare_tells_depth_and_consumers(
    broker_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with embedded_broker(broker_tls) as broker:
        broker.publish("one")
        broker.publish("two")

        def ask() -> tuple[int, int]:
            with pika_channel(broker.server.port, client_tls) as channel:
                channel.basic_qos(prefetch_count=1)
                channel.basic_consume(QUEUE, lambda *_: None)
                answer = channel.queue_declare(QUEUE, passive=True).method
                return answer.message_count, answer.consumer_count

        assert await in_thread(ask) == (1, 1)


async def test_a_severed_connection_gives_everything_back(
    broker_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with embedded_broker(broker_tls) as broker:
        for number in range(5):
            broker.publish(str(number))
        holding = asyncio.Event()
        loop = asyncio.get_running_loop()

        def hold() -> None:
            with pika_channel(broker.server.port, client_tls) as channel:
                channel.basic_qos(prefetch_count=3)
                channel.basic_consume(QUEUE, lambda *_: loop.call_soon_threadsafe(holding.set))
                channel.start_consuming()

        consumer = asyncio.create_task(in_thread(hold))
        await asyncio.wait_for(holding.wait(), 10)
        await broker.server.sever()
        with pytest.raises(pika.exceptions.AMQPConnectionError):
            await consumer
        assert (broker.queues.depth(QUEUE), broker.queues.held(QUEUE), broker.queues.consumers(QUEUE)) == (5, 0, 0)
        await _expect_in_order(broker, client_tls, ["0", "1", "2", "3", "4"])


async def _expect_in_order(broker: Broker, client_tls: ssl.SSLContext, expected: list[str]) -> None:
    def get_all() -> list[str]:
        with pika_channel(broker.server.port, client_tls) as channel:
            return [channel.basic_get(QUEUE, auto_ack=True)[1].headers["melding-id"] for _ in expected]

    assert await in_thread(get_all) == expected
