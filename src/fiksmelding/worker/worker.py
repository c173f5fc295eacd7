"""Which entry is walked when: due ones, oldest first, several at once, each by one walker only."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Generic, Protocol, TypeVar
from uuid import uuid4

from fiksmelding.clock import Clock, woken
from fiksmelding.errors import JournalError, JournalUnavailable
from fiksmelding.journal import Checkpoint, ClaimedByAnother
from fiksmelding.worker.backoff import Backoff

log = logging.getLogger("fiksmelding.worker")

LONGEST_REST = 5.0
"""The journal is looked at this often at least, in seconds: a command may have left something to do in it."""
LONGEST_REST_SHARED = 1.0
"""How often a journal is looked at that others share, in seconds: they may leave work to us, or die."""
RENEWALS_PER_LEASE = 3
CHECKPOINT_SECONDS = 600.0
"""How often the event log is sealed while we run, in seconds."""


class Entry(Protocol):
    """What is walked: a message received, or a report to send."""

    @property
    def id(self) -> str:
        """Its id in the journal."""
        ...

    @property
    def state(self) -> str:
        """How far it has come."""
        ...


Item = TypeVar("Item", bound=Entry)


class Queue(Protocol[Item]):
    """Where due entries come from. Each call is one transaction; see `Journal` for what each promises."""

    @property
    def shared(self) -> bool:
        """Whether other processes may claim entries too."""
        ...

    async def claim(
        self, now: datetime, *, owner: str, lease: timedelta, limit: int, without: Collection[str] = ()
    ) -> Sequence[Item]:
        """Take entries that are due."""
        ...

    async def next_due(self, *, owner: str, without: Collection[str] = ()) -> datetime | None:
        """When the next has to be worked on."""
        ...

    async def renew(self, held: Collection[Item], *, until: datetime) -> frozenset[str]:
        """Hold them longer; returns the ids of those that others have claimed."""
        ...

    async def release(self, entry: Item, /) -> None:
        """Give one back."""
        ...

    async def checkpoint(self, at: datetime) -> Checkpoint | None:
        """Seal the event log."""
        ...


class Worker(Generic[Item]):
    """Walks due entries.

    Args:
        journal: Where they are.
        walk: Takes one entry as far as it can go.
        concurrency: How many are walked at once.
        backoff: How long a fault of our own makes an entry, or the whole journal, rest.
        clock: Where the time is read.
        lease_seconds: How long a claim on an entry holds; it is renewed as long as the entry is walked.
    """

    def __init__(
        self,
        *,
        journal: Queue[Item],
        walk: Callable[[Item], Awaitable[None]],
        concurrency: int,
        backoff: Backoff,
        clock: Clock,
        lease_seconds: float = 60.0,
    ) -> None:
        self._journal = journal
        self._walk = walk
        self._concurrency = concurrency
        self._backoff = backoff
        self._clock = clock
        self._lease = timedelta(seconds=lease_seconds)
        self._owner = str(uuid4())
        self._woken = asyncio.Event()
        self._walking: dict[str, tuple[Item, asyncio.Task[None]]] = {}
        self._resting: dict[str, float] = {}
        self._faults: dict[str, int] = {}
        self._outages = 0

    @property
    def busy(self) -> bool:
        """Whether an entry is being walked now."""
        return bool(self._walking)

    def wake(self) -> None:
        """There may be something to do."""
        self._woken.set()

    async def run(self) -> None:
        """Walk entries until cancelled; walkers that are under way then go on, see `drain`."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_leases(), name="leases")
            tasks.create_task(self._make_checkpoints(), name="checkpoints")
            await self._look_again_and_again()

    async def drain(self, seconds: float) -> None:
        """Let walkers finish for at most `seconds`, then stop the rest; what they had not recorded is done again."""
        if not self._walking:
            return
        renewing = asyncio.create_task(self._keep_leases(), name="leases")
        try:
            _, late = await asyncio.wait(self._tasks(), timeout=seconds)
            for task in late:
                task.cancel()
            if late:
                log.warning("%d reports were still being worked on at the end of the stop", len(late))
                await asyncio.wait(late)
        finally:
            renewing.cancel()
            await asyncio.wait([renewing])

    def _tasks(self) -> list[asyncio.Task[None]]:
        return [task for _, task in self._walking.values()]

    async def _look_again_and_again(self) -> None:
        while True:
            self._woken.clear()
            try:
                rest = await self._round()
                self._outages = 0
            except ClaimedByAnother as error:
                log.info("another process takes the next steps: %s", error)
                rest = LONGEST_REST_SHARED
            except JournalUnavailable as error:
                self._outages += 1
                rest = self._backoff.after(self._outages).total_seconds()
                log.critical("%s Reports wait; next look in %.1f s", error, rest, extra={"event": "journal_down"})
            await woken(self._woken, self._clock, rest)

    async def _round(self) -> float:
        """Start what is due and fits; returns how long there is nothing more to start, in seconds."""
        self._forget_rested()
        free = self._concurrency - len(self._walking)
        if free > 0:
            for entry in await self._claim(free):
                self._start(entry)
        if len(self._walking) >= self._concurrency:
            return LONGEST_REST  # whoever finishes wakes us
        next_due = await self._journal.next_due(owner=self._owner, without=[*self._walking, *self._resting])
        rests = [until - self._clock.monotonic() for until in self._resting.values()]
        if next_due is not None:
            rests.append((next_due - self._clock.now()).total_seconds())
        longest = LONGEST_REST_SHARED if self._journal.shared else LONGEST_REST
        return max(0.0, min([longest, *rests]))

    async def _claim(self, limit: int) -> Sequence[Item]:
        """Take what is due. A stop that comes meanwhile leaves nothing held that nobody walks."""
        now, without = self._clock.now(), [*self._walking, *self._resting]
        claiming = asyncio.ensure_future(
            self._journal.claim(now, owner=self._owner, lease=self._lease, limit=limit, without=without)
        )
        try:
            return await asyncio.shield(claiming)
        except asyncio.CancelledError:
            with suppress(JournalError):
                for entry in await claiming:
                    await self._give_back(entry)
            raise

    def _start(self, entry: Item) -> None:
        task = asyncio.create_task(self._walk_safely(entry), name=f"walk {entry.id}")
        self._walking[entry.id] = entry, task
        task.add_done_callback(lambda _: self._finished(entry.id))

    def _finished(self, entry_id: str) -> None:
        self._walking.pop(entry_id, None)
        self.wake()

    async def _walk_safely(self, entry: Item) -> None:
        try:
            await self._walk(entry)
        except asyncio.CancelledError:
            await self._give_back(entry)
            raise
        except JournalError as error:
            # It is down, or someone else, such as an operator's command, took a step meanwhile: look again.
            await self._rest(entry, error, logging.WARNING)
        except Exception as error:  # noqa: BLE001 - a fault of ours must cost neither the report nor its neighbours
            await self._rest(entry, error, logging.CRITICAL)
        else:
            self._faults.pop(entry.id, None)

    async def _rest(self, entry: Item, error: Exception, level: int) -> None:
        faults = self._faults[entry.id] = self._faults.get(entry.id, 0) + 1
        seconds = self._backoff.after(faults).total_seconds()
        self._resting[entry.id] = self._clock.monotonic() + seconds
        told = str(error) if isinstance(error, JournalError) else error.__class__.__name__
        log.log(
            level,
            "%s (%s) could not go on: %s. It is kept; next attempt in %.1f s",
            entry.id,
            entry.state,
            told,
            seconds,
            extra={"event": "walk_failed", "entry_id": entry.id},
        )
        await self._give_back(entry)

    async def _give_back(self, entry: Item) -> None:
        """Whoever is healthier than we are need not wait for our lease to end."""
        try:
            await self._journal.release(entry)
        except JournalError as error:
            log.warning("%s is held until its lease ends: %s", entry.id, error)

    async def _keep_leases(self) -> None:
        """Hold what is being walked; stop walking what another process has taken over."""
        while True:
            await self._clock.sleep(self._lease.total_seconds() / RENEWALS_PER_LEASE)
            held = [entry for entry, _ in self._walking.values()]
            if not held:
                continue
            try:
                lost = await self._journal.renew(held, until=self._clock.now() + self._lease)
            except JournalUnavailable as error:
                log.warning("leases are not renewed now: %s", error)
                continue
            for entry in held:
                if entry.id in lost:
                    self._abandon(entry)

    def _abandon(self, entry: Item) -> None:
        walking = self._walking.get(entry.id)
        if walking is not None and walking[0] is entry:
            log.error("%s has been taken over by another process", entry.id, extra={"event": "lease_lost"})
            walking[1].cancel()

    async def _make_checkpoints(self) -> None:
        while True:
            await self._clock.sleep(CHECKPOINT_SECONDS)
            try:
                made = await self._journal.checkpoint(self._clock.now())
            except JournalUnavailable as error:
                log.warning("the event log is not sealed now: %s", error)
                continue
            if made is not None:
                # Noted outside the journal, the hash shows later whether the log was cut off.
                log.info("checkpoint %d: %s", made.number, made.hash, extra={"event": "checkpoint"})

    def _forget_rested(self) -> None:
        now = self._clock.monotonic()
        self._resting = {entry_id: until for entry_id, until in self._resting.items() if until > now}
