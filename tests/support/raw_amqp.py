"""A client that says exactly what a test tells it to, also what no real client would."""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self, TypeVar

from pamqp import commands, frame
from pamqp.base import Frame
from pamqp.body import ContentBody
from pamqp.common import FieldTable
from pamqp.header import ContentHeader, ProtocolHeader
from pamqp.heartbeat import Heartbeat

from support.embedded_broker import PASSWORD, USER

F = TypeVar("F")
Anything = Frame | ContentHeader | ContentBody | Heartbeat

SECONDS = 10
ASIDE = 2046
"""A channel that no test uses otherwise."""
CAPABLE: FieldTable = {
    "authentication_failure_close": True,
    "connection.blocked": True,
    "consumer_cancel_notify": True,
}


class RawClient:
    """One connection, frame by frame."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, login: tuple[str, str] = (USER, PASSWORD)
    ) -> None:
        self.reader = reader
        self.writer = writer
        self._login = login

    def send_bytes(self, data: bytes) -> None:
        self.writer.write(data)

    def send(self, channel: int, *frames: Anything) -> None:
        for one in frames:
            self.writer.write(frame.marshal(one, channel))

    async def receive(self) -> tuple[int, object]:
        async with asyncio.timeout(SECONDS):
            start = await self.reader.readexactly(7)
            _, channel, size = struct.unpack(">BHI", start)
            data = start + await self.reader.readexactly(size + 1)
        return channel, frame.unmarshal(data)[2]

    async def expect(self, kind: type[F], *, channel: int | None = None) -> F:
        """The next frame that is no heartbeat, which must be of this kind."""
        number, received = await self.receive()
        while isinstance(received, Heartbeat) and kind is not Heartbeat:
            number, received = await self.receive()
        assert isinstance(received, kind), _shown(received)
        assert channel in (None, number)
        return received

    async def expect_delivery(self) -> tuple[commands.Basic.Deliver, ContentHeader, bytes]:
        deliver = await self.expect(commands.Basic.Deliver)
        header, content = await self.content()
        return deliver, header, content

    async def content(self) -> tuple[ContentHeader, bytes]:
        header = await self.expect(ContentHeader)
        content = b""
        while len(content) < header.body_size:
            content += (await self.expect(ContentBody)).value
        return header, content

    async def expect_end(self) -> bytes:
        """Whatever still comes until the server closes."""
        async with asyncio.timeout(SECONDS):
            try:
                return await self.reader.read()
            except ConnectionError:
                return b""

    async def expect_closed(self, code: int) -> commands.Connection.Close:
        """The server closes the connection with this code, and ends it when told that is fine."""
        close = await self.expect(commands.Connection.Close, channel=0)
        assert close.reply_code == code, close.reply_text
        self.send(0, commands.Connection.CloseOk())
        await self.expect_end()
        return close

    async def log_in(
        self,
        *,
        frame_max: int = 131_072,
        channel_max: int = 2047,
        heartbeat: int = 0,
        capabilities: FieldTable | None = None,
    ) -> Self:
        await self.start(capabilities=capabilities)
        await self.expect(commands.Connection.Tune, channel=0)
        self.send(0, commands.Connection.TuneOk(channel_max, frame_max, heartbeat), commands.Connection.Open())
        await self.expect(commands.Connection.OpenOk, channel=0)
        return self

    async def start(
        self, *, mechanism: str = "PLAIN", response: str | None = None, capabilities: FieldTable | None = None
    ) -> commands.Connection.Start:
        """Protocol header, and the answer to start."""
        self.send_bytes(ProtocolHeader().marshal())
        start = await self.expect(commands.Connection.Start, channel=0)
        table: FieldTable = {"capabilities": CAPABLE if capabilities is None else capabilities}
        login = "\0" + "\0".join(self._login) if response is None else response
        self.send(0, commands.Connection.StartOk(table, mechanism, login, "en_US"))
        return start

    async def open_channel(self, number: int = 1) -> Self:
        self.send(number, commands.Channel.Open())
        await self.expect(commands.Channel.OpenOk, channel=number)
        return self

    async def consume(
        self,
        queue: str,
        *,
        channel: int = 1,
        tag: str = "c",
        prefetch: int | None = None,
        no_ack: bool = False,
        exclusive: bool = False,
    ) -> Self:
        if prefetch is not None:
            self.send(channel, commands.Basic.Qos(prefetch_count=prefetch))
            await self.expect(commands.Basic.QosOk, channel=channel)
        self.send(channel, commands.Basic.Consume(queue=queue, consumer_tag=tag, no_ack=no_ack, exclusive=exclusive))
        await self.expect(commands.Basic.ConsumeOk, channel=channel)
        return self

    async def settle(self) -> None:
        """Return when the server has handled everything sent before."""
        for question in (commands.Channel.Open(), commands.Channel.Close(200, "", 0, 0)):
            self.send(ASIDE, question)
            while (await self.receive())[0] != ASIDE:
                pass


def _shown(received: object) -> str:
    return f"{received!r} {dict(received) if isinstance(received, Frame) else ''}"


@asynccontextmanager
async def raw_client(
    port: int, tls: ssl.SSLContext | None = None, *, login: tuple[str, str] = (USER, PASSWORD)
) -> AsyncIterator[RawClient]:
    """A connection to 127.0.0.1, cut off at the end without a word."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    try:
        yield RawClient(reader, writer, login)
    finally:
        writer.transport.abort()
