import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from fiksmelding.alarms import Alarm, Alarms
from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalUnavailable
from fiksmelding.journal import Journal
from fiksmelding.receiver.outage import Outage
from fiksmelding.worker import Backoff
from support.clocks import StillClock
from support.journals import ask

FULL = JournalUnavailable("database or disk is full")


class Disk(Journal):
    """A journal that has room for so many bytes."""

    room = 0
    looks = 0

    async def check_writable(self, size: int, *, at: datetime) -> None:
        self.looks += 1
        if size >= self.room:
            raise FULL
        await super().check_writable(size, at=at)


class Watched:
    """An outage, and what it did."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self.clock = StillClock()
        self.told: list[Alarm] = []
        self.done: list[str] = []
        self.outage = Outage(
            journal=disk,
            clock=self.clock,
            backoff=Backoff(1.0, 30.0),
            alarms=Alarms(self.clock, self.told.append),
            pause=self._pause,
            resume=self._resume,
        )

    async def _pause(self) -> None:
        self.done.append("pause")

    async def _resume(self) -> None:
        self.done.append("resume")

    async def look(self, *waiting: "asyncio.Task[None]") -> None:
        """Let the next look be taken."""
        looks = self.disk.looks
        while self.disk.looks == looks and not all(task.done() for task in waiting):
            await asyncio.wait(waiting, timeout=0.005)
            self.clock.advance(timedelta(seconds=31))


@asynccontextmanager
async def watched(at: JournalSettings) -> AsyncIterator[Watched]:
    async with Disk(at) as disk:
        watching = Watched(disk)
        yield watching
        await watching.outage.aclose()


async def test_consuming_stops_once_and_goes_on_when_what_was_refused_fits_again(
    at: JournalSettings, journal: Journal
) -> None:
    async with watched(at) as watching:
        waiting = [asyncio.create_task(watching.outage.wait(FULL, size=size)) for size in (10, 5000, 700)]
        await watching.look(*waiting)
        assert watching.outage.since is not None
        watching.disk.room = 1000  # too little for the largest
        await watching.look(*waiting)
        await watching.look(*waiting)
        assert not any(task.done() for task in waiting)
        assert watching.done == ["pause"]
        assert [alarm.over for alarm in watching.told] == [False]
        watching.disk.room = 10_000
        while not all(task.done() for task in waiting):
            await watching.look(*waiting)
        assert watching.done == ["pause", "resume"]
        assert [alarm.over for alarm in watching.told] == [False, True]
        assert await ask(journal, "SELECT count(*) FROM chunks") == 0
        assert await ask(journal, "SELECT count(*) FROM downloads") == 0


async def test_a_fault_that_has_passed_by_itself_stops_nothing(at: JournalSettings) -> None:
    async with watched(at) as watching:
        watching.disk.room = 1
        await watching.outage.wait(JournalUnavailable("the connection was closed"))
        assert watching.done == []
        assert watching.told == []


async def test_after_closing_nobody_waits(at: JournalSettings) -> None:
    async with watched(at) as watching:
        waiting = asyncio.create_task(watching.outage.wait(FULL))
        await watching.look(waiting)
        await watching.outage.aclose()
        await asyncio.wait([waiting])
        assert waiting.cancelled()
        with pytest.raises(JournalUnavailable, match="full"):
            await watching.outage.wait(FULL)
