"""What a person decides about messages that were set aside."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from fiksmelding.config import JournalSettings
from fiksmelding.errors import FiksmeldingError, JournalError
from fiksmelding.journal import EventKind, State
from fiksmelding.receiver import Quarantine
from fiksmelding.simulator.pki import Credential
from support.arrivals import arrival
from support.journals import LEASE
from support.roads import CaseSystem, Journeys, privat_json

FEILET = "no.ks.fiks.bekymringsmelding.feilet.v1"
MOTTATT = "no.ks.fiks.bekymringsmelding.mottatt.v1"


@pytest.fixture
async def quarantine(at: JournalSettings, journeys: Journeys) -> AsyncIterator[Quarantine]:
    """Beside the receiver, on the same journal."""
    async with Quarantine(at, clock=journeys.clock) as opened:
        yield opened


async def test_what_is_set_aside_is_listed_with_reason_and_deadline(journeys: Journeys, quarantine: Quarantine) -> None:
    await journeys.walk(await journeys.keep(journeys.report(privat_json("Hemmelig"))))
    assert await quarantine.messages() == []
    bad = await journeys.walk(await journeys.keep(b"no envelope"))
    foreign = await journeys.walk(await journeys.keep(b"else", arrival(melding_type="no.ks.fiks.arkiv.v1.opprett")))
    first, second = await quarantine.messages()
    assert (first.id, first.melding_id) == (bad.id, bad.arrival.melding_id)
    assert first.reason.startswith("EnvelopeError: ")
    assert first.deadline_at == bad.arrival.deadline_at
    assert first.answerable
    assert (second.id, second.deadline_at, second.answerable) == (foreign.id, None, False)
    assert [event.kind for event in await quarantine.events(bad.id)] == [EventKind.KEPT, EventKind.QUARANTINED]
    assert await quarantine.events(bad.arrival.melding_id or "") == await quarantine.events(bad.id)


async def test_a_message_that_can_be_opened_by_now_goes_on(
    journeys: Journeys, quarantine: Quarantine, recipient_credential: Credential, sender_credential: Credential
) -> None:
    journeys.recipient = sender_credential  # sealed for a key that we do not have
    entry = await journeys.walk(await journeys.keep(journeys.report()))
    assert entry.state is State.QUARANTINED
    await quarantine.retry(entry.id)
    again = await journeys.walk(entry)
    assert again.state is State.QUARANTINED
    assert [message.id for message in await quarantine.messages()] == [entry.id]
    journeys.add_key(sender_credential.key)
    await quarantine.retry(entry.id)
    assert (await journeys.walk(entry)).state is State.RECEIPTED
    assert [sent.melding_type for sent in journeys.platform.sent] == [MOTTATT]
    kinds = [event.kind for event in await journeys.journal.events(entry.id)]
    assert kinds.count(EventKind.RETRIED) == 2
    assert await journeys.journal.first_altered_event() is None


async def test_a_rejected_message_is_answered_with_the_reason(
    journeys: Journeys, quarantine: Quarantine, case_system: CaseSystem
) -> None:
    entry = await journeys.walk(await journeys.keep(b"no envelope"))
    told = await quarantine.reject(entry.id, "  Meldingen kan ikke\n åpnes. ")
    assert told.answerable
    assert (await journeys.walk(entry)).state is State.RECEIPTED
    [sent] = journeys.platform.sent
    assert sent.melding_type == FEILET
    assert journeys.read_feilmelding(sent) == {"melding": "Meldingen kan ikke åpnes."}
    assert case_system.calls == []


@pytest.mark.parametrize("decision", ["retry", "reject"])
async def test_a_message_that_nobody_can_be_answered_about_is_decided_too(
    journeys: Journeys, quarantine: Quarantine, decision: str
) -> None:
    nameless = replace(arrival(), avsender_id=None, missing=("avsender-id",))
    entry = await journeys.walk(await journeys.keep(journeys.report(), nameless))
    if decision == "retry":
        await quarantine.retry(entry.id)
        assert (await journeys.walk(entry)).state is State.QUARANTINED, "the headers are missing still"
    else:
        assert not (await quarantine.reject(entry.id, "Uten avsender.")).answerable
        now = await journeys.journal.entry(entry.id)
        assert (now.state, now.due_at, now.receipt) == (State.REJECTED, None, None)
        assert await journeys.journal.unanswered() == 0
    assert journeys.platform.sent == []


async def test_what_cannot_be_done_says_why(journeys: Journeys, quarantine: Quarantine) -> None:
    fine = await journeys.walk(await journeys.keep(journeys.report()))
    with pytest.raises(JournalError, match="not set aside: it is RECEIPTED"):
        await quarantine.retry(fine.id)
    with pytest.raises(JournalError, match="no such message"):
        await quarantine.reject("unknown", "Feil.")
    bad = await journeys.walk(await journeys.keep(b"no envelope"))
    for reason in ("", " \n ", "x" * 1001, "\x1b[2J"):
        with pytest.raises(FiksmeldingError, match="plain text"):
            await quarantine.reject(bad.id, reason)
    twin = await journeys.walk(await journeys.keep(b"other bytes", arrival(melding_id=bad.arrival.melding_id)))
    with pytest.raises(JournalError, match="Several"):
        await quarantine.retry(bad.arrival.melding_id or "")
    await quarantine.retry(twin.id)


async def test_what_a_receiver_works_on_just_now_is_left_to_it(journeys: Journeys, quarantine: Quarantine) -> None:
    bad = await journeys.walk(await journeys.keep(b"no envelope"))
    now = bad.arrival.deadline_at
    [claimed] = await journeys.journal.claim(now, owner="a receiver", lease=LEASE, limit=1)
    journeys.clock.advance(now - journeys.clock.now())
    with pytest.raises(JournalError, match="being worked on"):
        await quarantine.retry(bad.id)
    await journeys.journal.release(claimed)
    await quarantine.retry(bad.id)
