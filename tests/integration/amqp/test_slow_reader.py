"""A consumer that asks for much and reads little."""

import asyncio
import ssl

import pytest
from pamqp import commands

from support.embedded_broker import QUEUE, embedded_broker, until
from support.raw_amqp import raw_client

MEGABYTE = 1_000_000


@pytest.mark.parametrize("encrypted", [True, False])
async def test_a_consumer_that_does_not_read_costs_bounded_memory_and_still_gets_all(
    broker_tls: ssl.SSLContext, client_tls: ssl.SSLContext, *, encrypted: bool
) -> None:
    server, ours = (broker_tls, client_tls) if encrypted else (None, None)
    async with embedded_broker(server) as broker, raw_client(broker.server.port, ours) as client:
        await client.log_in()
        await client.open_channel()
        for number in range(60):
            broker.publish(str(number), body=bytes(MEGABYTE))
        client.send(1, commands.Basic.Consume(queue=QUEUE, consumer_tag="c"))
        await until(lambda: broker.queues.held(QUEUE))
        for _ in range(100):
            await asyncio.sleep(0)
        assert broker.queues.held(QUEUE) < 30, "deliveries went on though nobody read them"
        await client.expect(commands.Basic.ConsumeOk)
        for number in range(60):
            deliver, header, body = await client.expect_delivery()
            assert header.properties.headers == {"melding-id": str(number)}
            assert len(body) == MEGABYTE
            client.send(1, commands.Basic.Ack(deliver.delivery_tag or 0))
        await client.settle()
        assert (broker.queues.depth(QUEUE), broker.queues.held(QUEUE)) == (0, 0)
