"""Real services that are ended and started again, each on its own data and port: PostgreSQL and RabbitMQ."""

import asyncio
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar
from urllib.parse import urlsplit

from fiksmelding.simulator import Keys
from support import postgresql, rabbitmq

__all__ = ["RestartingPostgresql", "RestartingRabbitmq", "to_the_end"]

Result = TypeVar("Result")


async def to_the_end(work: Callable[..., Result], *given: object) -> Result:
    """Run `work` in a thread. A cancellation is heard once it is done: a server half started would be left behind."""
    working = asyncio.ensure_future(asyncio.to_thread(work, *given))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise


class RestartingPostgresql:
    """A server of our own.

    Args:
        folder: Where its data is.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running = ExitStack()
        self._server: postgresql.Server | None = None

    async def __aenter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        await to_the_end(self._start, None)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await to_the_end(self._running.close)

    @property
    def port(self) -> int:
        """Its port on 127.0.0.1, the same after each start."""
        port = urlsplit(self._opened.url).port
        if port is None:
            raise LookupError("the server has no port")
        return port

    def url(self, port: int) -> str:
        """How its database is reached through another port."""
        return f"postgresql://{postgresql.USER}@127.0.0.1:{port}/postgres"

    async def restart(self, away_seconds: float) -> None:
        """End it at once, as a power failure of its own does, and start it again after a while."""
        await to_the_end(self._opened.crash)
        await asyncio.sleep(away_seconds)
        port = self.port
        await to_the_end(self._running.close)
        await to_the_end(self._start, port)

    @property
    def _opened(self) -> postgresql.Server:
        if self._server is None:
            raise LookupError("the server was not started")
        return self._server

    def _start(self, port: int | None) -> None:
        self._server = self._running.enter_context(postgresql.started(self._folder, port))


class RestartingRabbitmq:
    """A node of our own, for a simulator to run on.

    Args:
        keys: What its certificate is made with, and the simulator's.
        folder: Where its configuration and data are.
    """

    def __init__(self, keys: Keys, folder: Path) -> None:
        self._keys = keys
        self._folder = folder
        self._running = ExitStack()
        self._node: rabbitmq.Node | None = None

    async def __aenter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        made = rabbitmq.rabbitmq(self._keys, self._folder)
        self._node = await to_the_end(self._running.enter_context, made)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await to_the_end(self._running.close)

    @property
    def simulator(self) -> rabbitmq.OnRabbit:
        """What a `Simulator` is given to run on it."""
        if self._node is None:
            raise LookupError("the node was not started")
        return self._node.simulator

    async def restart(self, away_seconds: float) -> None:
        """Ask it to stop, and start it again after a while."""
        await to_the_end(self._program.stop)
        await asyncio.sleep(away_seconds)
        await to_the_end(self._program.start)

    async def kill(self, away_seconds: float) -> None:
        """End it as a power cut does, and start it again after a while."""
        await to_the_end(self._program.kill)
        await asyncio.sleep(away_seconds)
        await to_the_end(self._program.start)

    @property
    def _program(self) -> rabbitmq.Program:
        if self._node is None or self._node.program is None:
            raise LookupError("only a node of our own can be ended")
        return self._node.program
