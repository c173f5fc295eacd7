"""The outbox: what is kept, who may take the next step, and what stays."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalError
from fiksmelding.journal import EventKind, Journal
from fiksmelding.journal.outbox import Order, Outbox, Outgoing, OutgoingState, SealedCopies, SeenStatus, Step
from support import shipping
from support.arrivals import NOON
from support.journals import kept, tamper
from support.shipping import OURS

COPIES = SealedCopies(bytes(range(256)) * 20, b"sealed for the printer")
LATER = NOON + timedelta(hours=1)


THEIRS = "b6a1c9f4-2f1d-4c8a-9b2e-0c7f5d3e1a11"


def order(key: str | None = None, organisation_id: str = OURS) -> Order:
    return shipping.order(NOON, key=key, organisation_id=organisation_id)


@pytest.fixture
async def outbox(at: JournalSettings) -> AsyncIterator[Outbox]:
    async with Outbox(at) as opened:
        yield opened


async def claimed(outbox: Outbox, owner: str = "we") -> Outgoing:
    [outgoing] = await outbox.claim(LATER, owner=owner, lease=timedelta(minutes=1), limit=1)
    return outgoing


SUBMITTING = Step(event=EventKind.SUBMITTING, state=OutgoingState.SUBMITTING, due_at=NOON, submissions=1)


async def test_a_report_is_kept_whole_and_found_by_either_id(outbox: Outbox) -> None:
    outgoing, known = await outbox.keep(order("case-17"), COPIES)
    assert (outgoing.state, outgoing.order, known) == (OutgoingState.QUEUED, order("case-17"), False)
    assert await outbox.copies(outgoing) == COPIES
    accepted = await outbox.accept(outgoing.id, "8b0f6a50-0000-4000-8000-000000000001", due_at=LATER, at=NOON)
    assert await outbox.get("8b0f6a50-0000-4000-8000-000000000001") == accepted == await outbox.get(outgoing.id)
    with pytest.raises(JournalError):
        await outbox.get("nobody")


async def test_asking_twice_under_one_key_keeps_one_report(outbox: Outbox) -> None:
    first, _ = await outbox.keep(order("case-17"), COPIES)
    assert await outbox.keep(order("case-17"), SealedCopies(b"other", b"bytes")) == (first, True)
    assert await outbox.copies(first) == COPIES
    for _ in range(2):
        await outbox.keep(order(), COPIES)
    assert await outbox.count() == 3


async def test_each_organisation_has_its_own_keys_and_hands_over_its_own_reports_only(at: JournalSettings) -> None:
    async with Outbox(at, OURS) as ours:
        mine, _ = await ours.keep(order("case-17"), COPIES)
        other, known = await ours.keep(order("case-17", THEIRS), COPIES)
        assert (known, other.id == mine.id) == (False, False)
        assert await ours.by_key(THEIRS, "case-17") == other
        claims = await ours.claim(LATER, owner="we", lease=timedelta(minutes=1), limit=9)
        assert [one.id for one in claims] == [mine.id]
        assert await ours.next_due(owner="we", without=[mine.id]) is None


async def test_steps_are_events_in_a_chain_that_the_journal_verifies(outbox: Outbox, at: JournalSettings) -> None:
    outgoing, _ = await outbox.keep(order(), COPIES)
    held = await outbox.record(await claimed(outbox), SUBMITTING, at=LATER)
    assert (held.submissions, held.lease is not None) == (1, True)
    followed = await outbox.accept(outgoing.id, "r-1", due_at=NOON, at=LATER)
    seen = (SeenStatus("AKSEPTERT", "2026-03-02T12:00:00"), SeenStatus("LEVERT", "2026-03-02T12:00:09"))
    told = Step(event=EventKind.STATUS, detail={"tilstand": "LEVERT"}, due_at=NOON, statuses=seen)
    followed = await outbox.record(followed, told, at=LATER)
    assert (followed.tilstand, followed.moved_at) == ("LEVERT", LATER)
    arrived = Step(event=EventKind.DELIVERED, state=OutgoingState.DELIVERED, due_at=LATER)
    erased = await outbox.erase(await outbox.record(followed, arrived, at=LATER), at=LATER)
    assert (erased.state, erased.due_at) == (OutgoingState.ERASED, None)
    with pytest.raises(JournalError, match="erased"):
        await outbox.copies(erased)
    kinds = [event.kind.value for event in await outbox.events(outgoing.id)]
    assert kinds == ["queued", "submitting", "submitted", "status", "delivered", "erased"]
    assert await outbox.checkpoint(LATER) is not None
    async with Journal(at) as journal:
        await kept(journal)
        assert await journal.first_altered_event() is None
        await tamper(journal, "UPDATE events SET kind = 'cancelled' WHERE kind = 'submitted'")
        altered = await journal.first_altered_event()
        assert altered is not None
        assert (altered.entry_id, altered.number) == (outgoing.id, 3)


async def test_what_one_has_claimed_is_not_another_s(outbox: Outbox) -> None:
    await outbox.keep(order(), COPIES)
    held = await claimed(outbox)
    assert await outbox.claim(LATER, owner="they", lease=timedelta(minutes=1), limit=1) == []
    [taken_over] = await outbox.claim(LATER + timedelta(hours=1), owner="they", lease=timedelta(minutes=1), limit=1)
    assert await outbox.renew([held], until=LATER) == {held.id}
    with pytest.raises(JournalError, match="claimed"):
        await outbox.record(held, SUBMITTING, at=LATER)
    await outbox.record(taken_over, SUBMITTING, at=LATER)


async def test_that_the_platform_took_it_is_recorded_whoever_works_on_it(outbox: Outbox) -> None:
    """We stalled in the call, another process took over and thought the outcome unknown; then our answer came."""
    outgoing, _ = await outbox.keep(order(), COPIES)
    held = await outbox.record(await claimed(outbox), SUBMITTING, at=LATER)
    unknown = Step(event=EventKind.OUTCOME_UNKNOWN, state=OutgoingState.UNCERTAIN, due_at=LATER, uncertain=True)
    await outbox.record(held, unknown, at=LATER)
    late = await outbox.accept(outgoing.id, "r-1", due_at=LATER, at=LATER)
    assert (late.state, late.report_id, late.uncertain) == (OutgoingState.ACCEPTED, "r-1", True)
    again = await outbox.accept(outgoing.id, "r-2", due_at=LATER, at=LATER)
    assert (again.state, again.report_id) == (OutgoingState.ACCEPTED, "r-1")
    last = (await outbox.events(outgoing.id))[-1]
    assert (last.kind, last.detail["report_id"]) == (EventKind.SUBMITTED_AGAIN, "r-2")


async def test_no_two_reports_go_by_one_id_of_the_platform(outbox: Outbox) -> None:
    first, second = [(await outbox.keep(order(), COPIES))[0] for _ in range(2)]
    await outbox.accept(first.id, "r-1", due_at=LATER, at=NOON)
    with pytest.raises(JournalError, match="Another report"):
        await outbox.accept(second.id, "r-1", due_at=LATER, at=NOON)
    assert await outbox.get(second.id) == second


async def test_a_cancelled_report_loses_its_sealed_copies_and_a_taken_one_cannot_be_cancelled(outbox: Outbox) -> None:
    outgoing, _ = await outbox.keep(order(), COPIES)
    cancelled = await outbox.cancel(outgoing, at=NOON)
    with pytest.raises(JournalError):
        await outbox.copies(cancelled)
    with pytest.raises(JournalError, match="QUEUED"):
        await outbox.record(outgoing, SUBMITTING, at=NOON)
    second, _ = await outbox.keep(order(), COPIES)
    with pytest.raises(JournalError, match="cannot be cancelled"):
        await outbox.cancel(await outbox.accept(second.id, "r-2", due_at=NOON, at=NOON), at=NOON)


async def test_waiting_is_no_event(outbox: Outbox) -> None:
    outgoing, _ = await outbox.keep(order(), COPIES)
    waiting = await outbox.postpone(outgoing, LATER, failures=3)
    assert (waiting.due_at, waiting.failures) == (LATER, 3)
    assert len(await outbox.events(outgoing.id)) == 1
    assert await outbox.next_due(owner="we") == LATER
    assert [one.id for one in await outbox.list(OutgoingState.QUEUED, limit=5)] == [outgoing.id]


async def test_a_receiver_and_a_sender_may_share_one_file(outbox: Outbox, at: JournalSettings) -> None:
    async with Journal(at) as journal:
        await kept(journal)
        await outbox.keep(order(), COPIES)
        entries = await journal.claim(LATER, owner="r", lease=timedelta(minutes=1), limit=5)
        assert (len(entries), (await claimed(outbox)).state) == (1, OutgoingState.QUEUED)
