"""The embedded broker: an AMQP 0-9-1 server in front of the platform's queues."""

import asyncio
import ssl
from types import TracebackType
from typing import Self

from fiksmelding.simulator.amqp.connection import CLOSE_SECONDS, Connection
from fiksmelding.simulator.amqp.handshake import Authenticate
from fiksmelding.simulator.amqp.replies import HardError, ReplyCode
from fiksmelding.simulator.amqp.stream import FrameStream, StreamProtocol
from fiksmelding.simulator.queues import Queues

__all__ = ["AmqpServer"]


class AmqpServer:
    """Serves queues to any AMQP 0-9-1 client. Consumers only: publishing and declaring are refused.

    It serves from `__aenter__` to `__aexit__`, and keeps the queues' time meanwhile.

    Args:
        queues: What it serves.
        authenticate: Told user name and password of a client; answers what the client may do, or raises
            `AccessDenied`.
        ssl_context: The server's TLS; None for plain TCP.
        host: The address to listen on.
        port: The port; 0 for any free one.
        handshake_seconds: How long a client may take to log in.
    """

    def __init__(
        self,
        queues: Queues,
        *,
        authenticate: Authenticate,
        ssl_context: ssl.SSLContext | None,
        host: str = "127.0.0.1",
        port: int = 0,
        handshake_seconds: float = 10.0,
    ) -> None:
        self._queues = queues
        self._authenticate = authenticate
        self._ssl_context = ssl_context
        self._host = host
        self._port = port
        self._handshake_seconds = handshake_seconds
        self._server: asyncio.Server | None = None
        self._timekeeper: asyncio.Task[None] | None = None
        self._blocked: str | None = None
        self._connections: dict[asyncio.Task[None], Connection] = {}

    @property
    def port(self) -> int:
        """The port it listens on; while it does not, the port it was given."""
        if self._server is None or not self._server.sockets:
            return self._port
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> Self:
        tls = self._ssl_context is not None
        self._server = await asyncio.get_running_loop().create_server(
            self._new_protocol,
            self._host,
            self._port,
            ssl=self._ssl_context,
            ssl_handshake_timeout=self._handshake_seconds if tls else None,
            ssl_shutdown_timeout=CLOSE_SECONDS if tls else None,
        )
        self._timekeeper = asyncio.create_task(self._queues.keep_time())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._server:
            self._server.close()
        if self._timekeeper:
            self._timekeeper.cancel()
        self._stop_consuming()
        for connection in self._connections.values():
            connection.close(HardError(ReplyCode.CONNECTION_FORCED, "broker forced connection closure"))
        if self._connections:
            await asyncio.wait(self._connections, timeout=CLOSE_SECONDS)
        await self.sever()

    async def sever(self) -> None:
        """Cut every connection at once, as a failing network does; clients may connect again.

        All that they held is back in the queues on return.
        """
        self._stop_consuming()
        tasks = list(self._connections)
        for task, connection in list(self._connections.items()):
            connection.release()
            connection.abort()
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def block(self, reason: str) -> None:
        """Tell clients, also those to come, that the broker is short of something and takes no messages."""
        self._blocked = reason
        for connection in self._connections.values():
            connection.block(reason)

    def unblock(self) -> None:
        """Tell clients that the broker has recovered."""
        self._blocked = None
        for connection in self._connections.values():
            connection.unblock()

    def cancel_consumers(self, queue: str) -> None:
        """Cancel every consumer of a queue from the broker's side, as when a queue loses its leader.

        What they hold stays theirs to acknowledge.
        """
        for connection in self._connections.values():
            connection.cancel_consumers(queue)

    def go_silent(self) -> None:
        """Leave every connection half open: nothing is read or sent on it any more, and nobody is told.

        Clients can find out by missing heartbeats only. What they hold is back in the queues when their own heartbeats
        are missed, or by `sever`. New connections work.
        """
        for connection in self._connections.values():
            connection.go_silent()

    def _stop_consuming(self) -> None:
        # Before anything is given back: a message must not lose an attempt to a connection that is to go as well.
        for connection in self._connections.values():
            connection.stop_consuming()

    def _new_protocol(self) -> StreamProtocol:
        protocol = StreamProtocol(lambda reader, writer: self._serve(FrameStream(reader, writer, protocol)))
        return protocol

    def _serve(self, stream: FrameStream) -> None:
        connection = Connection(
            stream,
            queues=self._queues,
            authenticate=self._authenticate,
            handshake_seconds=self._handshake_seconds,
            blocked=self._blocked,
        )
        task = asyncio.create_task(connection.run())
        self._connections[task] = connection
        task.add_done_callback(self._connections.pop)
