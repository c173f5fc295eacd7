"""The platform's notices that something was not delivered: our receipts are sent again, the rest is told."""

from dataclasses import replace

import pytest

from fiksmelding.alarms import AlarmKind
from fiksmelding.journal import Entry, EventKind, State
from support.arrivals import arrival
from support.roads import CaseSystem, Journeys, privat_json

TIDSAVBRUDD = "no.ks.fiks.kvittering.tidsavbrudd"
SERVERFEIL = "no.ks.fiks.kvittering.serverfeil.v1"


async def notice_of(journeys: Journeys, melding_id: str | None, kind: str = SERVERFEIL) -> Entry:
    """Keep and walk a notice."""
    headers = {} if melding_id is None else {"svar-til": melding_id}
    delivery = replace(arrival(melding_type=kind, received_at=journeys.clock.now()), headers=headers)
    return await journeys.walk(await journeys.keep(b"", delivery))


async def answered(journeys: Journeys, text: str = "en melding") -> Entry:
    entry = await journeys.walk(await journeys.keep(journeys.report(privat_json(text))))
    assert entry.state is State.RECEIPTED
    return entry


@pytest.mark.parametrize("kind", [TIDSAVBRUDD, SERVERFEIL])
@pytest.mark.parametrize("rejected", [False, True])
async def test_a_receipt_that_did_not_arrive_is_sent_again_under_the_same_id(
    journeys: Journeys, case_system: CaseSystem, kind: str, rejected: bool
) -> None:
    if rejected:
        case_system.reject("Feil kommune.")
    entry = await answered(journeys)
    assert entry.receipt is not None
    notice = await notice_of(journeys, entry.receipt.melding_id, kind)
    assert (notice.state, notice.due_at) == (State.NOTED, None)
    returned = await journeys.journal.entry(entry.id)
    assert returned.state is (State.REJECTED if rejected else State.REGISTERED)
    after = await journeys.walk_later(returned)
    assert after.state is State.RECEIPTED
    first, second = journeys.platform.sent
    assert first.headers == second.headers
    assert first.melding_type == second.melding_type
    assert len(case_system.calls) == 1
    assert after.receipt is not None
    assert after.receipt.melding_id == str(second.melding_id)
    kinds = [event.kind for event in await journeys.journal.events(entry.id)]
    assert kinds[-3:] == [EventKind.RECEIPTED, EventKind.RECEIPT_RETURNED, EventKind.RECEIPTED]
    assert journeys.alarms == []


async def test_a_receipt_that_comes_back_again_and_again_raises_an_alarm_in_the_end(journeys: Journeys) -> None:
    entry = await answered(journeys)
    for _ in range(3):
        assert entry.receipt is not None
        await notice_of(journeys, entry.receipt.melding_id)
        entry = await journeys.journal.entry(entry.id)
        if entry.state is State.REGISTERED:
            entry = await journeys.walk_later(entry)
    assert len(journeys.platform.sent) == 3
    assert entry.state is State.RECEIPTED
    [alarm] = journeys.alarms
    assert (alarm.kind, alarm.entry_id) == (AlarmKind.RECEIPT_UNDELIVERABLE, entry.id)
    assert "3 times" in alarm.text


async def test_two_notices_of_one_receipt_send_it_once(journeys: Journeys) -> None:
    entry = await answered(journeys)
    assert entry.receipt is not None
    await notice_of(journeys, entry.receipt.melding_id, SERVERFEIL)
    await notice_of(journeys, entry.receipt.melding_id, TIDSAVBRUDD)
    await journeys.walk_later(entry)
    assert len(journeys.platform.sent) == 2
    assert journeys.alarms == []


async def test_an_answer_to_what_is_erased_raises_an_alarm(journeys: Journeys) -> None:
    entry = await answered(journeys)
    assert entry.receipt is not None
    await journeys.journal.erase(entry, at=journeys.clock.now())
    await notice_of(journeys, entry.receipt.melding_id)
    assert [alarm.kind for alarm in journeys.alarms] == [AlarmKind.RECEIPT_UNDELIVERABLE]


@pytest.mark.parametrize("svar_til", [None, "no id", "b3d67ef5-090e-4ef6-b99b-e0359f703d5a"])
async def test_a_notice_of_what_is_not_ours_is_recorded_and_told_and_no_report(
    journeys: Journeys, case_system: CaseSystem, svar_til: str | None
) -> None:
    entry = await answered(journeys)
    notice = await notice_of(journeys, svar_til)
    assert notice.state is State.NOTED
    assert [alarm.kind for alarm in journeys.alarms] == [AlarmKind.UNKNOWN_NOTICE]
    assert (await journeys.journal.entry(entry.id)).state is State.RECEIPTED
    assert len(case_system.calls) == 1
    assert len(journeys.platform.sent) == 1


async def test_a_notice_without_a_sender_is_a_notice_still(journeys: Journeys) -> None:
    entry = await answered(journeys)
    assert entry.receipt is not None
    headers = {"svar-til": entry.receipt.melding_id or ""}
    bare = replace(arrival(melding_type=TIDSAVBRUDD), avsender_id=None, missing=("avsender-id",), headers=headers)
    assert (await journeys.walk(await journeys.keep(b"", bare))).state is State.NOTED
    assert (await journeys.journal.entry(entry.id)).state is State.REGISTERED
