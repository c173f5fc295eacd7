import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalError, JournalUnavailable
from fiksmelding.journal import Change, Entry, EventKind, Journal, State
from fiksmelding.worker import Backoff, Worker
from support.arrivals import NOON, arrival
from support.clocks import StillClock


class Walks:
    """Records who walked; can be held, and can fail."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.walked: list[str] = []
        self.now = 0
        self.most = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.troubles: list[Exception] = []
        self.changed = asyncio.Event()

    async def __call__(self, entry: Entry) -> None:
        self.walked.append(entry.id)
        self.now += 1
        self.most = max(self.most, self.now)
        self.changed.set()
        try:
            await self.gate.wait()
            if self.troubles:
                raise self.troubles.pop(0)
            change = Change(event=EventKind.QUARANTINED, state=State.QUARANTINED, due_at=None)
            await self.journal.record(entry, change, at=NOON)
        finally:
            self.now -= 1
            self.changed.set()

    async def until(self, count: int) -> None:
        while len(self.walked) < count:
            self.changed.clear()
            await asyncio.wait_for(self.changed.wait(), 5)


@pytest.fixture
def walks(journal: Journal) -> Walks:
    return Walks(journal)


@asynccontextmanager
async def running(
    journal: Journal, walks: Walks, clock: StillClock, concurrency: int = 2
) -> AsyncIterator[Worker[Entry]]:
    worker = Worker(journal=journal, walk=walks, concurrency=concurrency, backoff=Backoff(1.0, 8.0), clock=clock)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        task.cancel()
        await asyncio.wait([task])
        await worker.drain(5)


async def keep(journal: Journal, count: int) -> list[str]:
    return [(await journal.keep(arrival(), f"{number}".encode())).entry_id for number in range(count)]


async def test_every_due_entry_is_walked_and_no_more_than_allowed_at_once(journal: Journal, walks: Walks) -> None:
    ids = await keep(journal, 7)
    async with running(journal, walks, StillClock(), concurrency=3):
        await walks.until(7)
    assert sorted(walks.walked) == sorted(ids)
    assert walks.most <= 3


async def test_an_entry_is_walked_by_one_walker_only(journal: Journal, walks: Walks) -> None:
    await keep(journal, 1)
    walks.gate.clear()
    async with running(journal, walks, StillClock()) as worker:
        await walks.until(1)
        for _ in range(20):
            worker.wake()
            await asyncio.sleep(0)
        assert len(walks.walked) == 1
        assert worker.busy
        walks.gate.set()


async def test_what_arrives_later_wakes_the_worker(journal: Journal, walks: Walks) -> None:
    async with running(journal, walks, StillClock()) as worker:
        await asyncio.sleep(0)
        await keep(journal, 1)
        worker.wake()
        await walks.until(1)


async def test_a_fault_of_ours_makes_one_entry_rest_and_not_its_neighbours(
    journal: Journal, walks: Walks, caplog: pytest.LogCaptureFixture
) -> None:
    clock = StillClock()
    [first] = await keep(journal, 1)
    walks.troubles = [RuntimeError("Lille Testesen"), JournalError("somebody else took a step")]
    async with running(journal, walks, clock) as worker:
        await walks.until(1)
        [second] = [(await journal.keep(arrival(), b"other")).entry_id]
        worker.wake()
        while len(walks.walked) < 4:
            await asyncio.wait({asyncio.ensure_future(walks.until(len(walks.walked) + 1))}, timeout=0.02)
            clock.advance(timedelta(seconds=9))
    assert walks.walked.count(first) + walks.walked.count(second) == 4
    assert "RuntimeError" in caplog.text
    assert "Testesen" not in caplog.text


class BrokenJournal(Journal):
    broken = 2

    async def next_due(
        self,
        *,
        owner: str,
        without: object = (),
        without_states: object = (),
        only_recoveries: bool = False,
        konto_id: str | None = None,
    ) -> None:
        if self.broken:
            self.broken -= 1
            raise JournalUnavailable("database is locked")


async def test_a_journal_that_is_down_is_looked_at_again(at: JournalSettings, caplog: pytest.LogCaptureFixture) -> None:
    clock = StillClock()
    async with BrokenJournal(at) as broken:
        walks = Walks(broken)
        async with running(broken, walks, clock):
            while broken.broken:
                await asyncio.wait({asyncio.ensure_future(asyncio.sleep(0))})
                clock.advance(timedelta(seconds=9))
    assert "Reports wait" in caplog.text


async def test_a_stop_waits_for_walkers_and_then_ends_them(journal: Journal, walks: Walks) -> None:
    [entry_id] = await keep(journal, 1)
    walks.gate.clear()
    worker = Worker(journal=journal, walk=walks, concurrency=1, backoff=Backoff(1, 8), clock=StillClock())
    task = asyncio.create_task(worker.run())
    await walks.until(1)
    task.cancel()
    await asyncio.wait([task])
    await worker.drain(0.01)
    assert not worker.busy
    assert (await journal.entry(entry_id)).state is State.RECEIVED
    await worker.drain(0.01)
