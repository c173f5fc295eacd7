"""Recover: kept originals to the case system once more, also into an empty one.

What is asked for is marked in the journal first, so that nothing of it is forgotten whoever dies. Whoever takes the
steps there does it: a receiver that runs, or, where none does, this.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final

from fiksmelding.alarms import AlarmObserver, tell_nobody
from fiksmelding.alarms.routing import open_alarms
from fiksmelding.clock import Clock, SystemClock
from fiksmelding.config import Settings
from fiksmelding.journal import Journal
from fiksmelding.operations.selecting import Candidate, Selection, Skipped, selected
from fiksmelding.receiver import Confirm, Handler, Observer
from fiksmelding.receiver.recovery_work import recovering
from fiksmelding.receiver.steps import watch_nothing

ASKED_AT_ONCE: Final = 100
NAMED: Final = 1000
"""How many are named; all are counted."""
LOOK_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What was done.

    Attributes:
        dry_run: Whether nothing was done: it tells what would be.
        asked: How many reports are, or would be, handed over again.
        recovered: How many of them the case system has now.
        refused: How many could not be handed over, for good: each has raised an alarm.
        waiting: How many are still to be handed over; a receiver, or the next `recover`, goes on with them.
        skipped: How many were not handed over, by why.
        named: Some of those that were asked for or skipped, by their ids.
    """

    dry_run: bool
    asked: int
    recovered: int
    refused: int
    waiting: int
    skipped: Mapping[Skipped, int] = field(default_factory=dict)
    named: Sequence[Candidate] = ()


async def recover(
    settings: Settings,
    selection: Selection,
    *,
    handler: Handler | None = None,
    confirm: Confirm | None = None,
    dry_run: bool = False,
    wait_seconds: float | None = None,
    stop: asyncio.Event | None = None,
    observe: Observer = watch_nothing,
    on_alarm: AlarmObserver = tell_nobody,
    clock: Clock | None = None,
) -> Recovery:
    """Hand kept originals to the case system once more. The sender gets no second receipt.

    The handler gets each as a repeat, under the same `report.id` as before. On a SQLite journal that a receiver works
    on, the receiver does it, with its own handler; on PostgreSQL both do. What was asked for before and is not done
    yet is done too.

    Args:
        settings: Account, keys, journal and policies (`[receiver]`).
        selection: Which reports; an empty one asks for none, and goes on with those asked for before.
        handler: Stores a report in the case system; None leaves all to a receiver.
        confirm: Reads back whether it is there.
        dry_run: Only tell what would be done.
        wait_seconds: How long to wait until all is done, in seconds; as long as it takes when None.
        stop: Ends the wait when it is set.
        observe: Told of each step that is taken here.
        on_alarm: Told of what a person has to hear of; each is logged too, and sent where `[alarms]` says.
        clock: Where the time is read.

    Returns:
        What was done. Those that wait are not lost: they are marked in the journal.

    Raises:
        SettingsError: A key cannot be read.
        JournalError: The journal cannot be opened or read.
    """
    work = _Work(settings, clock or SystemClock(), dry_run=dry_run)
    async with open_alarms(settings.alarms, on_alarm, clock=clock) as alarms, Journal(settings.journal) as journal:
        async for page in selected(journal, selection, work.konto_id):
            await work.take(journal, page)
        if dry_run:
            return await work.result(journal)
        async with AsyncExitStack() as stack:
            working = None
            if handler is not None:
                parts = recovering(
                    settings, journal, handler, confirm, observe=observe, alarms=alarms, clock=work.clock
                )
                working = await stack.enter_async_context(parts)
            await work.until_done(journal, working, wait_seconds, stop)
        return await work.result(journal)


class _Work:
    """One recovery: what was asked for, and what has become of it."""

    def __init__(self, settings: Settings, clock: Clock, *, dry_run: bool) -> None:
        self.konto_id = str(settings.account.id)
        self.clock = clock
        self._at = clock.now()
        self._dry_run = dry_run
        self._asked = 0
        self._skipped: Counter[Skipped] = Counter()
        self._named: list[Candidate] = []

    async def take(self, journal: Journal, candidates: Sequence[Candidate]) -> None:
        """Ask for those that can be handed over again."""
        wanted = [one.id for one in candidates if one.skipped is None]
        for one in candidates:
            if one.skipped is not None:
                self._skip(one.id, one.skipped)
        for start in range(0, len(wanted), ASKED_AT_ONCE):
            await self._ask(journal, wanted[start : start + ASKED_AT_ONCE])

    async def until_done(
        self, journal: Journal, working: asyncio.Task[None] | None, seconds: float | None, stop: asyncio.Event | None
    ) -> None:
        """Wait until nothing is left to be handed over, it is too late, or somebody wants no more."""
        began = self.clock.monotonic()
        while await journal.recoveries.waiting(self.konto_id):
            if working is not None and working.done():
                working.result()
            if seconds is not None and self.clock.monotonic() - began >= seconds:
                return
            if stop is not None and stop.is_set():
                return
            await self.clock.sleep(LOOK_SECONDS)

    async def result(self, journal: Journal) -> Recovery:
        """What has been done."""
        refused = ours = 0
        if not self._dry_run:
            refused = await journal.recoveries.refused(self.konto_id, asked_at=self._at)
            ours = await journal.recoveries.waiting(self.konto_id, asked_at=self._at)
        return Recovery(
            dry_run=self._dry_run,
            asked=self._asked,
            recovered=0 if self._dry_run else self._asked - refused - ours,
            refused=refused,
            waiting=await journal.recoveries.waiting(self.konto_id),
            skipped=dict(self._skipped),
            named=tuple(self._named),
        )

    async def _ask(self, journal: Journal, entry_ids: Sequence[str]) -> None:
        asked: Collection[str] = entry_ids
        if not self._dry_run:
            asked = await journal.recoveries.ask(entry_ids, at=self._at)
        for entry_id in entry_ids:
            if entry_id in asked:
                self._asked += 1
                self._name(Candidate(entry_id))
            else:
                self._skip(entry_id, Skipped.IN_USE)

    def _skip(self, entry_id: str, why: Skipped) -> None:
        self._skipped[why] += 1
        self._name(Candidate(entry_id, why))

    def _name(self, candidate: Candidate) -> None:
        if len(self._named) < NAMED:
            self._named.append(candidate)
