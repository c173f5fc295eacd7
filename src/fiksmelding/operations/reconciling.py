"""Reconcile: what was kept, against what the case system has, what the queue shows, and what has not arrived.

Between 2020 and 2023 63 reports about children were missing for up to three years because nobody compared.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

from fiksmelding.alarms import AlarmKind, AlarmObserver, Alarms, tell_nobody
from fiksmelding.alarms.routing import open_alarms
from fiksmelding.clock import Clock, SystemClock
from fiksmelding.config import Settings
from fiksmelding.errors import FiksmeldingError, PlatformError
from fiksmelding.fiks import Catalog, FiksSession
from fiksmelding.journal import Journal, Reconciled, Standing, State
from fiksmelding.journal.outbox import Outbox
from fiksmelding.operations.comparison import Comparison, Expected, Totals
from fiksmelding.operations.findings import Findings
from fiksmelding.operations.period import Period
from fiksmelding.operations.received import ReceivedTally
from fiksmelding.operations.reconciliation import (
    NOTES,
    CaseSystemSays,
    Cause,
    QueueSays,
    Reconciliation,
    SentSays,
)
from fiksmelding.operations.references import BATCH, CaseSystem, references_of
from fiksmelding.operations.sent import look_at_sent

MARKED_AT_ONCE: Final = 100
NOT_KNOWN: Final = (
    "The case system has it, and this journal never registered it: it came another way, or the journal was restored "
    "from a backup."
)
Item = TypeVar("Item")


async def reconcile(
    settings: Settings,
    period: Period,
    *,
    case_system: CaseSystem | None = None,
    ask_queue: bool = True,
    on_alarm: AlarmObserver = tell_nobody,
    clock: Clock | None = None,
    settings_file: Path = Path("fiksmelding.toml"),
) -> Reconciliation:
    """Compare what was kept in a period with what others say.

    A receiver may go on meanwhile: the journal is read first and the case system asked afterwards, so that whatever
    was registered when it was read has to be there. What differs is noted in the journal, report by report, and raises
    an alarm.

    Args:
        settings: Account, platform, journal and policies (`[reconcile]`, `[sender]`).
        period: When the reports were kept.
        case_system: Tells what the case system has; None compares the rest without it.
        ask_queue: Whether the platform is asked about the account's queue.
        on_alarm: Told of what a person has to hear of; each is logged too, and sent where `[alarms]` says.
        clock: Where the time is read.
        settings_file: The file of `settings`, for the commands that the result names.

    Raises:
        JournalError: The journal or the outbox cannot be opened or read.
    """
    async with open_alarms(settings.alarms, on_alarm, clock=clock) as alarms:
        comparer = _Comparer(settings, clock or SystemClock(), alarms, settings_file)
        return await comparer.compare(period, case_system, ask_queue=ask_queue)


class _Comparer:
    """One comparison."""

    def __init__(self, settings: Settings, clock: Clock, alarms: Alarms, settings_file: Path) -> None:
        self._settings = settings
        self._clock = clock
        self._now = clock.now()
        self._alarms = alarms
        self._findings = Findings(settings.reconcile.listed, settings_file)
        self._problems: list[str] = []
        self._konto_id = str(settings.account.id)

    async def compare(self, period: Period, case_system: CaseSystem | None, *, ask_queue: bool) -> Reconciliation:
        try:
            result = await self._compare(period, case_system, ask_queue=ask_queue)
        except FiksmeldingError as error:
            self._alarms.sound(AlarmKind.NOT_RECONCILED, f"Nothing could be compared: {error}")
            raise
        self._tell(result, period)
        return result

    async def _compare(self, period: Period, case_system: CaseSystem | None, *, ask_queue: bool) -> Reconciliation:
        waiting = timedelta(minutes=self._settings.reconcile.waiting_minutes)
        tally = ReceivedTally(self._findings, self._now, waiting)
        with Comparison() as comparison:
            async with Journal(self._settings.journal) as journal:
                async for page in journal.overview.standings(period.start, period.end, konto_id=self._konto_id):
                    for one in page:
                        tally.add(one)
                    await asyncio.to_thread(comparison.expect, _expected(page))
                says = None if case_system is None else await self._ask(case_system, period, comparison, journal)
                if case_system is not None:
                    await journal.reconciliations.note(self._reconciled(period, says))
        return Reconciliation(
            account=self._konto_id,
            at=self._now,
            start=period.start,
            end=period.end,
            received=tally.received(),
            case_system=says,
            queue=await self._queue() if ask_queue else None,
            sent=await self._sent(period),
            counts=self._findings.counts,
            differences=self._findings.listed,
            problems=tuple(self._problems),
        )

    async def _ask(
        self, case_system: CaseSystem, period: Period, comparison: Comparison, journal: Journal
    ) -> CaseSystemSays | None:
        """What the case system has; None when it cannot tell all: then nothing is known to be missing."""
        try:
            async for batch in _batches(references_of(case_system, period), BATCH):
                await asyncio.to_thread(comparison.list, batch)
        except Exception as error:  # noqa: BLE001 - the case system's side may fail in any way
            # Of foreign errors the class only: their texts may hold what a report says.
            told = str(error) if isinstance(error, FiksmeldingError) else error.__class__.__name__
            self._problems.append(f"The case system could not tell what it has: {told}")
            return None
        totals = await asyncio.to_thread(comparison.compare)
        await self._missing(comparison, journal)
        await self._found_again(comparison, journal)
        await self._unexpected(comparison, journal)
        await asyncio.to_thread(self._notes, comparison)
        return _says(totals)

    async def _missing(self, comparison: Comparison, journal: Journal) -> None:
        pages = comparison.missing()
        while page := await asyncio.to_thread(next, pages, ()):
            for one in page:
                self._not_there(one)
            kept = [one.id for one in page if not one.erased]
            for start in range(0, len(kept), MARKED_AT_ONCE):
                await journal.reconciliations.mark_missing(kept[start : start + MARKED_AT_ONCE], at=self._now)

    def _not_there(self, one: Expected) -> None:
        text = (
            "It was registered, and the case system does not have it. Its original is kept: hand it over again, or "
            "`fiksmelding settle` it if it is rightly gone."
        )
        cause, command = Cause.NOT_IN_CASE_SYSTEM, f"recover {one.id}"
        if one.erased:
            cause, command = Cause.NOT_IN_CASE_SYSTEM_AND_ERASED, f"journal export {one.id}"
            text = "It was registered, the case system does not have it, and its original is erased: ask KS for it."
        since = datetime.fromisoformat(one.received_at)
        self._findings.add(cause, text, command=command, id=one.id, reference=one.reference, since=since)

    async def _found_again(self, comparison: Comparison, journal: Journal) -> None:
        """What an earlier comparison missed and this one found."""
        async for page in journal.reconciliations.missing(self._konto_id):
            found = await asyncio.to_thread(comparison.found, page)
            if found:
                await journal.reconciliations.mark_found(found, at=self._now)

    async def _unexpected(self, comparison: Comparison, journal: Journal) -> None:
        pages = comparison.unexpected()
        while page := await asyncio.to_thread(next, pages, ()):
            # Kept at another time, or registered while we looked, they are as they should be.
            known = await journal.overview.known_references(page)
            for reference in page:
                if reference not in known:
                    self._findings.add(Cause.NOT_KNOWN_HERE, NOT_KNOWN, reference=reference)

    def _notes(self, comparison: Comparison) -> None:
        for spelled in comparison.spelled():
            text = f"The case system writes its reference {spelled.there!r}."
            self._findings.add(Cause.SPELLED_OTHERWISE, text, id=spelled.id, reference=spelled.reference)
        for shared in comparison.shared():
            text = (
                f"{shared.reports} reports were registered under it, and it is listed {shared.times} times: whether "
                "each of them is there cannot be told."
            )
            self._findings.add(Cause.SHARED_REFERENCE, text, reference=shared.reference)

    async def _queue(self) -> QueueSays | None:
        try:
            async with FiksSession(self._settings, clock=self._clock) as session:
                status = await Catalog(session).queue(self._settings.account.id)
        except PlatformError as error:
            self._problems.append(f"The platform could not be asked about the queue: {error}")
            return None
        says = QueueSays(waiting=status.antall_uavhentede_meldinger, consumers=status.antall_konsumenter)
        if not says.consumers:
            text = f"{says.waiting} messages wait, and nobody takes them. Start the receiver."
            self._findings.add(Cause.NO_CONSUMER, text, command="receive")
        return says

    async def _sent(self, period: Period) -> SentSays:
        organisation = self._settings.account.organisation_id
        async with Outbox(self._settings.journal, None if organisation is None else str(organisation)) as outbox:
            return await look_at_sent(outbox, period, self._settings.sender, self._now, self._findings)

    def _reconciled(self, period: Period, says: CaseSystemSays | None) -> Reconciled:
        return Reconciled(
            konto_id=self._konto_id,
            at=self._now,
            period_start=period.start,
            period_end=period.end,
            compared=says is not None,
            agreed=says is not None and not says.missing,
        )

    def _tell(self, result: Reconciliation, period: Period) -> None:
        if result.missing:
            counted = (f"{number} {cause}" for cause, number in result.counts.items() if cause not in NOTES)
            self._alarms.sound(
                AlarmKind.RECONCILIATION,
                f"Not everything is where it should be, of what was kept from {period}: {', '.join(counted)}. "
                "`fiksmelding reconcile` names each, and what mends it.",
            )
        if result.problems:
            self._alarms.sound(AlarmKind.NOT_RECONCILED, " ".join(result.problems))


def _expected(page: Sequence[Standing]) -> list[Expected]:
    return [
        Expected(one.id, one.reference or "", one.received_at.isoformat(), one.state is State.ERASED)
        for one in page
        # A repetition is where its original is.
        if one.registered and one.duplicate_of is None and one.settled_at is None
    ]


def _says(totals: Totals) -> CaseSystemSays:
    return CaseSystemSays(
        listed=totals.listed,
        repeated=totals.repeated,
        found=totals.expected - totals.missing,
        missing=totals.missing,
    )


async def _batches(items: AsyncIterable[Item], size: int) -> AsyncIterator[Sequence[Item]]:
    batch: list[Item] = []
    async for item in items:
        batch.append(item)
        if len(batch) >= size:
            yield batch
            batch = []
    yield batch
