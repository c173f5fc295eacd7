"""Which entry is walked when: due ones, oldest first, several at once, each by one walker only."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from fiksmelding.clock import Clock
from fiksmelding.errors import JournalError, JournalUnavailable
from fiksmelding.journal import Entry, Journal
from fiksmelding.receiver.retry import Backoff

log = logging.getLogger("fiksmelding.receiver")

LONGEST_REST = 60.0
"""The journal is looked at this often at least, in seconds: another process may have changed it."""


class Worker:
    """Walks due entries.

    Args:
        journal: Where they are.
        walk: Takes one entry as far as it can go.
        concurrency: How many are walked at once.
        backoff: How long a fault of our own makes an entry, or the whole journal, rest.
        clock: Where the time is read.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        walk: Callable[[Entry], Awaitable[None]],
        concurrency: int,
        backoff: Backoff,
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._walk = walk
        self._concurrency = concurrency
        self._backoff = backoff
        self._clock = clock
        self._woken = asyncio.Event()
        self._walking: dict[str, asyncio.Task[None]] = {}
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
        while True:
            self._woken.clear()
            try:
                rest = await self._round()
                self._outages = 0
            except JournalUnavailable as error:
                self._outages += 1
                rest = self._backoff.after(self._outages).total_seconds()
                log.critical("%s Reports wait; next look in %.1f s", error, rest, extra={"event": "journal_down"})
            await self._sleep_or_wake(rest)

    async def drain(self, seconds: float) -> None:
        """Let walkers finish for at most `seconds`, then stop the rest; what they had not recorded is done again."""
        if not self._walking:
            return
        _, late = await asyncio.wait(list(self._walking.values()), timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            log.warning("%d reports were still with the handler at the end of the stop", len(late))
            await asyncio.wait(late)

    async def _round(self) -> float:
        """Start what is due and fits; returns how long there is nothing more to start, in seconds."""
        self._forget_rested()
        taken = [*self._walking, *self._resting]
        free = self._concurrency - len(self._walking)
        if free > 0:
            for entry in await self._journal.due(self._clock.now(), limit=free, without=taken):
                self._start(entry)
        if len(self._walking) >= self._concurrency:
            return LONGEST_REST  # whoever finishes wakes us
        next_due = await self._journal.next_due(without=[*self._walking, *self._resting])
        rests = [until - self._clock.monotonic() for until in self._resting.values()]
        if next_due is not None:
            rests.append((next_due - self._clock.now()).total_seconds())
        return max(0.0, min([LONGEST_REST, *rests]))

    def _start(self, entry: Entry) -> None:
        task = asyncio.create_task(self._walk_safely(entry), name=f"walk {entry.id}")
        self._walking[entry.id] = task
        task.add_done_callback(lambda _: self._finished(entry.id))

    def _finished(self, entry_id: str) -> None:
        self._walking.pop(entry_id, None)
        self.wake()

    async def _walk_safely(self, entry: Entry) -> None:
        try:
            await self._walk(entry)
        except JournalUnavailable as error:
            self._rest(entry, error, logging.WARNING)
        except JournalError as error:
            # Someone else, such as an operator's command, took a step meanwhile: look again.
            self._rest(entry, error, logging.WARNING)
        except Exception as error:  # noqa: BLE001 - a fault of ours must cost neither the report nor its neighbours
            self._rest(entry, error, logging.CRITICAL)
        else:
            self._faults.pop(entry.id, None)

    def _rest(self, entry: Entry, error: Exception, level: int) -> None:
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

    def _forget_rested(self) -> None:
        now = self._clock.monotonic()
        self._resting = {entry_id: until for entry_id, until in self._resting.items() if until > now}

    async def _sleep_or_wake(self, seconds: float) -> None:
        woken = asyncio.create_task(self._woken.wait(), name="worker woken")
        slept = asyncio.create_task(self._clock.sleep(seconds), name="worker rest")
        try:
            await asyncio.wait({woken, slept}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()
            slept.cancel()
            await asyncio.gather(woken, slept, return_exceptions=True)
