"""Several accounts in one journal: what is sealed for one, the receiver of another cannot open and must not touch."""

from dataclasses import replace
from datetime import timedelta

from fiksmelding.journal import Answer, Change, EventKind, Journal, Receipt, State
from support.arrivals import KONTO, NOON, OTHER_KONTO, arrival
from support.journals import LEASE, kept

RECEIPTED = Change(event=EventKind.RECEIPTED, state=State.RECEIPTED, due_at=None)


async def test_only_the_entries_of_the_named_account_are_claimed(journal: Journal) -> None:
    theirs = await kept(journal, arrival(konto_id=OTHER_KONTO))
    ours = await kept(journal, arrival())
    claimed = await journal.claim(NOON, owner="a", lease=LEASE, limit=9, konto_id=KONTO)
    assert [entry.id for entry in claimed] == [ours.id]
    assert await journal.next_due(owner="a", without=[ours.id], konto_id=KONTO) is None
    assert await journal.next_due(owner="a", without=[theirs.id], konto_id=OTHER_KONTO) is None
    assert await journal.next_due(owner="b", konto_id=OTHER_KONTO) == NOON
    claimed = await journal.claim(NOON, owner="b", lease=LEASE, limit=9, konto_id=OTHER_KONTO)
    assert [entry.id for entry in claimed] == [theirs.id]


async def test_what_is_unanswered_is_counted_by_account(journal: Journal) -> None:
    for konto_id in (KONTO, KONTO, OTHER_KONTO):
        await kept(journal, arrival(konto_id=konto_id))
    assert await journal.unanswered(konto_id=KONTO) == 2
    assert await journal.unanswered(konto_id=OTHER_KONTO) == 1
    assert await journal.unanswered() == 3


async def test_one_report_sent_to_two_accounts_is_no_repetition(journal: Journal) -> None:
    await kept(journal, arrival(konto_id=OTHER_KONTO, klient_melding_id="k"))
    first = await kept(journal, arrival(klient_melding_id="k"))
    second = await kept(journal, arrival(klient_melding_id="k"))
    assert await journal.earlier_like(first) == []
    assert [entry.id for entry in await journal.earlier_like(second)] == [first.id]


async def test_old_originals_are_found_by_account(journal: Journal) -> None:
    for konto_id in (KONTO, OTHER_KONTO):
        entry = await kept(journal, arrival(konto_id=konto_id))
        for state in (State.OPENED, State.REJECTED):
            entry = await journal.record(entry, Change(event=EventKind.OPENED, state=state, due_at=NOON), at=NOON)
        receipt = Receipt(Answer.FEILET, "k", taken_at=NOON)
        await journal.record(entry, replace(RECEIPTED, receipt=receipt), at=NOON)
    later = NOON + timedelta(days=91)
    [found] = await journal.receipted_before(later, limit=9, konto_id=KONTO)
    assert found.arrival.konto_id == KONTO
    assert len(await journal.receipted_before(later, limit=9)) == 2
