"""How much waits, for those who watch."""

import asyncio
from datetime import timedelta

import pytest

from fiksmelding.journal import Journal, State, Waiting
from support.arrivals import NOON, arrival
from support.journals import kept, walked_to


async def test_messages_with_a_step_ahead_are_counted_by_state(journal: Journal) -> None:
    for state in State:
        await walked_to(journal, state)
    await kept(journal, arrival(received_at=NOON - timedelta(hours=1)))
    found = {one.state: one for one in await journal.overview.waiting()}
    assert found["RECEIVED"] == Waiting("RECEIVED", 2, NOON - timedelta(hours=1))
    assert {state: one.count for state, one in found.items()} == {
        "RECEIVED": 2,
        "OPENED": 1,
        "REGISTERED": 1,
        "CONFIRMED": 1,
        "REJECTED": 1,
        "QUARANTINED": 1,
    }


async def test_a_state_without_messages_is_told_too(journal: Journal) -> None:
    assert all((one.count, one.oldest) == (0, None) for one in await journal.overview.waiting())


async def test_another_account_s_messages_are_not_ours(journal: Journal) -> None:
    entry = await kept(journal)
    assert sum(one.count for one in await journal.overview.waiting(konto_id=entry.arrival.konto_id)) == 1
    assert sum(one.count for one in await journal.overview.waiting(konto_id="another")) == 0


@pytest.mark.parametrize("size", [0, 100_000])
async def test_whether_it_can_be_written_may_be_asked_by_several_at_once(journal: Journal, size: int) -> None:
    await asyncio.gather(*(journal.check_writable(size, at=NOON) for _ in range(5)))
