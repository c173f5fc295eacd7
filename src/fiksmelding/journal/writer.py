"""SQLite's one writer: transactions that wait at the same time are committed together, with one sync of the disk.

A group runs in the writing thread in one go; to and fro between threads for each statement took most of the time.
When one of them fails, which is rare, nothing of it is committed; it runs again with a savepoint for each, so that one
that fails takes back its own changes only. Nobody hears of success before the common commit is on disk.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, Generic, Protocol

from sqlalchemy import Connection, Engine

from fiksmelding.journal.database import Result, Work, faults

LARGEST_GROUP: Final = 64
"""How many transactions share a commit at most: the first has to wait for the last."""


class _Waiting(Protocol):
    """A transaction that waits, whatever its result is."""

    @property
    def wanted(self) -> bool: ...

    def run(self, connection: Connection) -> None: ...

    def run_apart(self, connection: Connection) -> None: ...

    def answer(self, fault: Exception | None) -> None: ...


class _JobFailedError(Exception):
    """A transaction of a group failed, and takes the others with it."""


@dataclass(eq=False)
class _Job(Generic[Result]):
    """A transaction that waits, and what came of it."""

    work: Work[Result]
    waiter: asyncio.Future[Result]
    done: list[Result] = field(default_factory=list)
    error: Exception | None = None

    @property
    def wanted(self) -> bool:
        """Whether somebody still waits."""
        return not self.waiter.done()

    def run(self, connection: Connection) -> None:
        """Do the work, in the writing thread; its outcome is answered after the commit."""
        try:
            self.done = [self.work(connection)]
        except Exception as error:
            raise _JobFailedError from error

    def run_apart(self, connection: Connection) -> None:
        """Do the work; a failure is its own only."""
        savepoint = connection.begin_nested()
        try:
            self.done = [self.work(connection)]
        except Exception as error:  # noqa: BLE001 - whatever went wrong is its caller's to hear
            self.error = error
            savepoint.rollback()
        else:
            savepoint.commit()

    def answer(self, fault: Exception | None) -> None:
        """Tell what came of it.

        Args:
            fault: Why nothing of its group is on disk, if that is so.
        """
        if not self.wanted:
            return
        error = self.error or fault
        if error is not None:
            self.waiter.set_exception(error)
        else:
            self.waiter.set_result(self.done[0])


class Writer:
    """Runs transactions one after the other, in a thread of its own.

    No task of the event loop runs them: whoever cancels all tasks, as `asyncio.run` does at its end, must not leave
    those who still put things in order waiting for ever.

    Args:
        engine: Where they go.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: deque[_Waiting] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal writer")
        self._idle = asyncio.Event()
        self._idle.set()

    async def write(self, work: Work[Result]) -> Result:
        """Run `work` and return once it is on disk.

        Whoever is cancelled while waiting gives up the answer only: work that has begun goes on, for it shares its
        transaction with others.

        Raises:
            JournalUnavailable: It could not be written.
        """
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[Result] = loop.create_future()
        self._waiting.append(_Job(work, waiter))
        if self._idle.is_set():
            self._idle.clear()
            loop.call_soon(self._begin)  # not at once: who asks in the same moment belongs to the same group
        with faults():
            return await waiter

    async def close(self) -> None:
        """Wait until what was asked for is written, and end the thread."""
        await self._idle.wait()
        await asyncio.to_thread(self._thread.shutdown)

    def _begin(self) -> None:
        group = self._next_group()
        if not group:
            self._idle.set()
            return
        commit = asyncio.get_running_loop().run_in_executor(self._thread, self._commit, group)
        commit.add_done_callback(lambda done: self._end(group, done.result()))

    def _end(self, group: Sequence[_Waiting], fault: Exception | None) -> None:
        for job in group:
            job.answer(fault)
        self._begin()

    def _next_group(self) -> Sequence[_Waiting]:
        group: list[_Waiting] = []
        while self._waiting and len(group) < LARGEST_GROUP:
            job = self._waiting.popleft()
            if job.wanted:
                group.append(job)
        return group

    def _commit(self, group: Sequence[_Waiting]) -> Exception | None:
        """Run a group; returns why nothing of it is on disk, if that is so."""
        try:
            try:
                with self._engine.begin() as connection:
                    for job in group:
                        job.run(connection)
            except _JobFailedError:
                with self._engine.begin() as connection:
                    for job in group:
                        job.run_apart(connection)
        except Exception as error:  # noqa: BLE001 - each of the group has to hear of it
            return error
        return None
