"""Reading what was kept in a period."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from fiksmelding.journal import Answer, Change, EventKind, Journal, Receipt, Standing, State, periods
from support.arrivals import NOON, OTHER_KONTO, arrival
from support.journals import kept

HOUR = timedelta(hours=1)


async def read(journal: Journal, start: datetime, end: datetime, *, konto_id: str | None = None) -> Sequence[Standing]:
    return [one async for page in journal.overview.standings(start, end, konto_id=konto_id) for one in page]


async def test_a_period_holds_what_was_kept_from_its_beginning_to_before_its_end(journal: Journal) -> None:
    ids = [(await kept(journal, arrival(received_at=NOON + hours * HOUR), b"%d" % hours)).id for hours in range(4)]
    found = await read(journal, NOON + HOUR, NOON + 3 * HOUR)
    assert [one.id for one in found] == ids[1:3]
    assert await read(journal, NOON + 9 * HOUR, NOON + 10 * HOUR) == []
    assert await read(journal, NOON, NOON) == []


async def test_pages_miss_and_repeat_nothing_even_of_one_moment(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periods, "PAGE", 2)
    monkeypatch.setattr(periods, "_STANDINGS", periods._STANDINGS.limit(2))
    ids = [(await kept(journal, body=b"%d" % number)).id for number in range(5)]
    ids.append((await kept(journal, arrival(received_at=NOON + HOUR), b"later")).id)
    pages = [page async for page in journal.overview.standings(NOON, NOON + 2 * HOUR)]
    assert [len(page) for page in pages] == [2, 2, 2]
    assert [one.id for page in pages for one in page] == ids


async def test_those_of_one_account_are_read_alone(journal: Journal) -> None:
    await kept(journal)
    other = await kept(journal, arrival(konto_id=OTHER_KONTO), b"2")
    assert [one.id for one in await read(journal, NOON, NOON + HOUR, konto_id=OTHER_KONTO)] == [other.id]


async def test_one_is_read_as_the_journal_holds_it(journal: Journal) -> None:
    entry = await kept(journal)
    [before] = await read(journal, NOON, NOON + HOUR)
    assert (before.state, before.registered, before.answer) == (State.RECEIVED, False, None)
    for change in (
        Change(event=EventKind.OPENED, state=State.OPENED, due_at=NOON, report_id="b-1", attempts=1),
        Change(
            event=EventKind.REGISTERED,
            state=State.REGISTERED,
            due_at=NOON,
            reference="2026/17",
            receipt=Receipt(Answer.MOTTATT, "r-1", taken_at=NOON),
        ),
    ):
        entry = await journal.record(entry, change, at=NOON)
    [after] = await read(journal, NOON, NOON + HOUR)
    assert (after.report_id, after.reference, after.attempts) == ("b-1", "2026/17", 1)
    assert (after.answer, after.taken_at, after.registered) == (Answer.MOTTATT, NOON, True)
    assert await journal.overview.known_references(["2026/17", "b-1", "2026/18"]) == {"2026/17", "b-1"}
    assert await journal.overview.known_references([]) == frozenset()
