"""A TCP proxy that does to connections what networks do, at the moment it is told to.

```python
async with TcpProxy("127.0.0.1", 5671) as proxy:
    ...  # the client connects to proxy.port
    proxy.cut()
```

A command takes effect before it returns, and nothing happens without one. What TLS or AMQP make of it is their own
affair: the proxy knows bytes only.
"""

import asyncio
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Self

PIECE_BYTES = 65_536
# Closing with these options, a socket sends RST instead of FIN.
ABRUPTLY = struct.pack("HH" if sys.platform == "win32" else "ii", 1, 0)

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Side(StrEnum):
    """Who is at the end of a connection.

    Attributes:
        CLIENT: Whoever connected to the proxy.
        SERVER: Whom the proxy connected to for it.
    """

    CLIENT = "client"
    SERVER = "server"


@dataclass(slots=True)
class _Weather:
    """What all connections of a proxy meet."""

    passable: asyncio.Event = field(default_factory=asyncio.Event)
    refusing: bool = False
    delay_seconds: float = 0.0
    limit_bytes: int | None = None

    def clear_up(self) -> None:
        self.refusing, self.delay_seconds, self.limit_bytes = False, 0.0, None
        self.passable.set()

    async def wait(self) -> None:
        if self.delay_seconds:
            await asyncio.sleep(self.delay_seconds)
        await self.passable.wait()


class TcpProxy:
    """Stands before a server, on a port of its own on 127.0.0.1.

    Args:
        host: The server's host.
        port: The server's port; the server need not run yet, or all the time.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = host, port
        self._stack = AsyncExitStack()
        self._weather = _Weather()
        self._weather.clear_up()
        self._connections: set[_Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Condition()
        self.port = 0
        self.accepted = 0

    async def __aenter__(self) -> Self:
        server = await asyncio.start_server(self._accept, "127.0.0.1")
        self.port = server.sockets[0].getsockname()[1]
        self._stack.push_async_callback(self._end, server)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def open(self) -> int:
        """How many connections reach the server now."""
        return len(self._connections)

    async def until(self, condition: Callable[[int], bool]) -> None:
        """Return when the number of open connections satisfies `condition`."""
        async with self._changed:
            await self._changed.wait_for(lambda: condition(self.open))

    def pass_on(self) -> None:
        """Let everything pass, at once and without limit; what was held arrives now, but not what was stranded."""
        self._weather.clear_up()

    def delay(self, seconds: float) -> None:
        """Let each piece of up to 64 KiB wait, in both directions, from now on."""
        self._weather.delay_seconds = seconds

    def hold(self) -> None:
        """Swallow everything, as a broken route does: connections stay open and silent, new ones are never answered.

        After `pass_on` the bytes arrive after all, as TCP sends them again.
        """
        self._weather.passable.clear()

    def strand(self) -> None:
        """Swallow everything on the connections that are open, for good: half-open connections. New ones pass."""
        for connection in self._connections:
            connection.stranded = True

    def refuse(self) -> None:
        """Reset each new connection at once; open ones go on."""
        self._weather.refusing = True

    def cut(self, *, politely: bool = False) -> None:
        """End every open connection: with RST, or with FIN to both sides when `politely`. What is under way is lost."""
        for connection in tuple(self._connections):
            connection.cut(politely=politely)

    def cut_after(self, size: int) -> None:
        """Reset each connection once `size` bytes, counted from its beginning, have passed to its client."""
        self._weather.limit_bytes = size

    def half_close(self, told: Side) -> None:
        """Tell one side that the other has finished, and pass nothing more to it; the other direction goes on."""
        for connection in self._connections:
            connection.half_close(told)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.accepted += 1
        # Only the proxy's own end cancels it, and asyncio would report that as a fault.
        with suppress(asyncio.CancelledError):
            await self._serve((reader, writer))
        writer.close()

    async def _serve(self, client: Stream) -> None:
        if self._weather.refusing:
            _reset(client[1])
            return
        await self._weather.passable.wait()
        try:
            server = await asyncio.open_connection(*self._target)
        except OSError:
            _reset(client[1])
            return
        connection = _Connection(self._weather, client, server)
        self._connections.add(connection)
        try:
            await self._tell()
            await connection.run()
        finally:
            self._connections.discard(connection)
            server[1].close()
            await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _end(self, server: asyncio.Server) -> None:
        server.close()
        self.cut()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()


class _Connection:
    """One connection, and its continuation to the server."""

    def __init__(self, weather: _Weather, client: Stream, server: Stream) -> None:
        self._weather = weather
        self._readers = {Side.CLIENT: client[0], Side.SERVER: server[0]}
        self._writers = {Side.CLIENT: client[1], Side.SERVER: server[1]}
        self._told_the_end: set[Side] = set()
        self._passed_to_client = 0
        self._over = asyncio.Event()
        self.stranded = False

    async def run(self) -> None:
        """Pass bytes both ways until both directions have ended, or it is cut."""
        tasks = [asyncio.create_task(self._pump_both_ways()), asyncio.create_task(self._until_over())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def half_close(self, told: Side) -> None:
        self._told_the_end.add(told)
        with suppress(OSError):
            if not self._writers[told].is_closing():
                self._writers[told].write_eof()

    def cut(self, *, politely: bool) -> None:
        for writer in self._writers.values():
            if politely:
                writer.close()
            else:
                _reset(writer)
        self._over.set()

    async def _until_over(self) -> None:
        await self._over.wait()

    async def _pump_both_ways(self) -> None:
        await asyncio.gather(self._pump(Side.CLIENT, Side.SERVER), self._pump(Side.SERVER, Side.CLIENT))

    async def _pump(self, source: Side, target: Side) -> None:
        while True:
            try:
                piece = await self._readers[source].read(PIECE_BYTES)
            except ConnectionError:
                await self._weather.wait()
                self.cut(politely=False)
                return
            await self._weather.wait()
            if self.stranded:
                await self._over.wait()
            if not piece:
                self.half_close(target)
                return
            if target not in self._told_the_end:
                await self._pass(piece, target)

    async def _pass(self, piece: bytes, target: Side) -> None:
        limit = self._weather.limit_bytes if target is Side.CLIENT else None
        if limit is not None:
            piece = piece[: max(0, limit - self._passed_to_client)]
        if target is Side.CLIENT:
            self._passed_to_client += len(piece)
        self._writers[target].write(piece)
        # Whoever has gone away is noticed where its own bytes are read.
        with suppress(ConnectionError):
            await self._writers[target].drain()
        if limit is not None and self._passed_to_client >= limit:
            self.cut(politely=False)


def _reset(writer: asyncio.StreamWriter) -> None:
    if writer.is_closing():
        return
    found: socket.socket = writer.get_extra_info("socket")
    with suppress(OSError):
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABRUPTLY)
    writer.transport.abort()
