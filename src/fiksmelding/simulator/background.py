"""Tasks that run beside the rest, and are heard when they fail."""

import asyncio
import heapq
import itertools
import logging
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Self

from fiksmelding.simulator.clock import SimulatorClock

__all__ = ["Agenda", "Background"]

log = logging.getLogger(__name__)


class Background:
    """Runs tasks while the `async with` lasts. The first failure is kept, and raised when it ends.

    Not a task group: that must end in the task it began in, which fixtures of test frameworks do not promise.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._failure: BaseException | None = None
        self._failed = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: object, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._failure is not None and kind is None:
            raise self._failure

    def start(self, work: Coroutine[object, object, None], *, name: str) -> None:
        """Run `work` beside the rest."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def failed(self) -> None:
        """Wait until a task fails, and raise its failure. Does not return otherwise."""
        await self._failed.wait()
        if self._failure is not None:
            raise self._failure

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        failure = None if task.cancelled() else task.exception()
        if failure is not None:
            log.critical("the task %s ended by %s", task.get_name(), type(failure).__name__)
            self._failure = self._failure or failure
            self._failed.set()


class Agenda:
    """What is to happen at which moment of the simulator's time.

    Args:
        clock: The simulator's time.
    """

    def __init__(self, clock: SimulatorClock) -> None:
        self._clock = clock
        self._entries: list[tuple[datetime, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._changed = asyncio.Event()

    def at(self, moment: datetime, action: Callable[[], None]) -> None:
        """Call `action` at `moment` (aware), or as soon after as `run` comes to it."""
        heapq.heappush(self._entries, (moment, next(self._count), action))
        self._changed.set()

    def do_due(self) -> None:
        """Do all that is due now, in order."""
        while self._entries and self._entries[0][0] <= self._clock.now():
            heapq.heappop(self._entries)[2]()

    async def run(self) -> None:
        """Do what is due when it is, until cancelled."""
        while True:
            self._changed.clear()
            self.do_due()
            await self._wait()

    async def _wait(self) -> None:
        waits = [asyncio.ensure_future(self._changed.wait())]
        if self._entries:
            waits.append(asyncio.ensure_future(self._clock.wait_until(self._entries[0][0])))  # type: ignore[arg-type]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            # Not each awaited with its cancellation suppressed: that would swallow ours when it comes just then.
            await asyncio.gather(*waits, return_exceptions=True)
