"""What the journal remembers of comparisons with the case system."""

from dataclasses import replace
from datetime import timedelta

from fiksmelding.journal import Change, EventKind, Journal, Reconciled, State
from support.arrivals import KONTO, NOON, OTHER_KONTO, arrival
from support.journals import LEASE, kept, walked_to

LATER = NOON + timedelta(hours=1)
RECONCILED = Reconciled(
    konto_id=KONTO, at=NOON, period_start=NOON - timedelta(days=1), period_end=NOON, compared=True, agreed=True
)


async def missing(journal: Journal, konto_id: str = KONTO) -> list[str]:
    return [entry_id async for page in journal.reconciliations.missing(konto_id) for entry_id in page]


async def test_a_report_is_marked_missing_once_until_it_is_found(journal: Journal) -> None:
    entry = await walked_to(journal, State.CONFIRMED)
    book = journal.reconciliations
    for at in (NOON, LATER):
        await book.mark_missing([entry.id], at=at)
    assert (await missing(journal), await book.count_missing(KONTO)) == ([entry.id], 1)
    [standing] = [one async for page in journal.overview.standings(NOON, LATER) for one in page]
    assert standing.missing_at == NOON
    for _ in range(2):
        await book.mark_found([entry.id], at=LATER)
    assert (await missing(journal), await book.count_missing(KONTO)) == ([], 0)
    kinds = [event.kind for event in await journal.events(entry.id)]
    assert kinds[-2:] == [EventKind.MISSING_THERE, EventKind.FOUND_THERE]
    assert await journal.first_altered_event() is None


async def test_marking_stops_nobody_who_works_on_the_report(journal: Journal) -> None:
    await kept(journal)
    [entry] = await journal.claim(NOON, owner="a receiver", lease=LEASE, limit=1)
    await journal.reconciliations.mark_missing([entry.id], at=NOON)
    after = await journal.record(entry, Change(event=EventKind.OPENED, state=State.OPENED, due_at=NOON), at=NOON)
    assert after.state is State.OPENED
    assert await missing(journal) == [entry.id]
    assert await journal.first_altered_event() is None


async def test_what_is_missing_is_counted_for_each_account_and_only_while_it_can_be_recovered(journal: Journal) -> None:
    erased = await walked_to(journal, State.ERASED)
    other = await kept(journal, arrival(konto_id=OTHER_KONTO), b"other")
    await journal.reconciliations.mark_missing([erased.id, other.id, "unknown"], at=NOON)
    assert await missing(journal) == []
    assert await missing(journal, OTHER_KONTO) == [other.id]


async def test_the_last_comparison_is_the_last_in_which_all_was_compared(journal: Journal) -> None:
    book = journal.reconciliations
    assert await book.last(KONTO) is None
    await book.note(RECONCILED)
    await book.note(replace(RECONCILED, at=LATER, agreed=False))
    await book.note(replace(RECONCILED, compared=False, at=LATER + timedelta(hours=1)))
    await book.note(replace(RECONCILED, konto_id=OTHER_KONTO, at=LATER + timedelta(hours=2)))
    assert await book.last(KONTO) == replace(RECONCILED, at=LATER, agreed=False)
