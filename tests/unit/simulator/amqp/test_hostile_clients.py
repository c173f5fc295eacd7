"""Whatever bytes a client sends, the server and its neighbours go on (hypothesis draws the bytes)."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pamqp import commands, frame
from pamqp.body import ContentBody
from pamqp.header import ContentHeader, ProtocolHeader
from pamqp.heartbeat import Heartbeat

from support.embedded_broker import PASSWORD, QUEUE, USER, embedded_broker, until
from support.raw_amqp import RawClient, raw_client

LOGIN = ProtocolHeader().marshal() + b"".join(
    frame.marshal(one, 0)
    for one in (
        commands.Connection.StartOk({}, "PLAIN", f"\0{USER}\0{PASSWORD}", "en_US"),
        commands.Connection.TuneOk(2047, 131_072, 0),
        commands.Connection.Open(),
    )
)

METHODS = (
    commands.Channel.Open(),
    commands.Channel.Close(200, "", 0, 0),
    commands.Channel.CloseOk(),
    commands.Basic.Qos(prefetch_count=1),
    commands.Basic.Qos(prefetch_count=2, global_=True),
    commands.Basic.Consume(queue=QUEUE, consumer_tag="a"),
    commands.Basic.Consume(queue=QUEUE),
    commands.Basic.Consume(queue=QUEUE, exclusive=True),
    commands.Basic.Cancel("a"),
    commands.Basic.Get(queue=QUEUE),
    commands.Basic.Ack(1),
    commands.Basic.Ack(0, multiple=True),
    commands.Basic.Nack(1),
    commands.Basic.Nack(2, multiple=True),
    commands.Basic.Reject(1),
    commands.Basic.Recover(requeue=True),
    commands.Queue.Declare(queue=QUEUE, passive=True),
    commands.Basic.Publish(routing_key=QUEUE),
    ContentHeader(body_size=1),
    ContentBody(b"x"),
    Heartbeat(),
    commands.Connection.Close(200, "", 0, 0),
)

BROKEN = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


async def say_and_leave(said: bytes) -> None:
    """Say something, hang up, and look whether the broker lost or doubled a message over it."""
    async with embedded_broker() as broker:
        for number in range(3):
            broker.publish(str(number))
        async with raw_client(broker.server.port) as client:
            client.send_bytes(said)
            await hang_up(client)
        await until(lambda: not broker.queues.consumers(QUEUE) and not broker.queues.held(QUEUE))
        async with raw_client(broker.server.port) as neighbour:
            await neighbour.log_in()
            await neighbour.open_channel()
        left = []
        while lease := broker.queues.take(QUEUE):
            left.append(lease.message.headers["melding-id"])
        dead = [name for _, name in broker.deaths.seen]
        assert len(set(left + dead)) == len(left + dead)
        assert left == sorted(left)


async def hang_up(client: RawClient) -> None:
    client.writer.write_eof()
    await client.expect_end()


@BROKEN
@given(said=st.binary(max_size=200))
async def test_noise_before_login(said: bytes) -> None:
    await say_and_leave(said)


@BROKEN
@given(said=st.binary(max_size=200))
async def test_noise_after_login(said: bytes) -> None:
    await say_and_leave(LOGIN + said)


@BROKEN
@given(cut=st.integers(0, len(LOGIN)), flipped=st.integers(0, len(LOGIN) - 1), mask=st.integers(1, 255))
async def test_a_login_with_a_broken_byte_or_end(cut: int, flipped: int, mask: int) -> None:
    await say_and_leave(LOGIN[:cut])
    altered = bytearray(LOGIN)
    altered[flipped] ^= mask
    await say_and_leave(bytes(altered))


@BROKEN
@given(
    said=st.lists(st.tuples(st.integers(0, 3), st.sampled_from(METHODS)), min_size=8, max_size=30),
    opens=st.integers(0, 2),
)
async def test_any_frames_in_any_order(said: list[tuple[int, frame.FrameTypes]], opens: int) -> None:
    first = b"".join(frame.marshal(commands.Channel.Open(), number + 1) for number in range(opens))
    await say_and_leave(LOGIN + first + b"".join(frame.marshal(one, channel) for channel, one in said))


@BROKEN
@given(method=st.sampled_from(METHODS), noise=st.binary(max_size=64))
async def test_a_known_method_with_noise_for_fields(method: frame.FrameTypes, noise: bytes) -> None:
    said = bytearray(frame.marshal(method, 1))[:11] + noise + b"\xce"
    said[3:7] = (len(said) - 8).to_bytes(4, "big")
    await say_and_leave(LOGIN + frame.marshal(commands.Channel.Open(), 1) + bytes(said))
