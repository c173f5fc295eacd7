"""SQLite's one writer: transactions that wait at the same time are committed together, with one sync of the disk.

Each is a savepoint, so that one that fails takes back its own changes only, and nobody hears of success before the
common commit is on disk.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from fiksmelding.journal.database import Result, Work, faults

LARGEST_GROUP: Final = 64
"""How many transactions share a commit at most: the first has to wait for the last."""


class _Waiting(Protocol):
    """A transaction that waits, whatever its result is."""

    @property
    def wanted(self) -> bool: ...

    async def run(self, connection: AsyncConnection) -> None: ...

    def succeed(self) -> None: ...

    def fail(self, error: Exception) -> None: ...


@dataclass(eq=False)
class _Job(Generic[Result]):
    """A transaction that waits, and what came of it."""

    work: Work[Result]
    answer: asyncio.Future[Result]
    done: list[Result] = field(default_factory=list)

    @property
    def wanted(self) -> bool:
        """Whether somebody still waits, and has not been answered."""
        return not self.answer.done()

    async def run(self, connection: AsyncConnection) -> None:
        """Do the work; its result is answered after the commit."""
        savepoint = await connection.begin_nested()
        try:
            self.done.append(await self.work(connection))
        except Exception as error:  # noqa: BLE001 - whatever went wrong is its caller's to hear
            try:
                await savepoint.rollback()
            except Exception as gone:
                raise error from gone
            self.fail(error)
        else:
            await savepoint.commit()

    def succeed(self) -> None:
        if self.wanted:
            self.answer.set_result(self.done[0])

    def fail(self, error: Exception) -> None:
        if self.wanted:
            self.answer.set_exception(error)


class Writer:
    """Runs transactions one after the other.

    Args:
        engine: Where they go.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    async def write(self, work: Work[Result]) -> Result:
        """Run `work` and return once it is on disk.

        Whoever is cancelled while waiting gives up the answer only: work that has begun goes on, for it shares its
        transaction with others.

        Raises:
            JournalUnavailable: It could not be written.
        """
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Job(work, answer))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="journal writer")
        async with faults():
            return await answer

    async def finish(self) -> None:
        """Wait until what was asked for is written."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while self._waiting:
            group: list[_Waiting] = []
            try:
                async with self._engine.begin() as connection:
                    await self._take_turns(connection, group)
            except Exception as error:  # noqa: BLE001 - nothing of the group is on disk, and each has to hear so
                for job in group or self._next():
                    job.fail(error)
            else:
                for job in group:
                    job.succeed()

    async def _take_turns(self, connection: AsyncConnection, group: list[_Waiting]) -> None:
        while self._waiting and len(group) < LARGEST_GROUP:
            for job in self._next():
                group.append(job)
                await job.run(connection)

    def _next(self) -> list[_Waiting]:
        """The next that is still wanted, if any is."""
        while self._waiting:
            job = self._waiting.popleft()
            if job.wanted:
                return [job]
        return []
