import asyncio
from datetime import timedelta

import pytest

from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalError
from fiksmelding.journal import Change, EventKind, Journal, State
from support.arrivals import NOON, arrival
from support.journals import LEASE, kept

OPENED = Change(event=EventKind.OPENED, state=State.OPENED, due_at=NOON)


async def test_due_entries_are_claimed_oldest_first_and_without_those_in_hand(journal: Journal) -> None:
    first, second, third = [await kept(journal) for _ in range(3)]
    await journal.record(second, Change(event=EventKind.OPENED, due_at=NOON + timedelta(hours=1)), at=NOON)
    claimed = await journal.claim(NOON, owner="a", lease=LEASE, limit=9, without=[first.id])
    assert [entry.id for entry in claimed] == [third.id]
    claimed = await journal.claim(NOON, owner="a", lease=LEASE, limit=1)
    assert [entry.id for entry in claimed] == [first.id]
    assert await journal.next_due(owner="a", without=[first.id, third.id]) == NOON + timedelta(hours=1)
    assert await journal.next_due(owner="a", without=[first.id, second.id, third.id]) is None


async def test_what_waits_for_a_person_is_not_claimed(journal: Journal) -> None:
    entry = await kept(journal)
    await journal.record(entry, Change(event=EventKind.QUARANTINED, state=State.QUARANTINED, due_at=None), at=NOON)
    assert await journal.claim(NOON + timedelta(days=99), owner="a", lease=LEASE, limit=9) == []


async def test_what_one_holds_no_other_gets_until_the_lease_has_ended(journal: Journal) -> None:
    entry = await kept(journal)
    [held] = await journal.claim(NOON, owner="a", lease=LEASE, limit=9)
    assert await journal.claim(NOON + LEASE / 2, owner="b", lease=LEASE, limit=9) == []
    assert await journal.next_due(owner="b") is None
    assert await journal.renew([held], until=NOON + 2 * LEASE) == frozenset()
    assert await journal.claim(NOON + LEASE, owner="b", lease=LEASE, limit=9) == []
    [taken_over] = await journal.claim(NOON + 2 * LEASE, owner="b", lease=LEASE, limit=9)
    assert taken_over.id == entry.id


async def test_who_lost_the_lease_records_nothing_any_more(journal: Journal) -> None:
    await kept(journal)
    [stale] = await journal.claim(NOON, owner="a", lease=LEASE, limit=9)
    [held] = await journal.claim(NOON + LEASE, owner="b", lease=LEASE, limit=9)
    for step in (OPENED, Change(event=EventKind.HANDLER_FAILED, due_at=NOON)):
        with pytest.raises(JournalError, match="claimed by another"):
            await journal.record(stale, step, at=NOON + LEASE)
    with pytest.raises(JournalError, match="claimed by another"):
        await journal.postpone(stale, None)
    assert await journal.renew([stale], until=NOON + 9 * LEASE) == {stale.id}
    await journal.release(stale)
    opened = await journal.record(held, OPENED, at=NOON + LEASE)
    assert opened.state is State.OPENED
    assert [event.kind for event in await journal.events(held.id)] == [EventKind.KEPT, EventKind.OPENED]


async def test_an_earlier_claim_of_the_same_owner_records_nothing_either(journal: Journal) -> None:
    await kept(journal)
    [stale] = await journal.claim(NOON, owner="a", lease=LEASE, limit=9)
    await journal.claim(NOON, owner="a", lease=LEASE, limit=9)
    with pytest.raises(JournalError, match="claimed by another"):
        await journal.record(stale, OPENED, at=NOON)


async def test_a_person_takes_no_step_on_what_is_being_walked(journal: Journal) -> None:
    entry = await kept(journal)
    await journal.claim(NOON, owner="a", lease=LEASE, limit=9)
    with pytest.raises(JournalError, match="being worked on"):
        await journal.record(entry, OPENED, at=NOON)
    with pytest.raises(JournalError, match="being worked on"):
        await journal.postpone(entry, None)


async def test_a_step_by_a_person_after_the_lease_has_ended_ends_it_for_good(journal: Journal) -> None:
    entry = await kept(journal)
    [stale] = await journal.claim(NOON, owner="a", lease=LEASE, limit=9)
    await journal.record(entry, Change(event=EventKind.RETRIED, due_at=NOON + LEASE), at=NOON + LEASE)
    with pytest.raises(JournalError, match="claimed by another"):
        await journal.record(stale, OPENED, at=NOON + LEASE)


async def test_a_step_keeps_the_lease_while_there_is_more_to_do_and_gives_it_back_then(journal: Journal) -> None:
    await kept(journal)
    [entry] = await journal.claim(NOON, owner="a", lease=LEASE, limit=9)
    entry = await journal.record(entry, OPENED, at=NOON)
    assert entry.lease is not None
    assert await journal.claim(NOON, owner="b", lease=LEASE, limit=9) == []
    later = NOON + timedelta(seconds=1)
    entry = await journal.record(entry, Change(event=EventKind.HANDLER_FAILED, due_at=later), at=NOON)
    assert entry.lease is None
    [claimed] = await journal.claim(later, owner="b", lease=LEASE, limit=9)
    assert (await journal.postpone(claimed, later)).lease is None
    [claimed] = await journal.claim(later, owner="a", lease=LEASE, limit=9)
    await journal.release(claimed)
    assert len(await journal.claim(later, owner="b", lease=LEASE, limit=9)) == 1


async def test_those_who_claim_at_the_same_time_never_get_the_same(at: JournalSettings) -> None:
    async with Journal(at) as journal:
        ids = {(await kept(journal)).id for _ in range(30)}
        claims = [journal.claim(NOON, owner=f"owner {n}", lease=LEASE, limit=7) for n in range(6)]
        claimed = [entry.id for entries in await asyncio.gather(*claims) for entry in entries]
    assert len(claimed) == len(set(claimed))
    assert set(claimed) <= ids
    assert len(claimed) >= 7


async def test_two_reports_that_take_one_report_id_at_the_same_time_do_not_both_get_it(journal: Journal) -> None:
    first, second = await kept(journal), await kept(journal)
    change = Change(event=EventKind.OPENED, state=State.OPENED, due_at=NOON, report_id="b-1")
    await journal.record(first, change, at=NOON)
    with pytest.raises(JournalError, match="took this report id"):
        await journal.record(second, change, at=NOON)
    assert (await journal.entry(second.id)).state is State.RECEIVED


async def test_messages_kept_at_the_same_time_are_all_there_and_redeliveries_are_told(journal: Journal) -> None:
    deliveries = [arrival(klient_melding_id="k-1") for _ in range(10)]
    answers = await asyncio.gather(*(journal.keep(delivery, b"sealed") for delivery in deliveries * 3))
    assert len({kept.entry_id for kept in answers}) == 10
    assert sum(not kept.repeated for kept in answers) == 10
    assert await journal.first_altered_event() is None
