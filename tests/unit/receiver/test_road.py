import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from fiksmelding.errors import AccessRefused, PlatformUnavailable, Reject, RequestRefused
from fiksmelding.journal import Answer, EventKind, State
from fiksmelding.receiver import Registered, Report, Step
from support.arrivals import SENDER, arrival
from support.roads import CaseSystem, Journeys, privat_json
from unit.receiver.conftest import MakeJourneys

MOTTATT = "no.ks.fiks.bekymringsmelding.mottatt.v1"
FEILET = "no.ks.fiks.bekymringsmelding.feilet.v1"


async def test_a_report_is_registered_and_answered_mottatt(journeys: Journeys, case_system: CaseSystem) -> None:
    entry = await journeys.walk(await journeys.keep(journeys.report()))
    assert entry.state is State.RECEIPTED
    assert entry.reference == "case-1"
    assert list(case_system.stored.values()) == [privat_json()]
    [sent] = journeys.platform.sent
    assert sent.melding_type == MOTTATT
    assert sent.body is None
    assert str(sent.svar_paa_melding) == entry.arrival.melding_id
    assert str(sent.mottaker_konto_id) == SENDER
    assert journeys.steps == [Step.OPENED, Step.HANDLED, Step.REGISTERED, Step.RECEIPT_SENT, Step.RECEIPTED]


async def test_the_answer_carries_the_correlation_id_in_both_spellings(journeys: Journeys) -> None:
    delivery = arrival()
    delivery = type(delivery)(
        konto_id=delivery.konto_id,
        melding_id=delivery.melding_id,
        melding_type=delivery.melding_type,
        avsender_id=delivery.avsender_id,
        klient_korrelasjons_id="dialogue-7",
        received_at=delivery.received_at,
        deadline_at=delivery.deadline_at,
    )
    await journeys.walk(await journeys.keep(journeys.report(), delivery))
    headers = journeys.platform.sent[0].headers
    assert headers["klientKorrelasjonsId"] == headers["klientKorrelasjonId"] == "dialogue-7"


async def test_nothing_is_answered_before_the_case_system_has_the_report(
    journeys: Journeys, case_system: CaseSystem
) -> None:
    case_system.troubles = [ConnectionError(), OSError("disk full")]
    entry = await journeys.walk(await journeys.keep(journeys.report()))
    assert (entry.state, entry.failures, journeys.platform.sent) == (State.OPENED, 1, [])
    entry = await journeys.walk_later(entry)
    assert (entry.state, entry.failures, journeys.platform.sent) == (State.OPENED, 2, [])
    entry = await journeys.walk_later(entry)
    assert entry.state is State.RECEIPTED
    assert [(attempt, repeat) for _, attempt, repeat in case_system.calls] == [(1, False), (2, True), (3, True)]
    assert len({report_id for report_id, _, _ in case_system.calls}) == 1


async def test_the_wait_grows_with_each_failure(journeys: Journeys, case_system: CaseSystem) -> None:
    case_system.troubles = [ConnectionError() for _ in range(5)]
    entry = await journeys.walk(await journeys.keep(journeys.report()))
    waits = []
    while entry.state is not State.RECEIPTED:
        assert entry.due_at is not None
        waits.append((entry.due_at - journeys.clock.now()).total_seconds())
        entry = await journeys.walk_later(entry)
    assert all(
        low <= wait <= high
        for wait, (low, high) in zip(waits, [(0.5, 1), (1, 2), (2, 4), (4, 8), (8, 16)], strict=True)
    )


async def test_a_handler_that_hangs_is_called_again(make: MakeJourneys, case_system: CaseSystem) -> None:
    journeys = make(timeout=0.01)
    case_system.hang = True
    entry = await journeys.walk(await journeys.keep(journeys.report()))
    assert entry.state is State.OPENED
    case_system.hang = False
    assert (await journeys.walk_later(entry)).state is State.RECEIPTED


async def test_a_handler_that_forgets_to_answer_has_not_registered(make: MakeJourneys) -> None:
    async def forgetful(report: Report) -> Registered:
        return None  # type: ignore[return-value]  # what an untyped handler may do

    journeys = make(handler=forgetful)
    entry = await journeys.walk(await journeys.keep(journeys.report()))
    assert entry.state is State.OPENED
    assert journeys.platform.sent == []


async def test_a_refused_report_is_answered_feilet_with_the_reason_sealed_for_the_sender(
    journeys: Journeys, case_system: CaseSystem
) -> None:
    case_system.troubles = [Reject("Meldingen gjelder en annen kommune.")]
    entry = await journeys.walk(await journeys.keep(journeys.report()))
    assert entry.state is State.RECEIPTED
    assert entry.receipt is not None
    assert entry.receipt.answer is Answer.FEILET
    [sent] = journeys.platform.sent
    assert sent.melding_type == FEILET
    assert journeys.read_feilmelding(sent) == {"melding": "Meldingen gjelder en annen kommune."}
    assert Step.REJECTED in journeys.steps


async def test_past_the_deadline_a_report_is_answered_feilet(journeys: Journeys, case_system: CaseSystem) -> None:
    case_system.troubles = [ConnectionError() for _ in range(2000)]
    soon = replace(arrival(), deadline_at=journeys.clock.now() + timedelta(minutes=20))
    entry = await journeys.walk(await journeys.keep(journeys.report(), soon))
    while entry.state is State.OPENED:
        entry = await journeys.walk_later(entry)
    assert journeys.clock.now() == entry.arrival.deadline_at
    assert entry.state is State.RECEIPTED
    assert "fristen" in journeys.read_feilmelding(journeys.platform.sent[0])["melding"]


async def test_a_receipt_is_sent_again_under_the_same_id_until_it_is_taken(
    journeys: Journeys, case_system: CaseSystem
) -> None:
    journeys.platform.troubles = [PlatformUnavailable("no answer"), AccessRefused("wrong password", status=401)]
    entry = await journeys.walk(await journeys.keep(journeys.report()))
    assert entry.state is State.REGISTERED
    entry = await journeys.walk_later(await journeys.walk_later(entry))
    assert entry.state is State.RECEIPTED
    assert len(journeys.platform.tried) == 3
    assert len(set(journeys.platform.tried)) == 1
    assert len(case_system.calls) == 1


async def test_a_receipt_is_sent_even_after_the_deadline(journeys: Journeys) -> None:
    journeys.platform.troubles = [PlatformUnavailable("no answer")]
    entry = await journeys.walk(await journeys.keep(journeys.report()))
    journeys.clock.advance(timedelta(days=3))
    entry = await journeys.walk(entry)
    assert entry.state is State.RECEIPTED
    assert journeys.platform.sent[0].melding_type == MOTTATT


async def test_a_receipt_refused_for_good_waits_for_a_person_and_raises_an_alarm(
    journeys: Journeys, caplog: pytest.LogCaptureFixture
) -> None:
    journeys.platform.troubles = [RequestRefused("no such message", status=400)]
    entry = await journeys.walk(await journeys.keep(journeys.report()))
    assert entry.state is State.REGISTERED
    assert entry.due_at is None
    assert "receipt_refused" in [getattr(record, "event", "") for record in caplog.records]
    assert (await journeys.journal.events(entry.id))[-1].kind is EventKind.RECEIPT_REFUSED


async def test_a_restarted_walk_tells_the_handler_that_it_may_have_been_called(
    journeys: Journeys, case_system: CaseSystem
) -> None:
    entry = await journeys.keep(journeys.report())

    class Killed(BaseException):
        pass

    case_system.troubles = [Killed()]
    with pytest.raises(Killed):
        await journeys.walk(entry)
    await journeys.walk(entry)
    assert [repeat for _, _, repeat in case_system.calls] == [False, True]


async def test_the_event_log_is_whole_and_holds_nothing_out_of_the_report(journeys: Journeys) -> None:
    entry = await journeys.walk(await journeys.keep(journeys.report()))
    events = await journeys.journal.events(entry.id)
    assert await journeys.journal.first_altered_event() is None
    assert [event.kind for event in events] == [
        EventKind.KEPT,
        EventKind.OPENED,
        EventKind.REGISTERED,
        EventKind.RECEIPTED,
    ]
    told = "".join(str(event.detail) for event in events)
    assert not any(word in told for word in ("Hemmelig", "Testesen", "Naboesen"))


async def test_a_failing_handler_s_words_are_not_logged(
    journeys: Journeys, case_system: CaseSystem, caplog: pytest.LogCaptureFixture
) -> None:
    case_system.troubles = [ValueError("Lille Testesen finnes ikke")]
    entry = await journeys.walk(await journeys.keep(journeys.report()))
    assert "Testesen" not in caplog.text
    assert "ValueError at roads.py" in caplog.text
    assert "Testesen" not in str((await journeys.journal.events(entry.id))[-1].detail)


async def test_only_a_uuid_becomes_a_report_id(journeys: Journeys, case_system: CaseSystem) -> None:
    await journeys.walk(await journeys.keep(journeys.report(), arrival(bekymringsmelding_id="../../etc/passwd")))
    own = "7d9b6c1e-43f1-4a8e-9a55-0f5c3b2a1d10"
    await journeys.walk(
        await journeys.keep(journeys.report(privat_json("en annen")), arrival(bekymringsmelding_id=own))
    )
    first, second = case_system.stored
    assert "/" not in first
    assert second == own


async def test_a_report_that_was_begun_goes_on_before_those_that_came_later(
    journeys: Journeys, case_system: CaseSystem
) -> None:
    begun = await journeys.keep(journeys.report())
    journeys.clock.advance(timedelta(minutes=5))
    await journeys.keep(journeys.report(privat_json("kom senere")))
    journeys.clock.advance(timedelta(minutes=5))
    case_system.hang = True
    walking = asyncio.create_task(journeys.walk(begun))
    while not case_system.calls:
        await asyncio.wait({walking}, timeout=0.01)
    walking.cancel()
    await asyncio.wait({walking})
    journeys.clock.advance(timedelta(minutes=5))
    [next_one] = await journeys.journal.claim(
        journeys.clock.now(), owner="the next receiver", lease=timedelta(minutes=1), limit=1
    )
    assert (next_one.id, next_one.state) == (begun.id, State.OPENED)
