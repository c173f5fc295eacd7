"""Registered reports that nobody opens: each is told once, until somebody has."""

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from fiksmelding.alarms import Alarm, AlarmKind, Alarms
from fiksmelding.config import JournalSettings, UnreadSettings
from fiksmelding.journal import Answer, Change, Entry, EventKind, Journal, State
from fiksmelding.monitoring import UNMEASURED
from fiksmelding.receiver.recording import new_receipt
from fiksmelding.receiver.unread_watch import UnreadWatch
from support.arrivals import KONTO, NOON
from support.clocks import StillClock
from support.journals import kept


@dataclass
class CaseSystem:
    """Knows which references somebody has opened, after the troubles it is given."""

    opened: set[str] = field(default_factory=set)
    asked: list[Sequence[str]] = field(default_factory=list)
    troubles: list[Exception] = field(default_factory=list)

    async def read(self, references: Sequence[str]) -> Collection[str]:
        self.asked.append(list(references))
        if self.troubles:
            raise self.troubles.pop(0)
        return [reference for reference in references if reference in self.opened]


@dataclass
class Office:
    """A watch over a journal, on a clock of its own."""

    journal: Journal
    case_system: CaseSystem = field(default_factory=CaseSystem)
    clock: StillClock = field(default_factory=StillClock)
    alarms: list[Alarm] = field(default_factory=list)

    def watch(self) -> UnreadWatch:
        return UnreadWatch(
            UnreadSettings(timeout_seconds=5),
            KONTO,
            self.journal,
            self.case_system.read,
            alarms=Alarms(self.clock, self.alarms.append),
            clock=self.clock,
            telemetry=UNMEASURED,
        )

    async def later(self, hours: float) -> None:
        """Look some hours later, as often as there is something to ask about."""
        self.clock.advance(timedelta(hours=hours))
        watch = self.watch()
        while await watch.round():
            pass


@pytest.fixture
def office(journal: Journal) -> Office:
    return Office(journal)


async def registered(journal: Journal, reference: str, *, at: datetime = NOON) -> Entry:
    """A report that the case system was given a moment ago."""
    entry = await kept(journal)
    opened = Change(event=EventKind.OPENED, state=State.OPENED, due_at=NOON)
    entry = await journal.record(entry, opened, at=at)
    change = Change(
        event=EventKind.REGISTERED,
        state=State.REGISTERED,
        due_at=NOON,
        reference=reference,
        ask_at=at + timedelta(hours=24),
    )
    return await journal.record(entry, change, at=at)


async def test_a_report_that_nobody_opens_is_told_once(office: Office) -> None:
    entry = await registered(office.journal, "case-1")
    await office.later(23)
    assert (office.case_system.asked, office.alarms) == ([], [])
    await office.later(1)
    for _ in range(5):
        await office.later(2)
    assert [(alarm.kind, alarm.entry_id) for alarm in office.alarms] == [(AlarmKind.UNREAD, entry.id)]
    assert "reference case-1" in office.alarms[0].text
    assert await office.journal.readings.count_alarmed(KONTO) == 1
    assert [event.kind for event in await office.journal.events(entry.id)][-1] is EventKind.UNREAD


async def test_it_is_asked_about_until_somebody_has_opened_it(office: Office) -> None:
    entry = await registered(office.journal, "case-1")
    await office.later(24)
    office.case_system.opened.add("case-1")
    await office.later(2)
    asked = len(office.case_system.asked)
    await office.later(48)
    assert len(office.case_system.asked) == asked
    assert await office.journal.readings.count_alarmed(KONTO) == 0
    assert [event.kind for event in await office.journal.events(entry.id)][-2:] == [EventKind.UNREAD, EventKind.READ]
    assert await office.journal.first_altered_event() is None


async def test_a_report_that_was_opened_in_time_is_told_of_never(office: Office) -> None:
    await registered(office.journal, "case-1")
    office.case_system.opened.add("case-1")
    await office.later(24)
    await office.later(24)
    assert office.alarms == []


async def test_after_a_restart_it_is_neither_forgotten_nor_told_again(at: JournalSettings) -> None:
    told: list[Alarm] = []
    clock = StillClock()
    async with Journal(at) as first:
        await registered(first, "case-1")
    for hours in (25, 2, 2):
        async with Journal(at) as journal:
            await Office(journal, clock=clock, alarms=told).later(hours)
    assert len(told) == 1


async def test_a_question_that_fails_is_asked_again_and_tells_nobody_s_secrets(
    office: Office, caplog: pytest.LogCaptureFixture
) -> None:
    await registered(office.journal, "case-1")
    office.case_system.troubles = [RuntimeError("Lille Testesen")]
    await office.later(24)
    assert office.alarms == []
    assert "Testesen" not in caplog.text
    await office.later(1)
    assert len(office.alarms) == 1


async def test_a_case_system_that_hangs_is_not_waited_for_without_end(office: Office) -> None:
    async def hang(_references: Sequence[str]) -> Collection[str]:
        await asyncio.Event().wait()
        return []

    await registered(office.journal, "case-1")
    office.clock.advance(timedelta(hours=24))
    settings = UnreadSettings(timeout_seconds=0.01)
    alarms = Alarms(office.clock)
    watch = UnreadWatch(settings, KONTO, office.journal, hang, alarms=alarms, clock=office.clock, telemetry=UNMEASURED)
    assert not await watch.round()


async def test_no_question_is_about_more_than_so_many(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fiksmelding.receiver.unread_watch.AT_ONCE", 4)
    for number in range(6):
        await registered(office.journal, f"case-{number}")
    await office.later(24)
    assert [len(references) for references in office.case_system.asked] == [4, 2]
    assert len(office.alarms) == 6


async def test_two_receivers_tell_of_it_once(office: Office) -> None:
    await registered(office.journal, "case-1")
    office.clock.advance(timedelta(hours=24))
    await asyncio.gather(office.watch().round(), office.watch().round())
    assert len(office.alarms) == 1


async def test_another_account_s_reports_are_not_asked_about(office: Office) -> None:
    await registered(office.journal, "case-1")
    taken = await office.journal.readings.take_due("another", NOON + timedelta(days=9), again_at=NOON, limit=9)
    assert list(taken) == []


async def test_a_report_that_was_rejected_after_all_is_in_nobody_s_case_system(office: Office) -> None:
    entry = await registered(office.journal, "case-1")
    rejected = Change(
        event=EventKind.REJECTED, state=State.REJECTED, due_at=NOON, receipt=new_receipt(Answer.FEILET, "")
    )
    entry = await office.journal.record(entry, rejected, at=NOON)
    await office.later(25)
    receipted = Change(event=EventKind.RECEIPTED, state=State.RECEIPTED, due_at=None)
    await office.journal.record(entry, receipted, at=NOON)
    await office.later(25)
    assert office.case_system.asked == []


async def test_a_report_that_was_lost_and_registered_again_goes_by_its_new_reference(office: Office) -> None:
    entry = await registered(office.journal, "case-1")
    lost = Change(event=EventKind.NOT_FOUND_AGAIN, state=State.OPENED, due_at=NOON)
    entry = await office.journal.record(entry, lost, at=NOON)
    again = Change(
        event=EventKind.REGISTERED,
        state=State.REGISTERED,
        due_at=NOON,
        reference="case-2",
        ask_at=NOON + timedelta(hours=24),
    )
    await office.journal.record(entry, again, at=NOON)
    await office.later(24)
    assert office.case_system.asked == [["case-2"]]
