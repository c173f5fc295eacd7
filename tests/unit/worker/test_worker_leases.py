"""A walk holds its entry: renewed while it goes on, given back when it ends, stopped when another has taken it over."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalError
from fiksmelding.journal import Checkpoint, Entry, Journal, State
from fiksmelding.worker import Backoff, Worker
from fiksmelding.worker.worker import CHECKPOINT_SECONDS
from support.arrivals import arrival
from support.clocks import StillClock

LEASE = timedelta(seconds=60)


class Walk:
    """Walks until told to end."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.end = asyncio.Event()
        self.ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def __call__(self, entry: Entry) -> None:
        self.begun.set()
        try:
            await self.end.wait()
            raise JournalError("a step was refused")
        except asyncio.CancelledError:
            self.ended.set_result("cancelled")
            raise
        finally:
            self.begun.clear()


class WatchedJournal(Journal):
    """Tells when something was done with leases, or the log was sealed."""

    def __init__(self, settings: JournalSettings) -> None:
        super().__init__(settings)
        self.renewed = asyncio.Event()
        self.released = asyncio.Event()
        self.sealed = asyncio.Event()
        self.claimed = asyncio.Event()
        self.may_return = asyncio.Event()
        self.may_return.set()

    async def claim(
        self,
        now: datetime,
        *,
        owner: str,
        lease: timedelta,
        limit: int,
        without: Collection[str] = (),
        only_late: Collection[State] = (),
        only_recoveries: bool = False,
        konto_id: str | None = None,
    ) -> Sequence[Entry]:
        found = await super().claim(
            now,
            owner=owner,
            lease=lease,
            limit=limit,
            without=without,
            only_late=only_late,
            only_recoveries=only_recoveries,
            konto_id=konto_id,
        )
        self.claimed.set()
        await self.may_return.wait()
        return found

    async def renew(self, held: Collection[Entry], *, until: datetime) -> frozenset[str]:
        lost = await super().renew(held, until=until)
        self.renewed.set()
        return lost

    async def release(self, entry: Entry) -> None:
        await super().release(entry)
        self.released.set()

    async def checkpoint(self, at: datetime) -> Checkpoint | None:
        made = await super().checkpoint(at)
        self.sealed.set()
        return made


@pytest.fixture
async def watched(at: JournalSettings) -> AsyncIterator[WatchedJournal]:
    async with WatchedJournal(at) as opened:
        yield opened


@asynccontextmanager
async def walking(journal: Journal, walk: Walk, clock: StillClock) -> AsyncIterator[Worker[Entry]]:
    await journal.keep(arrival(), b"sealed")
    worker = Worker(journal=journal, walk=walk, concurrency=1, backoff=Backoff(1, 8), clock=clock, lease_seconds=60)
    task = asyncio.create_task(worker.run())
    try:
        await asyncio.wait_for(walk.begun.wait(), 5)
        yield worker
    finally:
        task.cancel()
        await asyncio.wait([task])
        await worker.drain(0)


async def renewals(clock: StillClock, watched: WatchedJournal, count: int) -> None:
    for _ in range(count):
        watched.renewed.clear()
        clock.advance(LEASE / 3)
        await asyncio.wait_for(watched.renewed.wait(), 5)


async def test_a_long_walk_keeps_its_entry_from_others(watched: WatchedJournal) -> None:
    clock, walk = StillClock(), Walk()
    async with walking(watched, walk, clock):
        await renewals(clock, watched, 5)
        assert await watched.claim(clock.now(), owner="other", lease=LEASE, limit=1) == []


async def test_a_walk_whose_entry_was_taken_over_is_stopped(
    watched: WatchedJournal, caplog: pytest.LogCaptureFixture
) -> None:
    clock, walk = StillClock(), Walk()
    async with walking(watched, walk, clock):
        [taken] = await watched.claim(clock.now() + LEASE, owner="other", lease=LEASE, limit=1)
        await renewals(clock, watched, 1)
        assert await asyncio.wait_for(walk.ended, 5) == "cancelled"
    assert "taken over by another process" in caplog.text
    assert await watched.renew([taken], until=clock.now()) == frozenset(), "the other one's lease was not touched"


async def test_what_is_stopped_or_fails_is_given_back_at_once(watched: WatchedJournal) -> None:
    clock, walk = StillClock(), Walk()
    async with walking(watched, walk, clock):
        walk.end.set()
        await asyncio.wait_for(watched.released.wait(), 5)
        [claimed] = await watched.claim(clock.now(), owner="other", lease=LEASE, limit=1)
        await watched.release(claimed)
    async with walking(watched, Walk(), clock):
        pass
    assert len(await watched.claim(clock.now(), owner="other", lease=LEASE, limit=9)) == 2


async def test_what_was_claimed_while_a_stop_was_asked_for_is_given_back(watched: WatchedJournal) -> None:
    clock, walk = StillClock(), Walk()
    await watched.keep(arrival(), b"sealed")
    watched.may_return.clear()
    worker = Worker(journal=watched, walk=walk, concurrency=1, backoff=Backoff(1, 8), clock=clock)
    working = asyncio.create_task(worker.run())
    await asyncio.wait_for(watched.claimed.wait(), 5)
    working.cancel()
    await worker.drain(5)
    watched.may_return.set()
    await asyncio.wait([working])
    assert working.cancelled()
    assert not walk.begun.is_set()
    assert len(await watched.claim(clock.now(), owner="other", lease=LEASE, limit=1)) == 1


async def test_the_event_log_is_sealed_from_time_to_time(watched: WatchedJournal) -> None:
    clock, walk = StillClock(), Walk()
    async with walking(watched, walk, clock):
        clock.advance(timedelta(seconds=CHECKPOINT_SECONDS))
        await asyncio.wait_for(watched.sealed.wait(), 5)
    assert await watched.last_checkpoint() is not None
