"""A report once more to the case system."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from fiksmelding.alarms import AlarmKind
from fiksmelding.errors import PlatformUnavailable
from fiksmelding.journal import Entry, EventKind, State
from fiksmelding.receiver import Report, Step
from support.arrivals import KONTO, arrival
from support.roads import CaseSystem, Journeys, privat_json


async def asked(journeys: Journeys, entry: Entry) -> Entry:
    journeys.clock.advance(timedelta(days=30))
    assert await journeys.journal.recoveries.ask([entry.id], at=journeys.clock.now()) == {entry.id}
    return await journeys.journal.entry(entry.id)


async def test_an_emptied_case_system_gets_it_as_a_repeat_under_its_key_and_nobody_a_second_receipt(
    journeys: Journeys, case_system: CaseSystem
) -> None:
    before = await journeys.walk(await journeys.keep(journeys.report()))
    content = dict(case_system.stored)
    case_system.stored.clear()
    after = await journeys.walk(await asked(journeys, before))
    assert case_system.stored == content
    assert [(one[0], one[2]) for one in case_system.calls] == [(before.report_id, False), (before.report_id, True)]
    assert len(journeys.platform.tried) == 1
    assert (after.state, after.due_at, after.receipt, after.recovery_at) == (
        State.RECEIPTED,
        None,
        before.receipt,
        None,
    )
    assert journeys.steps[-1] is Step.RECOVERED
    last = (await journeys.journal.events(after.id))[-1]
    assert (last.kind, last.detail["before"]) == (EventKind.RECOVERED, before.reference)
    assert await journeys.journal.first_altered_event() is None


async def test_a_case_system_that_fails_is_tried_again_long_past_the_deadline(
    journeys: Journeys, case_system: CaseSystem
) -> None:
    entry = await asked(journeys, await journeys.walk(await journeys.keep(journeys.report())))
    case_system.troubles = [RuntimeError("no"), TimeoutError()]
    entry = await journeys.walk(entry)
    assert (entry.state, entry.recovery_at is None, entry.failures) == (State.RECEIPTED, False, 1)
    entry = await journeys.walk_later(await journeys.walk_later(entry))
    assert (entry.state, entry.recovery_at, entry.failures) == (State.RECEIPTED, None, 0)
    kinds = [event.kind for event in await journeys.journal.events(entry.id)]
    assert kinds.count(EventKind.RECOVERY_FAILED) == 2
    assert len(journeys.platform.tried) == 1


async def test_a_case_system_that_refuses_it_now_raises_an_alarm_and_the_original_stays(
    journeys: Journeys, case_system: CaseSystem
) -> None:
    entry = await asked(journeys, await journeys.walk(await journeys.keep(journeys.report())))
    case_system.reject("Nei.")
    entry = await journeys.walk(entry)
    assert (entry.state, entry.recovery_at, entry.due_at) == (State.RECEIPTED, None, None)
    assert [alarm.kind for alarm in journeys.alarms] == [AlarmKind.RECOVERY_REFUSED]
    assert await journeys.journal.reconciliations.count_missing(KONTO) == 1
    assert len(journeys.platform.tried) == 1, "no feilet after mottatt"


async def test_what_cannot_be_opened_any_more_raises_an_alarm(journeys: Journeys) -> None:
    entry = await asked(journeys, await journeys.walk(await journeys.keep(journeys.report())))
    journeys.keys.clear()
    await journeys.walk(entry)
    [alarm] = journeys.alarms
    assert (alarm.kind, "DecryptionFailed" in alarm.text) == (AlarmKind.RECOVERY_REFUSED, True)


async def test_the_read_back_has_to_find_it(make: Callable[..., Journeys], case_system: CaseSystem) -> None:
    found = [True, False, True]

    async def confirm(_reference: str, _report: Report) -> bool:
        return found.pop(0)

    journeys = make(confirm=confirm)
    entry = await asked(journeys, await journeys.walk(await journeys.keep(journeys.report())))
    entry = await journeys.walk(entry)
    assert entry.recovery_at is not None
    assert [alarm.kind for alarm in journeys.alarms] == [AlarmKind.NOT_FOUND_AGAIN]
    assert (await journeys.walk_later(entry)).recovery_at is None
    assert len(case_system.calls) == 3


async def test_an_answer_still_to_be_sent_waits_until_it_is_registered_again(
    journeys: Journeys, case_system: CaseSystem
) -> None:
    journeys.platform.troubles = [PlatformUnavailable("no answer")]
    entry = await journeys.walk(await journeys.keep(journeys.report()))
    assert entry.state is State.REGISTERED
    entry = await asked(journeys, entry)
    case_system.troubles = [RuntimeError("no")]
    entry = await journeys.walk(entry)
    assert (entry.state, len(journeys.platform.sent)) == (State.REGISTERED, 0)
    entry = await journeys.walk_later(entry)
    assert (entry.state, entry.recovery_at) == (State.RECEIPTED, None)
    assert len(set(journeys.platform.tried)) == 1


async def test_a_repetition_goes_under_the_key_of_its_original(journeys: Journeys, case_system: CaseSystem) -> None:
    body = journeys.report()
    first = await journeys.walk(await journeys.keep(body))
    again = await journeys.walk(await journeys.keep(body))
    assert (again.duplicate_of, again.state) == (first.id, State.RECEIPTED)
    await journeys.journal.erase(first, at=journeys.clock.now())
    await journeys.walk(await asked(journeys, again))
    assert [one[0] for one in case_system.calls] == [first.report_id, first.report_id]


async def test_when_the_case_system_has_enough_to_do_it_waits_its_turn(journeys: Journeys) -> None:
    entry = await asked(journeys, await journeys.walk(await journeys.keep(journeys.report())))
    others = [journeys.turns.take(str(number)) for number in range(journeys.turns.free())]
    same = await journeys.walk(entry)
    assert replace(same, lease=None) == entry
    for turn in others:
        turn.end()
    assert (await journeys.walk(entry)).recovery_at is None


@pytest.mark.parametrize("named_by", ["privat", "other"])
async def test_a_report_is_handed_over_as_it_came(journeys: Journeys, case_system: CaseSystem, named_by: str) -> None:
    content = privat_json(named_by)
    delivery = arrival(bekymringsmelding_id="7e2f0b62-0000-4000-8000-000000000001", received_at=journeys.clock.now())
    entry = await journeys.walk(await journeys.keep(journeys.report(content), delivery))
    case_system.stored.clear()
    await journeys.walk(await asked(journeys, entry))
    assert case_system.stored == {"7e2f0b62-0000-4000-8000-000000000001": content}
