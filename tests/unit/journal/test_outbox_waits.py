"""After a clock that was wrong, no report in the outbox sleeps until a time that is not coming."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from fiksmelding.config import JournalSettings
from fiksmelding.journal import EventKind, Journal
from fiksmelding.journal.outbox import Outbox, Outgoing, OutgoingState, Step
from support.arrivals import NOON
from support.journals import LEASE
from support.shipping import COPIES, order

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LONGEST = {
    OutgoingState.QUEUED: HOUR,
    OutgoingState.SUBMITTING: HOUR,
    OutgoingState.UNCERTAIN: 4 * HOUR,
    OutgoingState.ACCEPTED: HOUR,
    OutgoingState.REFUSED: DAY,
    OutgoingState.DELIVERED: 30 * DAY,
}
ROADS = {
    OutgoingState.QUEUED: (),
    OutgoingState.UNCERTAIN: (OutgoingState.SUBMITTING, OutgoingState.UNCERTAIN),
    OutgoingState.ACCEPTED: (OutgoingState.SUBMITTING, OutgoingState.ACCEPTED),
    OutgoingState.REFUSED: (OutgoingState.REFUSED,),
    OutgoingState.DELIVERED: (OutgoingState.SUBMITTING, OutgoingState.ACCEPTED, OutgoingState.DELIVERED),
}


@pytest.fixture
async def outbox(at: JournalSettings) -> AsyncIterator[Outbox]:
    async with Outbox(at) as opened:
        yield opened


async def ended(outbox: Outbox) -> int:
    return await outbox.end_impossible_waits(
        NOON, longest_waits=LONGEST, longest_lease=10 * LEASE, clocks_differ=timedelta(minutes=1)
    )


async def waiting(outbox: Outbox, state: OutgoingState, wait: timedelta) -> Outgoing:
    outgoing, _ = await outbox.keep(order(NOON), COPIES)
    for step in ROADS[state]:
        outgoing = await outbox.record(outgoing, Step(event=EventKind.STATUS, state=step, due_at=NOON), at=NOON)
    return await outbox.postpone(outgoing, NOON + wait, failures=1)


@pytest.mark.parametrize("state", [OutgoingState.QUEUED, OutgoingState.ACCEPTED])
async def test_what_a_wrong_clock_put_to_sleep_goes_on_and_what_waits_its_turn_does_not(
    at: JournalSettings, outbox: Outbox, state: OutgoingState
) -> None:
    asleep = await waiting(outbox, state, 6 * HOUR)
    awake = await waiting(outbox, state, HOUR)
    assert await ended(outbox) == 1
    claimed = await outbox.claim(NOON, owner="a", lease=LEASE, limit=9)
    assert [outgoing.id for outgoing in claimed] == [asleep.id]
    assert (await outbox.get(awake.id)).due_at == NOON + HOUR
    assert await ended(outbox) == 0
    async with Journal(at) as journal:
        assert await journal.first_altered_event() is None


@pytest.mark.parametrize("state", [OutgoingState.UNCERTAIN, OutgoingState.REFUSED, OutgoingState.DELIVERED])
async def test_a_wait_that_gives_time_gets_all_of_it_from_now_on(outbox: Outbox, state: OutgoingState) -> None:
    outgoing = await waiting(outbox, state, 366 * DAY)
    assert await ended(outbox) == 1
    assert (await outbox.get(outgoing.id)).due_at == NOON + LONGEST[state]
    assert await ended(outbox) == 0


async def test_what_waits_for_nothing_is_left_alone(outbox: Outbox) -> None:
    outgoing, _ = await outbox.keep(order(NOON), COPIES)
    await outbox.cancel(outgoing, at=NOON)
    assert await ended(outbox) == 0


async def test_a_report_kept_while_the_clock_was_ahead_is_sent_now_and_missed_in_time(outbox: Outbox) -> None:
    kept, _ = await outbox.keep(order(NOON + DAY), COPIES)
    assert kept.due_at == kept.moved_at == NOON + DAY
    assert await ended(outbox) == 1
    now = await outbox.get(kept.id)
    assert now.due_at == now.moved_at == NOON


async def test_a_claim_made_under_a_wrong_clock_ends_and_a_longer_one_than_ours_does_not(outbox: Outbox) -> None:
    await outbox.keep(order(NOON), COPIES)
    await outbox.claim(NOON + 6 * HOUR, owner="dead", lease=LEASE, limit=9)
    assert await outbox.claim(NOON, owner="a", lease=LEASE, limit=9) == []
    await ended(outbox)
    assert await outbox.claim(NOON, owner="a", lease=5 * LEASE, limit=9) != []
    await ended(outbox)
    assert await outbox.claim(NOON, owner="b", lease=LEASE, limit=9) == []
