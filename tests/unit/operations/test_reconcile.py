"""Comparing what was kept with what the case system has, on a journal of either kind."""

from collections.abc import AsyncIterator, Callable, Iterable
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from fiksmelding.alarms import Alarm, AlarmKind
from fiksmelding.config import JournalSettings, Settings
from fiksmelding.errors import JournalError
from fiksmelding.journal import Answer, Change, EventKind, Journal, Receipt, State
from fiksmelding.journal.outbox import Outbox, OutgoingState, Step
from fiksmelding.operations import CaseSystem, Cause, Period, Reconciliation, reconcile
from support.arrivals import KONTO, NOON, OTHER_KONTO
from support.clocks import StillClock
from support.journals import kept, registered
from support.shipping import COPIES, order

PERIOD = Period(NOON - timedelta(hours=12), NOON + timedelta(hours=12))


def has(*references: str) -> CaseSystem:
    async def tell(_period: Period) -> Iterable[str]:
        return references

    return tell


class Compare:
    """Compares, hours after noon, and remembers the alarms."""

    def __init__(self, settings: Settings, clock: StillClock) -> None:
        self.settings = settings
        self.clock = clock
        self.alarms: list[Alarm] = []
        clock.advance(NOON - clock.now())

    async def __call__(self, case_system: CaseSystem | None = None, *, hours: float = 0) -> Reconciliation:
        self.clock.advance(timedelta(hours=hours))
        return await reconcile(
            self.settings,
            PERIOD,
            case_system=case_system,
            ask_queue=False,
            on_alarm=self.alarms.append,
            clock=self.clock,
            settings_file=Path("my file.toml"),
        )


@pytest.fixture
def compare(settings: Settings, clock: StillClock) -> Compare:
    return Compare(settings, clock)


async def test_a_report_missing_in_the_case_system_is_named_with_what_mends_it(
    journal: Journal, compare: Compare
) -> None:
    for reference in ("case-1", "case-2", "case-3"):
        await registered(journal, reference)
    result = await compare(has("case-1", "case-3"))
    [found] = result.differences
    assert (found.cause, found.reference, found.since) == (Cause.NOT_IN_CASE_SYSTEM, "case-2", NOON)
    assert found.command.endswith(f"{found.id} --settings 'my file.toml'")
    assert result.case_system is not None
    assert (result.case_system.found, result.case_system.missing, result.missing) == (2, 1, 1)
    assert not result.agrees
    [alarm] = compare.alarms
    assert alarm.kind is AlarmKind.RECONCILIATION
    assert "1 not_in_case_system" in alarm.text
    assert [event.kind for event in await journal.events(found.id or "")][-1] is EventKind.MISSING_THERE
    last = await journal.reconciliations.last(KONTO)
    assert last is not None
    assert (last.agreed, last.period_end) == (False, PERIOD.end)


async def test_what_is_found_later_is_no_longer_marked(journal: Journal, compare: Compare) -> None:
    entry = await registered(journal, "case-1")
    await compare(has())
    assert await journal.reconciliations.count_missing(KONTO) == 1
    result = await compare(has("case-1"))
    assert (result.agrees, await journal.reconciliations.count_missing(KONTO)) == (True, 0)
    assert [event.kind for event in await journal.events(entry.id)][-1] is EventKind.FOUND_THERE
    last = await journal.reconciliations.last(KONTO)
    assert last is not None
    assert last.agreed


async def test_of_half_a_list_nothing_is_concluded(journal: Journal, compare: Compare) -> None:
    await registered(journal, "case-1")

    async def breaks_off(_period: Period) -> AsyncIterator[str]:
        yield "case-2"
        raise ConnectionError("fnr 01010112345")

    result = await compare(breaks_off)
    assert (result.case_system, result.missing, result.differences) == (None, 0, ())
    assert result.problems == ("The case system could not tell what it has: ConnectionError",)
    assert await journal.reconciliations.count_missing(KONTO) == 0
    assert await journal.reconciliations.last(KONTO) is None
    assert [alarm.kind for alarm in compare.alarms] == [AlarmKind.NOT_RECONCILED]


async def test_what_the_journal_registered_while_the_case_system_was_asked_is_no_stranger(
    journal: Journal, compare: Compare
) -> None:
    async def meanwhile(_period: Period) -> AsyncIterator[str]:
        yield (await registered(journal, "case-1")).reference or ""

    result = await compare(meanwhile)
    assert (result.received.kept, result.differences) == (0, ())


async def test_a_reference_from_another_time_or_account_is_no_stranger_and_an_unknown_one_is_noted(
    journal: Journal, compare: Compare
) -> None:
    await registered(journal, "other", konto_id=OTHER_KONTO)
    await registered(journal, "case-1")
    result = await compare(has("case-1", "other", "brev-7"))
    assert [(one.cause, one.reference) for one in result.differences] == [(Cause.NOT_KNOWN_HERE, "brev-7")]
    assert (result.missing, result.agrees, compare.alarms) == (0, True, [])
    assert (result.received.kept, result.received.registered) == (1, 1)


async def test_an_erased_report_that_is_missing_cannot_be_recovered_and_is_not_marked(
    journal: Journal, compare: Compare
) -> None:
    await journal.erase(await registered(journal, "case-1"), at=NOON)
    result = await compare(has())
    assert [one.cause for one in result.differences] == [Cause.NOT_IN_CASE_SYSTEM_AND_ERASED]
    assert result.received.erased == 1
    assert await journal.reconciliations.count_missing(KONTO) == 0


async def test_what_stands_still_is_told_only_when_it_has_waited_too_long(journal: Journal, compare: Compare) -> None:
    await kept(journal)
    await registered(journal, "case-1", receipted=False)
    early = await compare(has("case-1"), hours=0.9)
    assert (early.differences, early.received.under_way) == ((), 2)
    late = await compare(has("case-1"), hours=0.2)
    assert [one.cause for one in late.differences] == [Cause.NOT_REGISTERED, Cause.NOT_RECEIPTED]
    assert late.received.under_way == 0


async def test_what_a_person_has_to_decide_and_what_was_refused_is_told_at_once(
    journal: Journal, compare: Compare
) -> None:
    aside = Change(event=EventKind.QUARANTINED, state=State.QUARANTINED, due_at=NOON, reason="cannot be opened")
    await journal.record(await kept(journal, body=b"1"), aside, at=NOON)
    entry = await registered(journal, "case-1", receipted=False)
    await journal.record(entry, Change(event=EventKind.RECEIPT_REFUSED, due_at=None), at=NOON)
    refused = await journal.record(
        await kept(journal, body=b"2"), Change(event=EventKind.OPENED, state=State.OPENED, due_at=NOON), at=NOON
    )
    for change in (
        Change(event=EventKind.REJECTED, state=State.REJECTED, due_at=NOON, receipt=Receipt(Answer.FEILET, "r", "Nei")),
        Change(event=EventKind.RECEIPTED, state=State.RECEIPTED, due_at=None),
    ):
        refused = await journal.record(refused, change, at=NOON)
    await journal.record(
        await kept(journal, body=b"3"), Change(event=EventKind.NOTICE, state=State.NOTED, due_at=None), at=NOON
    )
    result = await compare(has("case-1"))
    assert result.counts == {Cause.QUARANTINED: 1, Cause.RECEIPT_REFUSED: 1, Cause.REJECTED: 1}
    assert result.missing == 2
    counted = result.received
    assert (counted.kept, counted.notices, counted.rejected, counted.quarantined) == (4, 1, 1, 1)


async def test_a_repetition_is_where_its_original_is(journal: Journal, compare: Compare) -> None:
    first = await registered(journal, "case-1")
    again = await kept(journal, body=b"again")
    for change in (
        Change(event=EventKind.OPENED, state=State.OPENED, due_at=NOON, duplicate_of=first.id),
        Change(
            event=EventKind.DUPLICATE,
            state=State.REGISTERED,
            due_at=NOON,
            reference="case-1",
            receipt=Receipt(Answer.MOTTATT, "r", taken_at=NOON),
        ),
        Change(event=EventKind.RECEIPTED, state=State.RECEIPTED, due_at=None),
    ):
        again = await journal.record(again, change, at=NOON)
    result = await compare(has())
    assert [one.id for one in result.differences] == [first.id]
    assert (result.received.repetitions, result.received.registered) == (1, 1)
    assert (await compare(has("case-1"))).differences == ()


async def test_reports_that_share_a_reference_are_noted(journal: Journal, compare: Compare) -> None:
    await registered(journal, "OK")
    await registered(journal, "OK ")
    result = await compare(has("ok", "OK"))
    assert [one.cause for one in result.differences] == [Cause.NOT_KNOWN_HERE, Cause.SHARED_REFERENCE]
    assert result.agrees


async def test_an_empty_period_agrees(journal: Journal, compare: Compare) -> None:
    result = await compare(has())
    assert (result.agrees, result.received.kept, result.differences) == (True, 0, ())
    assert (await compare(None)).case_system is None


async def test_all_are_counted_and_so_many_are_listed(
    journal: Journal, make_settings: Callable[..., Settings], clock: StillClock
) -> None:
    for number in range(4):
        await registered(journal, f"case-{number}")
    result = await Compare(make_settings(reconcile={"listed": 2}), clock)(has())
    assert (result.counts, len(result.differences)) == ({Cause.NOT_IN_CASE_SYSTEM: 4}, 2)
    assert not result.complete
    assert await journal.reconciliations.count_missing(KONTO) == 4


async def test_a_result_that_was_kept_is_read_again_as_it_was(journal: Journal, compare: Compare) -> None:
    await registered(journal, "case-1")
    result = await compare(has())
    assert Reconciliation.from_json(result.to_json()) == result


async def test_reports_sent_that_have_not_arrived_are_told(
    at: JournalSettings, journal: Journal, compare: Compare
) -> None:
    async with Outbox(at) as outbox:
        first, _ = await outbox.keep(order(NOON, key="1"), COPIES)
        second, _ = await outbox.keep(order(NOON, key="2"), COPIES)
        await outbox.keep(order(NOON + timedelta(days=3), key="3"), COPIES)
        refusal = Step(
            event=EventKind.SUBMIT_REFUSED, state=OutgoingState.REFUSED, due_at=None, reason="no such office"
        )
        await outbox.record(second, refusal, at=NOON)
    early = await compare()
    assert [(one.cause, one.id) for one in early.differences] == [(Cause.UNDECIDED, second.id)]
    assert (early.sent.kept, early.sent.under_way) == (2, 1)
    late = await compare(hours=1)
    assert {(one.cause, one.id) for one in late.differences} == {
        (Cause.UNDECIDED, second.id),
        (Cause.NOT_SENT, first.id),
    }
    async with Outbox(at) as outbox:
        submitting = Step(event=EventKind.SUBMITTING, state=OutgoingState.SUBMITTING, due_at=NOON)
        await outbox.record(await outbox.get(first.id), submitting, at=NOON)
        await outbox.accept(first.id, str(UUID(int=1)), due_at=NOON, at=NOON)
    assert Cause.NOT_DELIVERED not in (await compare()).counts
    assert Cause.NOT_DELIVERED in (await compare(hours=80)).counts


async def test_a_journal_that_cannot_be_opened_raises_an_alarm(
    make_settings: Callable[..., Settings], clock: StillClock, tmp_path: Path
) -> None:
    (tmp_path / "folder.db").mkdir()
    broken = Compare(make_settings(journal={"url": f"sqlite:///{tmp_path}/folder.db"}), clock)
    with pytest.raises(JournalError):
        await broken(has())
    assert [alarm.kind for alarm in broken.alarms] == [AlarmKind.NOT_RECONCILED]
