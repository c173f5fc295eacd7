"""Reply codes and limits, frame by frame: what the embedded broker answers is what RabbitMQ answers."""

import struct
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

import pytest
from pamqp import commands
from pamqp.base import Frame
from pamqp.body import ContentBody
from pamqp.header import ContentHeader, ProtocolHeader
from pamqp.heartbeat import Heartbeat

from support.broker_platforms import Address, Platform
from support.rabbitmq import on_either_broker
from support.raw_amqp import Anything, RawClient, raw_client

pytestmark = on_either_broker


def connection_to(address: Address) -> AbstractAsyncContextManager[RawClient]:
    return raw_client(address.port, address.tls, login=(address.user, address.password))


@pytest.fixture
async def client(platform: Platform) -> AsyncIterator[RawClient]:
    async with connection_to(platform.address) as client:
        yield client


@pytest.fixture
async def channel(client: RawClient) -> RawClient:
    await client.log_in(channel_max=100)
    return await client.open_channel()


def raw_frame(kind: int, channel: int, payload: bytes, end: bytes = b"\xce") -> bytes:
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + end


CONSUME = struct.pack(">IH", 0x003C0014, 0) + b"\0\0\0"

NO_FRAMES = {
    "unknown frame type": (raw_frame(9, 0, b"x"), 501),
    "no end octet": (raw_frame(1, 1, struct.pack(">I", 0x003C0014), b"\0"), 501),
    "over frame_max": (struct.pack(">BHI", 1, 1, 131_073), 501),
    "size of 4 GB": (struct.pack(">BHI", 3, 1, 0xFFFFFFFF), 501),
    "method cut short": (raw_frame(1, 1, struct.pack(">I", 0x003C0014)), 501),
    "table cut short": (raw_frame(1, 1, CONSUME + struct.pack(">I", 500)), 501),
}


@pytest.mark.parametrize(("said", "code"), NO_FRAMES.values(), ids=NO_FRAMES)
async def test_bytes_that_are_no_frame_cost_the_connection(channel: RawClient, said: bytes, code: int) -> None:
    channel.send_bytes(said)
    await channel.expect_closed(code)


OUT_OF_PLACE: dict[str, tuple[int, Callable[[Address], Anything], int]] = {
    "content on channel 0": (0, lambda _: ContentBody(b"x"), 505),
    "content without a method": (1, lambda _: ContentHeader(), 505),
    "body without a method": (1, lambda _: ContentBody(b"x"), 505),
    "channel method on channel 0": (0, lambda _: commands.Channel.Open(), 504),
    "start-ok again": (0, lambda _: commands.Connection.StartOk({}, "PLAIN", "", "en_US"), 504),
    "connection method on a channel": (1, lambda _: commands.Connection.Close(200, "", 0, 0), 503),
    "the server's answer": (1, lambda _: commands.Basic.ConsumeOk("c"), 503),
    "a channel not open": (2, lambda _: commands.Basic.Qos(), 504),
    "a channel open twice": (1, lambda _: commands.Channel.Open(), 504),
    "a prefetch in bytes": (1, lambda _: commands.Basic.Qos(prefetch_size=1), 540),
    "recover without requeue": (1, lambda _: commands.Basic.Recover(requeue=False), 540),
    "flow off": (1, lambda _: commands.Channel.Flow(active=False), 540),
    "a consumer tag again": (1, lambda to: commands.Basic.Consume(queue=to.queue, consumer_tag="c"), 530),
}


@pytest.mark.parametrize(("number", "said", "code"), OUT_OF_PLACE.values(), ids=OUT_OF_PLACE)
async def test_a_frame_out_of_place_costs_the_connection(
    platform: Platform, channel: RawClient, number: int, said: Callable[[Address], Anything], code: int
) -> None:
    await channel.consume(platform.address.queue, tag="c")
    channel.send(number, said(platform.address))
    await channel.expect_closed(code)


REFUSED: dict[str, tuple[Callable[[Address], Frame], int]] = {
    "another's queue": (lambda to: commands.Basic.Consume(queue=to.others_queue), 403),
    "get from another's queue": (lambda to: commands.Basic.Get(queue=to.others_queue), 403),
    "a queue that is not there": (lambda to: commands.Basic.Consume(queue=to.missing_queue), 404),
    "a look at a queue that is not there": (
        lambda to: commands.Queue.Declare(queue=to.missing_queue, passive=True),
        404,
    ),
    "no queue named": (lambda _: commands.Basic.Consume(queue=""), 404),
    "declare": (lambda _: commands.Queue.Declare(queue="mine"), 403),
    "delete": (lambda to: commands.Queue.Delete(queue=to.queue), 403),
    "bind": (lambda to: commands.Queue.Bind(queue=to.queue, exchange="amq.direct", routing_key=""), 403),
    "exchange": (lambda _: commands.Exchange.Declare(exchange="e"), 403),
    "ack of nothing": (lambda _: commands.Basic.Ack(1), 406),
    "ack of zero": (lambda _: commands.Basic.Ack(0), 406),
    "ack up to a tag never given": (lambda _: commands.Basic.Ack(7, multiple=True), 406),
    "nack of nothing": (lambda _: commands.Basic.Nack(1), 406),
    "reject of nothing": (lambda _: commands.Basic.Reject(1), 406),
}


@pytest.mark.parametrize(("said", "code"), REFUSED.values(), ids=REFUSED)
async def test_a_refusal_costs_the_channel_only(
    platform: Platform, channel: RawClient, said: Callable[[Address], Frame], code: int
) -> None:
    method = said(platform.address)
    await channel.open_channel(2)
    await channel.consume(platform.address.queue, channel=2)
    channel.send(1, method)
    close = await channel.expect(commands.Channel.Close, channel=1)
    assert (close.reply_code, close.class_id, close.method_id) == (code, method.index >> 16, method.index & 0xFFFF)
    channel.send(1, commands.Channel.CloseOk())
    await channel.open_channel(1)
    await platform.publish("1")
    await channel.expect_delivery()


async def test_a_publication_is_refused_and_its_content_skipped(platform: Platform, channel: RawClient) -> None:
    publish = commands.Basic.Publish(routing_key=platform.address.queue)
    content = ContentHeader(body_size=3), ContentBody(b"abc")
    channel.send(1, publish, *content, publish, *content)
    close = await channel.expect(commands.Channel.Close, channel=1)
    assert close.reply_code == 403
    channel.send(1, commands.Channel.CloseOk())
    await channel.open_channel(1)
    channel.send(1, commands.Basic.Get(queue=platform.address.queue))
    await channel.expect(commands.Basic.GetEmpty)


@pytest.mark.parametrize("greeting", [b"AMQP\x01\x01\x00\x0a", b"GET / HT"])
async def test_another_protocol_is_told_what_is_spoken_here(client: RawClient, greeting: bytes) -> None:
    client.send_bytes(greeting)
    assert (await client.expect_end())[:8] == ProtocolHeader().marshal()


async def test_a_wrong_password_is_told_to_a_client_that_can_be_told(client: RawClient) -> None:
    await client.start(response="\0user\0wrong")
    await client.expect_closed(403)


async def test_a_wrong_password_ends_the_connection_of_any_other_client(client: RawClient) -> None:
    await client.start(response="\0user\0wrong", capabilities={})
    assert await client.expect_end() == b""


async def test_a_virtual_host_that_is_not_there_is_refused(client: RawClient) -> None:
    await client.start()
    await client.expect(commands.Connection.Tune)
    client.send(0, commands.Connection.TuneOk(10, 4096, 0), commands.Connection.Open("another"))
    await client.expect_closed(530)


async def test_the_agreed_frame_size_splits_a_body(platform: Platform, client: RawClient) -> None:
    await client.log_in(frame_max=4096)
    await client.open_channel()
    await platform.publish("1", bytes(range(256)) * 50)
    await client.consume(platform.address.queue)
    await client.expect(commands.Basic.Deliver)
    await client.expect(ContentHeader)
    pieces = [(await client.expect(ContentBody)).value for _ in range(4)]
    assert [len(piece) for piece in pieces] == [4088, 4088, 4088, 536]
    assert b"".join(pieces) == bytes(range(256)) * 50


async def test_a_silent_client_is_let_go_and_its_message_comes_again(platform: Platform, client: RawClient) -> None:
    await client.log_in(heartbeat=1)
    await client.open_channel()
    await client.consume(platform.address.queue)
    await platform.publish("1")
    await client.expect_delivery()
    await client.expect(Heartbeat, channel=0)
    await client.expect_end()
    async with connection_to(platform.address) as other:
        await other.log_in()
        await other.open_channel()
        await other.consume(platform.address.queue)
        deliver, _, _ = await other.expect_delivery()
        assert deliver.redelivered


async def test_a_multiple_nack_brings_all_again(platform: Platform, channel: RawClient) -> None:
    for name in ("1", "2", "3"):
        await platform.publish(name)
    await channel.consume(platform.address.queue)
    for _ in range(3):
        await channel.expect_delivery()
    channel.send(1, commands.Basic.Nack(3, multiple=True, requeue=True))
    again = [await channel.expect_delivery() for _ in range(3)]
    assert [(deliver.delivery_tag, deliver.redelivered) for deliver, _, _ in again] == [(4, True), (5, True), (6, True)]
    assert [names["melding-id"] for _, header, _ in again if (names := header.properties.headers)] == ["1", "2", "3"]


async def test_no_ack_counts_as_acknowledged(platform: Platform, channel: RawClient) -> None:
    await platform.publish("1")
    await channel.consume(platform.address.queue, no_ack=True)
    deliver, _, _ = await channel.expect_delivery()
    channel.send(1, commands.Basic.Ack(deliver.delivery_tag or 0))
    assert (await channel.expect(commands.Channel.Close)).reply_code == 406
