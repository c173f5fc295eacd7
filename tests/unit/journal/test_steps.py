from dataclasses import replace
from datetime import timedelta

import pytest

from fiksmelding.errors import JournalError
from fiksmelding.journal import ALLOWED, Answer, Change, EventKind, Journal, Receipt, State
from support.arrivals import NOON, arrival
from support.journals import kept, tamper, walked_to


async def test_a_step_records_state_columns_receipt_and_event_together(journal: Journal) -> None:
    entry = await walked_to(journal, State.OPENED)
    receipt = Receipt(Answer.MOTTATT, "r-1")
    change = Change(
        event=EventKind.REGISTERED,
        detail={"reference": "2026/17"},
        state=State.REGISTERED,
        due_at=NOON,
        attempts=2,
        reference="2026/17",
        receipt=receipt,
    )
    after = await journal.record(entry, change, at=NOON + timedelta(seconds=3))
    assert (after.state, after.attempts, after.reference, after.receipt) == (State.REGISTERED, 2, "2026/17", receipt)
    last = (await journal.events(entry.id))[-1]
    assert (last.kind, last.at) == (EventKind.REGISTERED, NOON + timedelta(seconds=3))
    assert last.detail == {"reference": "2026/17", "state": "REGISTERED"}


async def test_a_reference_that_no_database_can_store_does_not_stop_the_report(journal: Journal) -> None:
    entry = await walked_to(journal, State.OPENED)
    change = Change(
        event=EventKind.REGISTERED,
        detail={"reference": "2026/\x00\ud800"},
        state=State.REGISTERED,
        due_at=NOON,
        reference="2026/\x00\ud800",
    )
    after = await journal.record(entry, change, at=NOON)
    assert after.reference == "2026/\ufffd?"
    assert await journal.first_altered_event() is None


@pytest.mark.parametrize("start", list(State))
async def test_only_the_steps_of_the_road_are_taken(journal: Journal, start: State) -> None:
    entry = await walked_to(journal, start)
    for target in State:
        if target in ALLOWED[start] or target is start:
            continue
        with pytest.raises(JournalError, match="cannot go"):
            await journal.record(entry, Change(event=EventKind.OPENED, state=target, due_at=None), at=NOON)
    assert (await journal.entry(entry.id)).state is start


async def test_what_a_step_returns_is_what_the_journal_holds(journal: Journal) -> None:
    entry = await kept(journal)
    receipt = Receipt(Answer.FEILET, "r-1", "fordi\x00 \ud800")
    changes = (
        Change(
            event=EventKind.OPENED, state=State.OPENED, due_at=NOON, attempts=1, report_id="b-1", duplicate_of="e-1"
        ),
        Change(event=EventKind.HANDLER_FAILED, due_at=NOON, attempts=2, failures=3, reference="x\x00"),
        Change(event=EventKind.REJECTED, state=State.REJECTED, due_at=NOON, failures=0, reason="\x00", receipt=receipt),
        Change(event=EventKind.RECEIPT_FAILED, due_at=None, receipt=replace(receipt, attempts=1, taken_at=NOON)),
    )
    for change in changes:
        entry = await journal.record(entry, change, at=NOON)
        assert entry == await journal.entry(entry.id)
    assert await journal.first_altered_event() is None


async def test_a_redelivery_that_is_noted_meanwhile_stops_no_step(journal: Journal) -> None:
    delivery = arrival()
    entry = await kept(journal, delivery)
    assert (await journal.keep(delivery, b"sealed")).repeated
    change = Change(event=EventKind.OPENED, state=State.OPENED, due_at=NOON)
    after = await journal.record(entry, change, at=NOON)
    assert after == await journal.entry(entry.id)
    kinds = [event.kind for event in await journal.events(entry.id)]
    assert kinds == [EventKind.KEPT, EventKind.REDELIVERED, EventKind.OPENED]
    assert await journal.first_altered_event() is None


async def test_two_that_take_the_same_step_do_not_both_succeed(journal: Journal) -> None:
    entry = await kept(journal)
    change = Change(event=EventKind.OPENED, state=State.OPENED, due_at=NOON)
    await journal.record(entry, change, at=NOON)
    with pytest.raises(JournalError, match="no longer RECEIVED"):
        await journal.record(entry, change, at=NOON)
    assert len(await journal.events(entry.id)) == 2


async def test_a_receipt_keeps_its_id_through_every_attempt(journal: Journal) -> None:
    entry = await walked_to(journal, State.OPENED)
    entry = await journal.record(
        entry,
        Change(event=EventKind.REGISTERED, state=State.REGISTERED, due_at=NOON, receipt=Receipt(Answer.MOTTATT, "r-1")),
        at=NOON,
    )
    tried = Receipt(Answer.MOTTATT, "r-1", attempts=1)
    entry = await journal.record(entry, Change(event=EventKind.RECEIPT_FAILED, due_at=NOON, receipt=tried), at=NOON)
    assert entry.receipt == tried


async def test_the_original_is_erased_only_after_its_answer_was_taken(journal: Journal) -> None:
    entry = await walked_to(journal, State.REJECTED)
    with pytest.raises(JournalError, match="Only a receipted"):
        await journal.erase(entry, at=NOON)
    receipt = Receipt(Answer.FEILET, "r-1", taken_at=NOON)
    change = Change(event=EventKind.RECEIPTED, state=State.RECEIPTED, due_at=None, receipt=receipt)
    entry = await journal.record(entry, change, at=NOON)
    assert [found.id for found in await journal.receipted_before(NOON + timedelta(days=91), limit=9)] == [entry.id]
    assert await journal.receipted_before(NOON, limit=9) == []
    erased = await journal.erase(entry, at=NOON)
    assert erased.state is State.ERASED
    assert [piece async for piece in journal.payload(erased)] == []
    assert (await journal.events(entry.id))[-1].kind is EventKind.ERASED


async def test_a_repetition_is_found_by_either_id_but_only_from_the_same_sender(journal: Journal) -> None:
    other = "11111111-1111-4111-8111-111111111111"
    first = await kept(journal, arrival(klient_melding_id="k-1", bekymringsmelding_id="b-1"))
    foreign = await kept(journal, arrival(klient_melding_id="k-1", bekymringsmelding_id="b-1", avsender_id=other))
    by_client_id = await kept(journal, arrival(klient_melding_id="k-1", bekymringsmelding_id="b-2"), b"2")
    by_report_id = await kept(journal, arrival(klient_melding_id="k-2", bekymringsmelding_id="b-1"), b"3")
    alone = await kept(journal, body=b"4")
    assert await journal.earlier_like(first) == []
    assert await journal.earlier_like(foreign) == []
    assert await journal.earlier_like(alone) == []
    assert [entry.id for entry in await journal.earlier_like(by_client_id)] == [first.id]
    assert [entry.id for entry in await journal.earlier_like(by_report_id)] == [first.id]


async def test_a_report_id_belongs_to_one_entry(journal: Journal) -> None:
    first, second = await kept(journal), await kept(journal)
    change = Change(event=EventKind.OPENED, state=State.OPENED, due_at=NOON, report_id="b-1")
    await journal.record(first, change, at=NOON)
    assert await journal.report_id_taken("b-1", by_other_than=second.id)
    assert not await journal.report_id_taken("b-1", by_other_than=first.id)
    with pytest.raises(JournalError, match="took this report id"):
        await journal.record(second, change, at=NOON)
    assert (await journal.entry(second.id)).state is State.RECEIVED


@pytest.mark.parametrize(
    "damage",
    [
        'update events set detail = \'{"state": "REGISTERED"}\' where number = 1',
        "update events set kind = 'registered' where number = 2",
        "update events set at = '2020-01-01 00:00:00.000000' where number = 2",
        "delete from events where number = 1",
        "update events set number = 9 where number = 2",
    ],
)
async def test_an_altered_event_is_found(journal: Journal, damage: str) -> None:
    entry = await walked_to(journal, State.REGISTERED)
    await kept(journal)
    assert await journal.first_altered_event() is None
    await tamper(journal, damage)
    altered = await journal.first_altered_event()
    assert altered is not None
    assert altered.entry_id == entry.id
