"""Broken rules and their reply codes, where tests/conformance does not compare them with RabbitMQ's."""

import struct

import pytest
from pamqp import commands
from pamqp.base import Frame
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from support.embedded_broker import OTHERS_QUEUE, QUEUE, embedded_broker
from support.raw_amqp import Anything, raw_client


def raw_frame(kind: int, channel: int, payload: bytes, end: bytes = b"\xce") -> bytes:
    return struct.pack(">BHI", kind, channel, len(payload)) + payload + end


def nested_table(depth: int) -> bytes:
    """A basic.consume whose arguments hold arrays in arrays."""
    value = b""
    for _ in range(depth):
        value = b"A" + struct.pack(">I", len(value)) + value
    table = b"\x01a" + value
    return struct.pack(">IH", 0x003C0014, 0) + b"\0\0\0" + struct.pack(">I", len(table)) + table


LATE_TIMESTAMP = b"\x01aT" + b"\xff" * 8
CONSUME = struct.pack(">IH", 0x003C0014, 0) + b"\0\0\0"

HARD_BYTES = {
    "one octet over frame_max": (struct.pack(">BHI", 3, 1, 131_065), 501),
    "a method that would take long to decode": (struct.pack(">BHI", 1, 1, 32_768), 501),
    "heartbeat on a channel": (raw_frame(8, 1, b""), 501),
    "heartbeat with content": (raw_frame(8, 0, b"x"), 501),
    "protocol header again": (b"AMQP\0\0\x09\x01", 501),
    "empty method": (raw_frame(1, 1, b""), 540),
    "unknown method": (raw_frame(1, 1, struct.pack(">I", 0x003C0FFF)), 540),
    "nested table": (raw_frame(1, 1, nested_table(5_000)), 501),
    "timestamp beyond time": (raw_frame(1, 1, CONSUME + struct.pack(">I", 11) + LATE_TIMESTAMP), 501),
    "field of no type": (raw_frame(1, 1, CONSUME + struct.pack(">I", 3) + b"\x01a?"), 501),
    "content header cut short": (raw_frame(2, 1, b"\0\x3c"), 501),
}


@pytest.mark.parametrize(("said", "code"), HARD_BYTES.values(), ids=HARD_BYTES)
async def test_bytes_that_are_no_frame_cost_the_connection(said: bytes, code: int) -> None:
    async with embedded_broker() as broker:
        async with raw_client(broker.server.port) as client:
            await client.log_in()
            await client.open_channel()
            client.send_bytes(said)
            await client.expect_closed(code)
        async with raw_client(broker.server.port) as neighbour:
            await neighbour.log_in()


HARD_FRAMES: dict[str, tuple[int, Anything, int]] = {
    "the server's own method": (1, commands.Basic.Deliver("c", 1, False, "", ""), 503),
    "content on a channel not open": (2, ContentBody(b"x"), 504),
    "a channel over the limit": (101, commands.Channel.Open(), 504),
    "a transaction": (1, commands.Tx.Select(), 540),
}


@pytest.mark.parametrize(("channel", "said", "code"), HARD_FRAMES.values(), ids=HARD_FRAMES)
async def test_a_frame_out_of_place_costs_the_connection(channel: int, said: Anything, code: int) -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in(channel_max=100)
        await client.open_channel()
        client.send(channel, said)
        await client.expect_closed(code)


SOFT: dict[str, tuple[Frame, int]] = {
    "a look at another's queue": (commands.Queue.Declare(queue=OTHERS_QUEUE, passive=True), 403),
    "a queue in exclusive use": (commands.Basic.Consume(queue=QUEUE, consumer_tag="d"), 403),
    "purge": (commands.Queue.Purge(queue=QUEUE), 403),
}


@pytest.mark.parametrize(("said", "code"), SOFT.values(), ids=SOFT)
async def test_a_refusal_costs_the_channel_only(said: Frame, code: int) -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in()
        await client.open_channel()
        await client.open_channel(2)
        await client.consume(QUEUE, channel=2, exclusive=True)
        client.send(1, said)
        close = await client.expect(commands.Channel.Close, channel=1)
        assert (close.reply_code, close.class_id, close.method_id) == (code, said.index >> 16, said.index & 0xFFFF)
        client.send(1, commands.Channel.CloseOk())
        await client.open_channel(1)
        broker.publish("one")
        await client.expect_delivery()


async def test_what_follows_on_a_refused_channel_is_skipped_until_the_client_agrees() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in()
        await client.open_channel()
        client.send(
            1,
            commands.Basic.Publish(routing_key=QUEUE),
            ContentHeader(body_size=3),
            ContentBody(b"abc"),
            commands.Basic.Publish(routing_key=QUEUE),
            commands.Channel.Close(200, "", 0, 0),
        )
        await client.expect(commands.Channel.Close, channel=1)
        await client.expect(commands.Channel.CloseOk, channel=1)
        client.send(1, commands.Channel.CloseOk(), commands.Channel.CloseOk())
        await client.open_channel(1)
        assert broker.queues.depth(QUEUE) == 0


async def test_a_long_name_in_a_refusal_fits_its_short_string() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in()
        await client.open_channel()
        client.send(1, commands.Basic.Consume(queue="q" * 255))
        close = await client.expect(commands.Channel.Close)
        assert len(close.reply_text) == 255


async def test_a_client_that_never_agrees_to_the_close_is_cut_off() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in()
        client.send(0, commands.Channel.Open())
        await client.expect(commands.Connection.Close)
        await client.expect_end()
