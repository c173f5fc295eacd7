"""What a person decides about a report that a comparison has named."""

from dataclasses import replace
from datetime import timedelta

import pytest

from fiksmelding.config import JournalSettings, Settings
from fiksmelding.errors import FiksmeldingError, JournalError
from fiksmelding.journal import Change, Entry, EventKind, Journal, State
from fiksmelding.operations import Cause, Period, Reconciliation, reconcile, send_receipt_again, settle
from support.arrivals import KONTO, NOON
from support.clocks import StillClock
from support.journals import kept, registered, walked_to

PERIOD = Period(NOON - timedelta(hours=12), NOON + timedelta(hours=12))
REASON = "Overført til Askøy kommune, vedtak 2026/17."


async def compared(settings: Settings, *there: str) -> Reconciliation:
    async def case_system(_period: Period) -> tuple[str, ...]:
        return there

    return await reconcile(settings, PERIOD, case_system=case_system, ask_queue=False, clock=StillClock())


async def test_what_is_rightly_gone_is_missed_no_more(settings: Settings, journal: Journal) -> None:
    gone = await registered(journal, "2026/17")
    assert (await compared(settings)).missing
    assert await settle(settings.journal, gone.reference or "", REASON, clock=StillClock()) == gone.id
    assert await journal.reconciliations.count_missing(KONTO) == 0
    result = await compared(settings)
    assert (result.missing, result.received.settled, result.received.registered) == (False, 1, 1)
    assert await journal.reconciliations.count_missing(KONTO) == 0
    [*_, event] = await journal.events(gone.id)
    assert (event.kind, event.detail) == (EventKind.SETTLED, {"reason": REASON})
    assert await journal.first_altered_event() is None


async def test_what_is_recovered_is_looked_for_again(settings: Settings, journal: Journal) -> None:
    gone = await registered(journal, "2026/17")
    await settle(settings.journal, gone.id, REASON, clock=StillClock())
    assert await journal.recoveries.ask([gone.id], at=NOON) == {gone.id}
    assert (await compared(settings)).missing


async def test_only_what_was_registered_can_rightly_be_gone_and_that_is_said_once(
    settings: Settings, journal: Journal
) -> None:
    waiting, gone = await kept(journal), await registered(journal, "2026/17")
    with pytest.raises(JournalError, match="never had it"):
        await settle(settings.journal, waiting.id, REASON)
    with pytest.raises(FiksmeldingError, match="plain text"):
        await settle(settings.journal, gone.id, " ")
    with pytest.raises(JournalError, match="no such message"):
        await settle(settings.journal, "another", REASON)
    await settle(settings.journal, gone.id, REASON)
    with pytest.raises(JournalError, match="said of it before"):
        await settle(settings.journal, gone.id, REASON)


async def refused(journal: Journal) -> Entry:
    """A report whose receipt the platform will not take."""
    entry = await registered(journal, "2026/17", receipted=False)
    assert entry.receipt is not None
    change = Change(event=EventKind.RECEIPT_REFUSED, due_at=None, receipt=replace(entry.receipt, attempts=1))
    return await journal.record(entry, change, at=NOON)


async def test_a_receipt_that_was_refused_can_be_sent_again(settings: Settings, journal: Journal) -> None:
    entry = await refused(journal)
    [found] = [one for one in (await compared(settings, entry.reference or "")).differences if one.id == entry.id]
    assert (found.cause, f"receipt retry {entry.id}" in found.command) == (Cause.RECEIPT_REFUSED, True)
    assert await send_receipt_again(settings.journal, entry.id, clock=StillClock()) == entry.id
    [due] = await journal.claim(NOON + timedelta(days=1), owner="a receiver", lease=timedelta(minutes=1), limit=9)
    assert (due.id, due.state) == (entry.id, State.REGISTERED)


async def test_a_receipt_that_was_taken_or_is_under_way_is_left_alone(at: JournalSettings, journal: Journal) -> None:
    for state in (State.RECEIVED, State.CONFIRMED, State.RECEIPTED):
        entry = await walked_to(journal, state)
        with pytest.raises(JournalError, match="no receipt that was refused"):
            await send_receipt_again(at, entry.id)
