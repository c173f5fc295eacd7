import pytest

from fiksmelding.errors import Reject
from fiksmelding.journal import Answer, EventKind, State
from support.arrivals import arrival
from support.roads import CaseSystem, Journeys, privat_json


@pytest.mark.parametrize(("klient_melding_id", "bekymringsmelding_id"), [("k-1", None), (None, "b-1")])
async def test_a_resend_is_registered_once_and_answered_again(
    journeys: Journeys, case_system: CaseSystem, klient_melding_id: str | None, bekymringsmelding_id: str | None
) -> None:
    sendings = [
        arrival(klient_melding_id=klient_melding_id, bekymringsmelding_id=bekymringsmelding_id) for _ in range(2)
    ]
    first = await journeys.walk(await journeys.keep(journeys.report(), sendings[0]))
    second = await journeys.walk(await journeys.keep(journeys.report(), sendings[1]))
    assert len(case_system.calls) == 1
    assert second.state is State.RECEIPTED
    assert second.duplicate_of == first.id
    assert second.reference == first.reference
    answered = [str(sent.svar_paa_melding) for sent in journeys.platform.sent]
    assert answered == [first.arrival.melding_id, second.arrival.melding_id]


async def test_the_same_sealed_bytes_are_registered_once_whatever_ids_they_came_under(
    journeys: Journeys, case_system: CaseSystem
) -> None:
    """A sender whose first answer was lost submits the very same bytes again; the platform gives them new ids."""
    sealed = journeys.report()
    sendings = [arrival(klient_melding_id=f"k-{number}", bekymringsmelding_id=f"b-{number}") for number in range(2)]
    first, second = [await journeys.walk(await journeys.keep(sealed, sending)) for sending in sendings]
    assert len(case_system.calls) == 1
    assert (second.state, second.duplicate_of) == (State.RECEIPTED, first.id)
    await journeys.walk(await journeys.keep(journeys.report(), arrival(klient_melding_id="k-2")))
    assert len(case_system.calls) == 2, "sealed anew, it may be a report of its own"


async def test_a_resend_of_a_refused_report_gets_the_same_answer(journeys: Journeys, case_system: CaseSystem) -> None:
    case_system.troubles = [Reject("Feil kommune.")]
    await journeys.walk(await journeys.keep(journeys.report(), arrival(klient_melding_id="k-1")))
    second = await journeys.walk(await journeys.keep(journeys.report(), arrival(klient_melding_id="k-1")))
    assert len(case_system.calls) == 1
    assert second.receipt is not None
    assert second.receipt.answer is Answer.FEILET
    assert journeys.read_feilmelding(journeys.platform.sent[1]) == {"melding": "Feil kommune."}


async def test_two_reports_under_one_client_id_are_both_registered(journeys: Journeys, case_system: CaseSystem) -> None:
    for text in ("ett barn", "et annet barn"):
        report = journeys.report(privat_json(text))
        await journeys.walk(await journeys.keep(report, arrival(klient_melding_id="always the same")))
    assert list(case_system.stored.values()) == [privat_json("ett barn"), privat_json("et annet barn")]
    assert len(journeys.platform.sent) == 2


async def test_two_reports_under_one_report_id_get_an_id_each(journeys: Journeys, case_system: CaseSystem) -> None:
    same = "7d9b6c1e-43f1-4a8e-9a55-0f5c3b2a1d10"
    for text in ("ett barn", "et annet barn"):
        report = journeys.report(privat_json(text))
        await journeys.walk(await journeys.keep(report, arrival(bekymringsmelding_id=same)))
    assert len(case_system.stored) == 2
    assert same in case_system.stored


async def test_a_resend_waits_while_the_first_is_with_the_handler(journeys: Journeys, case_system: CaseSystem) -> None:
    case_system.troubles = [ConnectionError()]
    first = await journeys.walk(await journeys.keep(journeys.report(), arrival(klient_melding_id="k-1")))
    second = await journeys.walk(await journeys.keep(journeys.report(), arrival(klient_melding_id="k-1")))
    assert first.state is second.state is State.OPENED
    second = await journeys.walk_later(second)
    assert second.state is State.OPENED
    first = await journeys.walk_later(first)
    second = await journeys.walk_later(second)
    assert first.state is second.state is State.RECEIPTED
    assert len(case_system.stored) == 1
    noted = [event.kind for event in await journeys.journal.events(second.id)].count(EventKind.DUPLICATE)
    assert noted == 1


async def test_an_original_that_was_erased_proves_nothing(journeys: Journeys, case_system: CaseSystem) -> None:
    first = await journeys.walk(await journeys.keep(journeys.report(), arrival(klient_melding_id="k-1")))
    await journeys.journal.erase(first, at=journeys.clock.now())
    await journeys.walk(await journeys.keep(journeys.report(), arrival(klient_melding_id="k-1")))
    assert len(case_system.stored) == 2


async def test_an_original_that_cannot_be_opened_proves_nothing(journeys: Journeys, case_system: CaseSystem) -> None:
    await journeys.walk(await journeys.keep(b"no envelope at all", arrival(klient_melding_id="k-1")))
    second = await journeys.walk(await journeys.keep(journeys.report(), arrival(klient_melding_id="k-1")))
    assert second.state is State.RECEIPTED
    assert len(case_system.stored) == 1


async def test_a_resend_leaves_the_report_id_to_the_first(journeys: Journeys, case_system: CaseSystem) -> None:
    own = "7d9b6c1e-43f1-4a8e-9a55-0f5c3b2a1d10"
    first = await journeys.keep(journeys.report(), arrival(bekymringsmelding_id=own))
    second = await journeys.keep(journeys.report(), arrival(bekymringsmelding_id=own))
    second = await journeys.walk(second)
    assert (second.state, second.report_id, second.duplicate_of) == (State.OPENED, None, first.id)
    first = await journeys.walk(first)
    second = await journeys.walk_later(second)
    assert list(case_system.stored) == [own]
    assert first.state is second.state is State.RECEIPTED
