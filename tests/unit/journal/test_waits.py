from datetime import timedelta

from fiksmelding.journal import Change, EventKind, Journal, State
from support.arrivals import NOON
from support.journals import LEASE, kept

HOUR = timedelta(hours=1)


async def ended(journal: Journal) -> int:
    return await journal.end_impossible_waits(NOON, longest_wait=HOUR, longest_lease=10 * LEASE)


async def wait_until_later(journal: Journal, wait: timedelta, state: State | None = None) -> str:
    entry = await kept(journal)
    change = Change(event=EventKind.HANDLER_FAILED, state=state, due_at=NOON + wait)
    return (await journal.record(entry, change, at=NOON)).id


async def test_what_a_wrong_clock_put_to_sleep_goes_on_and_what_waits_its_turn_does_not(journal: Journal) -> None:
    asleep = await wait_until_later(journal, 6 * HOUR)
    waiting = await wait_until_later(journal, HOUR)
    assert await ended(journal) == 1
    claimed = await journal.claim(NOON, owner="a", lease=LEASE, limit=9)
    assert [entry.id for entry in claimed] == [asleep]
    assert (await journal.entry(waiting)).due_at == NOON + HOUR
    assert await ended(journal) == 0
    assert await journal.first_altered_event() is None


async def test_what_waits_for_its_deadline_in_quarantine_goes_on_waiting(journal: Journal) -> None:
    entry_id = await wait_until_later(journal, 24 * HOUR, State.QUARANTINED)
    assert await ended(journal) == 0
    assert (await journal.entry(entry_id)).due_at == NOON + 24 * HOUR


async def test_a_claim_made_under_a_wrong_clock_ends_and_a_longer_one_than_ours_does_not(journal: Journal) -> None:
    await kept(journal)
    await journal.claim(NOON + 6 * HOUR, owner="dead", lease=LEASE, limit=9)
    assert await journal.claim(NOON, owner="a", lease=LEASE, limit=9) == []
    await ended(journal)
    [claimed] = await journal.claim(NOON, owner="a", lease=5 * LEASE, limit=9)
    await ended(journal)
    assert await journal.claim(NOON, owner="b", lease=LEASE, limit=9) == []
    assert claimed.lease is not None
