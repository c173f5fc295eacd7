"""A broker that does as the test says: refuses, cancels, closes, falls silent, and remembers what it was told."""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from pamqp import base, body, commands, frame, header, heartbeat
from pamqp.common import FieldTable

CAPABILITIES: FieldTable = {"publisher_confirms": True, "basic.nack": True, "consumer_cancel_notify": True}


@dataclass(frozen=True)
class Refusal:
    """An AMQP close: its code and text."""

    code: int
    text: str


class Session:
    """One client's connection, seen from the broker."""

    def __init__(self, broker: "ScriptedBroker", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._broker = broker
        self._reader = reader
        self._writer = writer
        self._tags = 0
        self.methods: list[str] = []
        self.tag = ""
        self.acked: list[int] = []
        self.silent = False
        self.over = asyncio.Event()

    def send(self, channel: int, *frames: base.Frame | header.ContentHeader | body.ContentBody) -> None:
        if not self.silent:
            self._writer.write(b"".join(frame.marshal(one, channel) for one in frames))

    def deliver(
        self,
        content: bytes = b"sealed",
        headers: Mapping[str, object] | None = None,
        *,
        redelivered: bool = False,
        expiration: str | None = None,
    ) -> int:
        """Deliver a message; returns its tag."""
        self._tags += 1
        properties = commands.Basic.Properties(
            headers=dict(headers or {}),  # type: ignore[arg-type]
            expiration=expiration,
        )
        self.send(
            1,
            commands.Basic.Deliver(self.tag, self._tags, redelivered, "", self._broker.queue),
            header.ContentHeader(body_size=len(content), properties=properties),
            *([body.ContentBody(content)] if content else []),
        )
        return self._tags

    def cancel_consumer(self) -> None:
        self.send(1, commands.Basic.Cancel(self.tag, True))

    def close_channel(self, refusal: Refusal) -> None:
        self.send(1, commands.Channel.Close(refusal.code, refusal.text, 0, 0))

    def close_connection(self, refusal: Refusal) -> None:
        self.send(0, commands.Connection.Close(refusal.code, refusal.text, 0, 0))

    def block(self, reason: str) -> None:
        """Say that the broker is short of memory or disk, and takes nothing that is published."""
        self.send(0, commands.Connection.Blocked(reason))

    def raw(self, octets: bytes) -> None:
        """Send these very bytes."""
        self._writer.write(octets)

    def drop(self) -> None:
        """Cut the connection."""
        self._writer.transport.abort()

    async def run(self) -> None:
        if self._broker.greetings:
            self.raw(self._broker.greetings.popleft())
            self._writer.close()
            return
        try:
            if await self._reader.readexactly(8) == b"AMQP\x00\x00\x09\x01":
                self.send(0, commands.Connection.Start(0, 9, {"capabilities": CAPABILITIES}, "PLAIN", "en_US"))
                while True:
                    await self._handle(*await self._read())
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._writer.close()
            self.over.set()
            self._broker.notify()

    async def _read(self) -> tuple[int, frame.FrameTypes]:
        start = await self._reader.readexactly(7)
        _, channel, size = frame.frame_parts(start)
        rest = await self._reader.readexactly((size or 0) + 1)
        return channel or 0, frame.unmarshal(start + rest)[2]

    async def _handle(self, channel: int, got: frame.FrameTypes) -> None:
        if isinstance(got, heartbeat.Heartbeat):
            return
        self.methods.append(got.name)
        if got.name in self._broker.ignored:
            self._broker.notify()
            return
        match got:
            case commands.Connection.StartOk():
                _, user, password = str(got.response).split("\x00")
                self._broker.logins.append((user, password))
                refusal = self._broker.login_refusals.popleft() if self._broker.login_refusals else None
                if refusal:
                    self.close_connection(refusal)
                else:
                    self.send(0, commands.Connection.Tune(2047, 131_072, 60))
            case commands.Connection.Open():
                self.send(0, commands.Connection.OpenOk())
            case commands.Connection.Close():
                self.send(0, commands.Connection.CloseOk())
                raise ConnectionResetError
            case _:
                self._handle_on_channel(channel, got)
        self._broker.notify()

    def _handle_on_channel(self, channel: int, got: frame.FrameTypes) -> None:
        match got:
            case commands.Channel.Open():
                self.send(channel, commands.Channel.OpenOk())
            case commands.Channel.Close():
                self.send(channel, commands.Channel.CloseOk())
            case commands.Basic.Qos():
                self._broker.prefetch = got.prefetch_count
                self.send(channel, commands.Basic.QosOk())
            case commands.Basic.Consume():
                self._consume(channel, got)
            case commands.Basic.Cancel():
                self.tag = ""
                self.send(channel, commands.Basic.CancelOk(got.consumer_tag))
            case commands.Basic.Ack():
                self.acked.append(got.delivery_tag or 0)
            case _:
                pass

    def _consume(self, channel: int, asked: commands.Basic.Consume) -> None:
        refusal = self._broker.consume_refusals.popleft() if self._broker.consume_refusals else None
        if refusal:
            self.close_channel(refusal)
            return
        self.tag = asked.consumer_tag
        self._broker.no_ack = asked.no_ack
        self.send(channel, commands.Basic.ConsumeOk(asked.consumer_tag))
        self._broker.consumers.append(self)


@dataclass
class ScriptedBroker:
    """Listens on a free port of this machine, or on the one given."""

    queue: str = "fiksio.konto.test"
    tls: ssl.SSLContext | None = None
    port: int = 0
    login_refusals: deque[Refusal | None] = field(default_factory=deque)
    consume_refusals: deque[Refusal | None] = field(default_factory=deque)
    greetings: deque[bytes] = field(default_factory=deque)
    logins: list[tuple[str, str]] = field(default_factory=list)
    consumers: list[Session] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    prefetch: int | None = None
    no_ack: bool | None = None
    mute: bool = False
    ignored: set[str] = field(default_factory=set)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """Stop listening and cut every connection."""
        if self._server is not None:
            self._server.close()
        for session in self.sessions:
            session.drop()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def notify(self) -> None:
        self._changed.set()

    async def consumer(self, number: int = 1) -> Session:
        """The connection on which the client consumed for the n-th time."""
        await self.until(lambda: len(self.consumers) >= number)
        return self.consumers[number - 1]

    async def acked(self, session: Session, count: int) -> list[int]:
        """The tags acknowledged on a connection, once there are `count`."""
        await self.until(lambda: len(session.acked) >= count)
        return session.acked

    async def asked_to_log_in(self, count: int) -> None:
        """Wait for the n-th login."""
        await self.until(lambda: len(self.logins) >= count)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for a condition that what a client does can bring about."""
        async with asyncio.timeout(20):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self, reader, writer)
        session.silent = self.mute
        self.sessions.append(session)
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        await session.run()
