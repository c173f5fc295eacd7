"""Logging in, and being refused."""

import pytest
from pamqp import commands, encode
from pamqp.header import ProtocolHeader

from support.embedded_broker import PASSWORD, QUEUE, USER, embedded_broker
from support.raw_amqp import RawClient, raw_client

REFUSED = "\0user\0wrong"


async def test_the_server_says_what_it_can() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        start = await client.start()
        assert (start.version_major, start.version_minor) == (0, 9)
        assert start.mechanisms.split() == ["PLAIN", "AMQPLAIN"]
        capabilities = start.server_properties["capabilities"]
        assert isinstance(capabilities, dict)
        assert {"publisher_confirms", "basic.nack", "consumer_cancel_notify"} <= capabilities.keys()


@pytest.mark.parametrize(
    "greeting", [b"AMQP\x01\x01\x00\x0a", b"AMQP\x00\x00\x09\x00", b"GET / HTTP/1.1\r\n\r\n", b"\0" * 8]
)
async def test_another_protocol_is_told_what_is_spoken_here(greeting: bytes) -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        client.send_bytes(greeting[:8])
        assert await client.expect_end() == ProtocolHeader().marshal() == b"AMQP\0\0\x09\x01"


async def test_amqplain_is_spoken_too() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        table = encode.field_table({"LOGIN": USER, "PASSWORD": PASSWORD})[4:]
        await client.start(mechanism="AMQPLAIN", response=table.decode("utf-8"))
        await client.expect(commands.Connection.Tune)


async def test_a_wrong_password_is_told_to_a_client_that_can_be_told() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.start(response=REFUSED)
        close = await client.expect_closed(403)
        assert close.reply_text == "ACCESS_REFUSED - The token is not valid."


async def test_a_wrong_password_ends_the_connection_of_any_other_client() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.start(response=REFUSED, capabilities={})
        assert await client.expect_end() == b""


@pytest.mark.parametrize(
    ("mechanism", "response", "code"),
    [
        ("EXTERNAL", "", 503),
        ("PLAIN", "no nuls", 502),
        ("PLAIN", "\0a\0b\0c", 502),
        ("AMQPLAIN", "garbage", 502),
        ("AMQPLAIN", "", 502),
        ("AMQPLAIN", "\x05LOGIN", 502),
    ],
)
async def test_a_login_that_cannot_be_read_is_refused(mechanism: str, response: str, code: int) -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.start(mechanism=mechanism, response=response)
        await client.expect_closed(code)


@pytest.mark.parametrize(
    ("channel_max", "frame_max"), [(2047, 4095), (2047, 131_073), (2047, 0), (0, 131_072), (2048, 131_072)]
)
async def test_a_client_may_lower_the_limits_but_not_raise_them(channel_max: int, frame_max: int) -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.start()
        await client.expect(commands.Connection.Tune)
        client.send(0, commands.Connection.TuneOk(channel_max, frame_max, 0))
        await client.expect_closed(530)


async def test_there_is_one_virtual_host() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.start()
        await client.expect(commands.Connection.Tune)
        client.send(0, commands.Connection.TuneOk(10, 4096, 0), commands.Connection.Open("another"))
        await client.expect_closed(530)


async def test_the_steps_come_in_their_order() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.start()
        await client.expect(commands.Connection.Tune)
        client.send(0, commands.Connection.Open())
        await client.expect_closed(503)


async def test_a_client_may_give_up_half_way() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.start()
        await client.expect(commands.Connection.Tune)
        client.send(0, commands.Connection.Close(200, "", 0, 0))
        await client.expect(commands.Connection.CloseOk)
        await client.expect_end()


@pytest.mark.parametrize("said", [b"", b"AMQP\0\0", b"AMQP\0\0\x09\x01"])
async def test_a_client_that_does_not_go_on_is_dropped(said: bytes) -> None:
    async with embedded_broker(handshake_seconds=0.05) as broker, raw_client(broker.server.port) as client:
        client.send_bytes(said)
        await client.expect_end()


async def test_a_large_frame_before_login_is_refused() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.start(response="\0user\0" + "p" * 5000)
        await client.expect_closed(501)


async def test_a_new_token_is_checked_like_the_first() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in()
        client.send(0, commands.Connection.UpdateSecret(PASSWORD, "renewed"))
        await client.expect(commands.Connection.UpdateSecretOk)
        client.send(0, commands.Connection.UpdateSecret("expired", "renewed"))
        await client.expect_closed(530)


async def test_the_agreed_frame_size_is_kept_both_ways() -> None:
    async with embedded_broker() as broker, raw_client(broker.server.port) as client:
        await client.log_in(frame_max=4096)
        await client.open_channel()
        broker.publish("one", body=bytes(range(256)) * 50)
        await client.consume(QUEUE)
        await client.expect(commands.Basic.Deliver)
        await expect_pieces(client, [4088, 4088, 4088, 536])
        client.send(1, commands.Basic.Ack(1))
        client.send_bytes(b"\x01\x00\x01" + (4089).to_bytes(4, "big"))
        await client.expect_closed(501)


async def expect_pieces(client: RawClient, sizes: list[int]) -> None:
    _, header = await client.receive()
    assert header.body_size == sum(sizes)  # type: ignore[attr-defined]  # Only a content header has one.
    assert [len((await client.receive())[1].value) for _ in sizes] == sizes  # type: ignore[attr-defined]
