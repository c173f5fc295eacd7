"""What is asked to be handed over once more."""

from datetime import timedelta

import pytest

from fiksmelding.errors import JournalError
from fiksmelding.journal import Answer, Change, Entry, EventKind, Journal, Receipt, State
from support.arrivals import KONTO, NOON, OTHER_KONTO
from support.journals import LEASE, kept, walked_to

LATER = NOON + timedelta(days=30)
DONE = Change(event=EventKind.RECOVERED, due_at=None, reference="new", recovery=True)
REFUSED = Change(event=EventKind.RECOVERY_REFUSED, due_at=None, recovery=False)


async def receipted(journal: Journal, body: bytes = b"sealed") -> Entry:
    entry = await kept(journal, body=body)
    receipt = Receipt(Answer.MOTTATT, "r-1", taken_at=NOON)
    for change in (
        Change(event=EventKind.OPENED, state=State.OPENED, due_at=NOON),
        Change(event=EventKind.REGISTERED, state=State.REGISTERED, due_at=NOON, reference="old", receipt=receipt),
        Change(event=EventKind.RECEIPTED, state=State.RECEIPTED, due_at=None),
    ):
        entry = await journal.record(entry, change, at=NOON)
    return entry


async def claimed(journal: Journal, **wanted: object) -> list[Entry]:
    return list(await journal.claim(LATER, owner="a", lease=LEASE, limit=9, **wanted))  # type: ignore[arg-type]


async def test_what_is_asked_for_is_due_and_is_over_when_it_is_done(journal: Journal) -> None:
    entry = await receipted(journal)
    assert await journal.recoveries.ask([entry.id, "unknown"], at=LATER) == {entry.id}
    assert await journal.recoveries.ask([entry.id], at=LATER) == frozenset(), "once"
    assert await journal.recoveries.waiting(KONTO, asked_at=LATER) == 1
    assert await journal.recoveries.waiting(OTHER_KONTO) == 0
    [again] = await claimed(journal, only_recoveries=True)
    assert (again.id, again.state, again.recovery_at, again.due_at) == (entry.id, State.RECEIPTED, LATER, LATER)
    done = await journal.record(again, DONE, at=LATER)
    assert done == await journal.entry(entry.id)
    assert (done.reference, done.recovery_at, done.receipt) == ("new", None, entry.receipt)
    assert await journal.recoveries.waiting(KONTO) == 0
    kinds = [event.kind for event in await journal.events(entry.id)]
    assert kinds[-2:] == [EventKind.RECOVERY_ASKED, EventKind.RECOVERED]
    assert await journal.first_altered_event() is None


async def test_it_is_no_longer_missing_when_recovered_and_is_when_it_cannot_be(journal: Journal) -> None:
    first, second = await receipted(journal, b"1"), await receipted(journal, b"2")
    await journal.reconciliations.mark_missing([first.id], at=NOON)
    await journal.recoveries.ask([first.id, second.id], at=LATER)
    for entry, change in zip(await claimed(journal), (DONE, REFUSED), strict=True):
        await journal.record(entry, change, at=LATER)
    missing = [one async for page in journal.reconciliations.missing(KONTO) for one in page]
    assert missing == [second.id]
    assert await journal.recoveries.refused(KONTO, asked_at=LATER) == 1


@pytest.mark.parametrize(
    "state", [State.RECEIVED, State.OPENED, State.QUARANTINED, State.NOTED, State.ERASED, State.REGISTERED]
)
async def test_what_has_no_answer_or_no_original_is_not_asked_for(journal: Journal, state: State) -> None:
    entry = await walked_to(journal, state)
    assert await journal.recoveries.ask([entry.id], at=LATER) == frozenset()


async def test_what_is_being_worked_on_is_left_to_whoever_does(journal: Journal) -> None:
    entry = await receipted(journal)
    await journal.recoveries.ask([entry.id], at=LATER)
    [again] = await claimed(journal)
    returned = Change(event=EventKind.RECEIPT_RETURNED, state=State.REGISTERED, due_at=LATER, recovery=True)
    held = await journal.record(again, returned, at=LATER)
    assert held.lease is not None
    assert await journal.recoveries.ask([entry.id], at=LATER) == frozenset()
    await journal.release(held)
    assert await journal.recoveries.ask([entry.id], at=LATER) == {entry.id}


async def test_while_the_case_system_is_busy_nothing_is_recovered_however_late(journal: Journal) -> None:
    entry = await receipted(journal)
    await journal.recoveries.ask([entry.id], at=LATER)
    assert await claimed(journal, only_late=(State.OPENED,)) == []
    assert await journal.next_due(owner="a", without_states=(State.OPENED,)) is None
    assert await journal.next_due(owner="a", only_recoveries=True) == LATER
    assert [one.id for one in await claimed(journal)] == [entry.id]


@pytest.mark.parametrize("marked", ["missing", "to be recovered"])
async def test_the_original_of_what_the_case_system_has_not_is_never_erased(journal: Journal, marked: str) -> None:
    entry = await receipted(journal)
    if marked == "missing":
        await journal.reconciliations.mark_missing([entry.id], at=NOON)
    else:
        await journal.recoveries.ask([entry.id], at=NOON)
    with pytest.raises(JournalError, match="does not have"):
        await journal.erase(await journal.entry(entry.id), at=LATER)
    assert (await journal.entry(entry.id)).state is State.RECEIPTED
