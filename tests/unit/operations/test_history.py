"""One report's history."""

import json

import pytest

from fiksmelding.errors import JournalError
from fiksmelding.journal import Change, EventKind, Journal, State
from fiksmelding.operations import history_of, kept_original
from fiksmelding.operations.history import EVENTS, STATES
from support.arrivals import NOON, arrival
from support.journals import kept, stored


async def test_every_sending_of_a_report_is_found_by_any_of_its_names(journal: Journal) -> None:
    first = await kept(journal, arrival(melding_id="m-1", bekymringsmelding_id="b-1"))
    opened = Change(event=EventKind.OPENED, state=State.OPENED, due_at=NOON, report_id="r-1")
    registered = Change(event=EventKind.REGISTERED, state=State.REGISTERED, due_at=NOON, reference="2026/17")
    for change in (opened, registered):
        first = await journal.record(first, change, at=NOON)
    again = await kept(journal, arrival(melding_id="m-2"), b"again")
    repeats = Change(event=EventKind.OPENED, state=State.OPENED, due_at=NOON, duplicate_of=first.id)
    again = await journal.record(again, repeats, at=NOON)
    await kept(journal, body=b"another")
    for name in (first.id, again.id, "m-1", "m-2", "b-1", "r-1", "2026/17"):
        history = await history_of(journal, name)
        assert [one.entry.id for one in history.sendings] == [first.id, again.id], name
    told = json.loads(history.to_json())
    assert [event["event"] for event in told["sendings"][0]["events"]] == ["kept", "opened", "registered"]
    assert told["sendings"][1]["repetitionOf"] == first.id
    text = history.to_text()
    assert "Referanse i fagsystemet: 2026/17" in text
    assert "02.03.2026 kl. 13.00.00  Fagsystemet svarte at meldingen er registrert." in text
    assert await stored(journal, kept_original(history).id) == b"sealed"


async def test_the_sending_that_is_not_erased_has_the_original(journal: Journal) -> None:
    first = await kept(journal)
    for state in (State.OPENED, State.REJECTED, State.RECEIPTED):
        first = await journal.record(first, Change(event=EventKind.OPENED, state=state, due_at=None), at=NOON)
    first = await journal.erase(first, at=NOON)
    history = await history_of(journal, first.id)
    assert "selve meldingen er slettet" in history.to_text()
    with pytest.raises(JournalError, match="erased"):
        kept_original(history)


async def test_a_name_of_none_or_of_several_reports_is_refused(journal: Journal) -> None:
    with pytest.raises(JournalError, match="no such message"):
        await history_of(journal, "2026/17")
    for body in (b"1", b"2"):
        entry = await kept(journal, body=body)
        for state in (State.OPENED, State.REGISTERED):
            change = Change(event=EventKind.OPENED, state=state, due_at=NOON, reference="case")
            entry = await journal.record(entry, change, at=NOON)
    with pytest.raises(JournalError, match="Several"):
        await history_of(journal, "case")


def test_whatever_happens_to_a_report_is_told_in_norwegian() -> None:
    kinds = list(EventKind)
    assert set(kinds[: kinds.index(EventKind.QUEUED)]) == set(EVENTS), "what comes from QUEUED on is of reports we send"
    assert set(STATES) == set(State)
