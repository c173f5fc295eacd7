"""Consumers, prefetch, acknowledgements: what a channel does with the queues."""

import pytest
from pamqp import commands

from fiksmelding.simulator.queues import DeathReason
from support.embedded_broker import QUEUE, Broker, embedded_broker
from support.raw_amqp import RawClient, raw_client


def publish(broker: Broker, count: int) -> None:
    for number in range(1, count + 1):
        broker.publish(str(number))


async def deliveries(client: RawClient, count: int) -> list[tuple[str, int, str]]:
    """Consumer tag, delivery tag and melding-id of the next ones."""
    seen = []
    for _ in range(count):
        deliver, header, _ = await client.expect_delivery()
        assert header.properties.headers is not None
        seen.append(
            (str(deliver.consumer_tag), int(deliver.delivery_tag or 0), str(header.properties.headers["melding-id"]))
        )
    return seen


def counts(broker: Broker) -> tuple[int, int, int]:
    return broker.queues.depth(QUEUE), broker.queues.held(QUEUE), broker.queues.consumers(QUEUE)


async def test_prefetch_counts_for_each_consumer_by_itself() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in()
        await client.open_channel()
        publish(broker, 6)
        await client.consume(QUEUE, tag="a", prefetch=1)
        assert await deliveries(client, 1) == [("a", 1, "1")]
        await client.consume(QUEUE, tag="b", prefetch=2)
        assert await deliveries(client, 2) == [("b", 2, "2"), ("b", 3, "3")]
        await client.settle()
        assert counts(broker) == (3, 3, 2)
        client.send(1, commands.Basic.Ack(1))
        assert await deliveries(client, 1) == [("a", 4, "4")]


async def test_a_global_prefetch_is_shared_by_the_channels_consumers() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in()
        await client.open_channel()
        client.send(1, commands.Basic.Qos(prefetch_count=3, global_=True))
        await client.expect(commands.Basic.QosOk)
        await client.consume(QUEUE, tag="a", prefetch=2)
        await client.consume(QUEUE, tag="b")
        publish(broker, 6)
        assert await deliveries(client, 3) == [("a", 1, "1"), ("b", 2, "2"), ("a", 3, "3")]
        await client.settle()
        assert counts(broker) == (3, 3, 2)
        client.send(1, commands.Basic.Ack(3, multiple=True))
        assert len(await deliveries(client, 3)) == 3
        client.send(1, commands.Basic.Qos(prefetch_count=4, global_=True))
        await client.expect(commands.Basic.QosOk)
        await client.settle()
        assert counts(broker) == (0, 3, 2)


async def test_no_limit_is_no_limit() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in()
        await client.open_channel()
        publish(broker, 500)
        await client.consume(QUEUE, prefetch=0)
        assert [name for _, _, name in await deliveries(client, 500)] == [str(number) for number in range(1, 501)]


async def test_a_multiple_ack_takes_all_up_to_its_tag() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in()
        await client.open_channel()
        publish(broker, 5)
        await client.consume(QUEUE)
        await deliveries(client, 5)
        client.send(1, commands.Basic.Ack(2), commands.Basic.Ack(3, multiple=True))
        await client.settle()
        assert counts(broker) == (0, 2, 1)
        client.send(1, commands.Basic.Ack(0, multiple=True), commands.Basic.Ack(0, multiple=True))
        await client.settle()
        assert counts(broker) == (0, 0, 1)


async def test_a_multiple_nack_brings_all_again_in_order() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in()
        await client.open_channel()
        publish(broker, 3)
        await client.consume(QUEUE)
        await deliveries(client, 3)
        client.send(1, commands.Basic.Nack(3, multiple=True, requeue=True))
        again = await deliveries(client, 3)
        assert [(tag, name) for _, tag, name in again] == [(4, "1"), (5, "2"), (6, "3")]


@pytest.mark.parametrize("refusal", [commands.Basic.Nack(1, requeue=False), commands.Basic.Reject(1, requeue=False)])
async def test_a_refusal_without_requeue_discards(refusal: commands.Basic.Nack | commands.Basic.Reject) -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in()
        await client.open_channel()
        publish(broker, 1)
        await client.consume(QUEUE)
        await deliveries(client, 1)
        client.send(1, refusal)
        await client.settle()
        assert counts(broker) == (0, 0, 1)
        assert broker.deaths.seen == []


@pytest.mark.filterwarnings("ignore:This command is deprecated")
@pytest.mark.parametrize("recover", [commands.Basic.Recover, commands.Basic.RecoverAsync])
async def test_recover_brings_everything_again(
    recover: type[commands.Basic.Recover | commands.Basic.RecoverAsync],
) -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in()
        await client.open_channel()
        publish(broker, 2)
        await client.consume(QUEUE, prefetch=2)
        first = await deliveries(client, 2)
        client.send(1, recover(requeue=True))
        again = [await next_delivery(client) for _ in range(2)]
        assert [name for name, redelivered in again if redelivered] == [name for _, _, name in first]


async def next_delivery(client: RawClient) -> tuple[str, bool]:
    _, received = await client.receive()
    while not isinstance(received, commands.Basic.Deliver):
        _, received = await client.receive()
    header, _ = await client.content()
    assert header.properties.headers is not None
    return str(header.properties.headers["melding-id"]), bool(received.redelivered)


async def test_a_cancelled_consumer_keeps_what_it_holds_and_may_acknowledge_it() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in()
        await client.open_channel()
        publish(broker, 1)
        await client.consume(QUEUE)
        await deliveries(client, 1)
        client.send(1, commands.Basic.Cancel("c"))
        assert (await client.expect(commands.Basic.CancelOk)).consumer_tag == "c"
        broker.publish("2")
        await client.settle()
        assert counts(broker) == (1, 1, 0)
        client.send(1, commands.Basic.Ack(1), commands.Basic.Cancel("unknown"))
        await client.expect(commands.Basic.CancelOk)
        assert counts(broker) == (1, 0, 0)


async def test_a_closed_channel_gives_back_what_it_held_in_order() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in()
        await client.open_channel(1)
        await client.open_channel(2)
        publish(broker, 3)
        await client.consume(QUEUE, channel=1)
        await deliveries(client, 3)
        client.send(1, commands.Channel.Close(200, "", 0, 0))
        await client.expect(commands.Channel.CloseOk)
        assert counts(broker) == (3, 0, 0)
        await client.consume(QUEUE, channel=2)
        assert [name for _, _, name in await deliveries(client, 3)] == ["1", "2", "3"]


async def test_a_lost_connection_costs_one_attempt_however_many_channels_it_had() -> None:
    async with embedded_broker() as broker:
        async with raw_client(broker.server.port) as client:
            await client.log_in()
            for channel in (1, 2, 3, 4):
                await client.open_channel(channel)
                await client.consume(QUEUE, channel=channel)
            broker.publish("1")
            await client.expect_delivery()
        async with raw_client(broker.server.port) as client:
            await client.log_in()
            await client.open_channel()
            await until_given_back(client)
        for deaths in (0, 1):
            lease = broker.queues.take(QUEUE)
            assert lease is not None
            lease.requeue()
            assert len(broker.deaths.seen) == deaths


async def until_given_back(client: RawClient) -> None:
    """Ask until the message of a connection that was just cut waits again; asking takes nothing."""
    while True:
        client.send(1, commands.Queue.Declare(queue=QUEUE, passive=True))
        if (await client.expect(commands.Queue.DeclareOk)).message_count:
            return


async def test_no_ack_counts_as_acknowledged_when_sent() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in()
        await client.open_channel()
        publish(broker, 3)
        await client.consume(QUEUE, no_ack=True, prefetch=1)
        assert [tag for _, tag, _ in await deliveries(client, 3)] == [1, 2, 3]
        assert counts(broker) == (0, 0, 1)
        client.send(1, commands.Basic.Ack(1))
        assert (await client.expect(commands.Channel.Close)).reply_code == 406


async def test_get_takes_one_and_tells_how_many_are_left() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in()
        await client.open_channel()
        broker.publish("1", body=b"abc", expiration_ms=60_000)
        broker.publish("2")
        client.send(1, commands.Basic.Get(queue=QUEUE))
        got = await client.expect(commands.Basic.GetOk)
        assert (got.delivery_tag, got.redelivered, got.routing_key, got.message_count) == (1, False, QUEUE, 1)
        header, body = await client.content()
        assert body == b"abc"
        assert 0 < int(header.properties.expiration or "0") <= 60_000
        client.send(1, commands.Basic.Get(queue=QUEUE, no_ack=True))
        assert (await client.expect(commands.Basic.GetOk)).message_count == 0
        await client.content()
        client.send(1, commands.Basic.Get(queue=QUEUE))
        await client.expect(commands.Basic.GetEmpty)
        assert counts(broker) == (0, 1, 0)


async def test_the_queue_looked_at_last_is_meant_when_none_is_named() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in()
        await client.open_channel()
        client.send(1, commands.Queue.Declare(queue=QUEUE, passive=True))
        await client.expect(commands.Queue.DeclareOk)
        publish(broker, 1)
        await client.consume("")
        assert await deliveries(client, 1) == [("c", 1, "1")]


async def test_without_wait_there_is_no_answer() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in()
        await client.open_channel()
        publish(broker, 1)
        client.send(
            1,
            commands.Confirm.Select(nowait=True),
            commands.Queue.Declare(queue=QUEUE, passive=True, nowait=True),
            commands.Basic.Consume(queue=QUEUE, consumer_tag="c", nowait=True),
        )
        assert await deliveries(client, 1) == [("c", 1, "1")]
        client.send(1, commands.Basic.Cancel("c", nowait=True))
        await client.settle()
        assert counts(broker) == (0, 1, 0)


async def test_a_consumer_without_a_tag_is_given_one() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in()
        await client.open_channel()
        tags = []
        for _ in range(2):
            client.send(1, commands.Basic.Consume(queue=QUEUE))
            tags.append((await client.expect(commands.Basic.ConsumeOk)).consumer_tag)
        assert len(set(tags)) == 2
        assert all(tag and tag.startswith("amq.ctag-") for tag in tags)


async def test_flow_on_and_confirm_are_answered_though_nobody_publishes() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in()
        await client.open_channel()
        client.send(1, commands.Confirm.Select(), commands.Channel.Flow(active=True))
        await client.expect(commands.Confirm.SelectOk)
        assert (await client.expect(commands.Channel.FlowOk)).active


async def test_a_message_that_fails_three_times_takes_no_neighbour_with_it() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in()
        await client.open_channel()
        publish(broker, 2)
        await client.consume(QUEUE, prefetch=1)
        for tag in (1, 2, 3):
            await client.expect_delivery()
            client.send(1, commands.Basic.Nack(tag, requeue=True))
        assert await deliveries(client, 1) == [("c", 4, "2")]
        assert broker.deaths.seen == [(DeathReason.DELIVERY_LIMIT, "1")]
