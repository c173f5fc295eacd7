"""Past the deadline: one more try where the case system answers at all, then `feilet`."""

from datetime import timedelta

import pytest

from fiksmelding.alarms import AlarmKind
from fiksmelding.journal import EventKind, State
from fiksmelding.receiver import Report
from support.roads import CaseSystem, Journeys, privat_json
from unit.receiver.conftest import MakeJourneys

MOTTATT = "no.ks.fiks.bekymringsmelding.mottatt.v1"
FEILET = "no.ks.fiks.bekymringsmelding.feilet.v1"


async def test_a_report_whose_deadline_passed_while_we_were_down_is_tried_once_more(
    journeys: Journeys, case_system: CaseSystem
) -> None:
    entry = await journeys.keep(journeys.report())
    journeys.clock.advance(timedelta(hours=30))
    entry = await journeys.walk(entry)
    assert entry.state is State.RECEIPTED
    assert [sent.melding_type for sent in journeys.platform.sent] == [MOTTATT]
    assert journeys.alarms == []


@pytest.mark.parametrize("before", [0, 1])
async def test_when_that_fails_too_it_is_answered_feilet_and_an_alarm_raised(
    journeys: Journeys, case_system: CaseSystem, before: int
) -> None:
    case_system.troubles = [ConnectionError() for _ in range(9)]
    entry = await journeys.keep(journeys.report())
    for _ in range(before):
        entry = await journeys.walk(entry)
    journeys.clock.advance(timedelta(hours=30))
    entry = await journeys.walk(entry)
    assert len(case_system.calls) == before + 1
    assert entry.state is State.RECEIPTED
    assert [sent.melding_type for sent in journeys.platform.sent] == [FEILET]
    kinds = [event.kind for event in await journeys.journal.events(entry.id)]
    assert kinds[-3:] == [EventKind.HANDLER_FAILED, EventKind.REJECTED, EventKind.RECEIPTED]
    assert [(alarm.kind, alarm.entry_id) for alarm in journeys.alarms] == [(AlarmKind.DEADLINE_PASSED, entry.id)]


async def test_a_read_back_that_was_due_while_we_were_down_is_tried_once_more(make: MakeJourneys) -> None:
    answers: list[Exception | bool] = [ConnectionError(), True]

    async def confirm(reference: str, report: Report) -> bool:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    journeys = make(confirm=confirm)
    entry = await journeys.walk(await journeys.keep(journeys.report()))
    assert entry.state is State.REGISTERED
    journeys.clock.advance(timedelta(hours=30))
    entry = await journeys.walk(entry)
    assert [sent.melding_type for sent in journeys.platform.sent] == [MOTTATT]


async def test_a_case_system_that_fails_altogether_is_not_tried_for_what_is_late(
    journeys: Journeys, case_system: CaseSystem
) -> None:
    case_system.troubles = [ConnectionError() for _ in range(9)]
    entries = [await journeys.keep(journeys.report(privat_json(f"Melding {number}"))) for number in range(4)]
    while journeys.turns.status.condition != "failing":
        for entry in entries:
            await journeys.walk(entry)
        journeys.clock.advance(timedelta(seconds=1))
    calls = len(case_system.calls)
    journeys.clock.advance(timedelta(hours=30))
    for entry in entries:
        assert (await journeys.walk(entry)).state is State.RECEIPTED
    assert len(case_system.calls) == calls
    assert [sent.melding_type for sent in journeys.platform.sent] == [FEILET] * 4


async def test_a_resend_of_a_report_that_is_not_decided_by_the_deadline_is_answered_too(
    journeys: Journeys, case_system: CaseSystem
) -> None:
    case_system.troubles = [ConnectionError() for _ in range(9)]
    first = await journeys.keep(journeys.report(), journeys.resend("the same"))
    second = await journeys.keep(journeys.report(), journeys.resend("the same"))
    await journeys.walk(first)
    second = await journeys.walk(second)
    assert second.duplicate_of == first.id
    journeys.clock.advance(timedelta(hours=30))
    assert (await journeys.walk(second)).state is State.RECEIPTED


async def test_without_a_turn_a_report_waits_where_it_is(journeys: Journeys, case_system: CaseSystem) -> None:
    taken = journeys.turns.take("another")
    entry = await journeys.walk(await journeys.keep(journeys.report()))
    assert (entry.state, case_system.calls) == (State.OPENED, [])
    assert entry.due_at is not None
    assert entry.due_at <= journeys.clock.now()
    journeys.clock.advance(timedelta(hours=30))
    late = await journeys.walk(entry)
    assert late.due_at is not None
    assert late.due_at > journeys.clock.now(), "what is late and waits must not be claimed over and over"
    taken.end()
    assert (await journeys.walk_later(late)).state is State.RECEIPTED
