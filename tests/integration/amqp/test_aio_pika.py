"""aio-pika, over TLS."""

import asyncio
import ssl

import aio_pika
import aio_pika.abc
import aiormq.exceptions
import pytest

from support.embedded_broker import MISSING_QUEUE, OTHERS_QUEUE, PASSWORD, QUEUE, USER, Broker, embedded_broker


async def connect(broker: Broker, tls: ssl.SSLContext, password: str = PASSWORD) -> aio_pika.abc.AbstractConnection:
    return await aio_pika.connect(
        host="127.0.0.1", port=broker.server.port, login=USER, password=password, ssl=True, ssl_context=tls, timeout=10
    )


async def test_ten_are_under_way_at_a_time_and_all_arrive_in_order(
    broker_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with embedded_broker(broker_tls) as broker:
        for number in range(25):
            broker.publish(str(number), body=b"x" * number * 10_000)
        arrived: asyncio.Queue[aio_pika.abc.AbstractIncomingMessage] = asyncio.Queue()
        async with await connect(broker, client_tls) as connection:
            channel = await connection.channel()
            await channel.set_qos(prefetch_count=10)
            queue = await channel.get_queue(QUEUE, ensure=False)
            await queue.consume(arrived.put)
            seen = []
            for number in range(25):
                message = await asyncio.wait_for(arrived.get(), 10)
                assert broker.queues.held(QUEUE) <= 10
                assert message.body == b"x" * number * 10_000
                seen.append(message.headers["melding-id"])
                await message.ack()
        assert seen == [str(number) for number in range(25)]


async def test_a_nacked_message_comes_again_marked_redelivered(
    broker_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with embedded_broker(broker_tls) as broker:
        broker.publish("one")
        async with await connect(broker, client_tls) as connection:
            queue = await (await connection.channel()).get_queue(QUEUE)
            first = await queue.get()
            await first.nack(requeue=True)
            second = await queue.get()
            assert (first.redelivered, second.redelivered) == (False, True)
            await second.reject(requeue=False)
            assert await queue.get(fail=False) is None
        assert broker.deaths.seen == []


async def test_a_wrong_password_is_refused(broker_tls: ssl.SSLContext, client_tls: ssl.SSLContext) -> None:
    async with embedded_broker(broker_tls) as broker:
        with pytest.raises(aiormq.exceptions.ProbableAuthenticationError, match="ACCESS_REFUSED"):
            await connect(broker, client_tls, "wrong token")


@pytest.mark.parametrize(
    ("name", "refusal"),
    [
        (OTHERS_QUEUE, aiormq.exceptions.ChannelAccessRefused),
        (MISSING_QUEUE, aiormq.exceptions.ChannelNotFoundEntity),
    ],
)
async def test_only_ones_own_queue_can_be_consumed(
    broker_tls: ssl.SSLContext, client_tls: ssl.SSLContext, name: str, refusal: type[Exception]
) -> None:
    async with embedded_broker(broker_tls) as broker, await connect(broker, client_tls) as connection:
        queue = await (await connection.channel()).get_queue(name, ensure=False)
        arrived: asyncio.Queue[aio_pika.abc.AbstractIncomingMessage] = asyncio.Queue()
        with pytest.raises(refusal):
            await queue.consume(arrived.put)


async def test_a_consumer_is_cut_off_when_the_broker_stops(
    broker_tls: ssl.SSLContext, client_tls: ssl.SSLContext
) -> None:
    async with embedded_broker(broker_tls) as broker:
        connection = await connect(broker, client_tls)
        closed = asyncio.Event()
        connection.close_callbacks.add(lambda *_: closed.set())
    await asyncio.wait_for(closed.wait(), 10)
    await connection.close()
