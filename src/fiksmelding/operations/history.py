"""One report's whole history, for whoever asks for access to it: as JSON, and as text in plain Norwegian."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fiksmelding.clock import NORWAY
from fiksmelding.errors import JournalError
from fiksmelding.journal import Answer, Entry, Event, EventKind, Journal, State

STATES: Final[Mapping[State, str]] = {
    State.RECEIVED: "mottatt, ikke åpnet ennå",
    State.OPENED: "åpnet, ikke registrert ennå",
    State.REGISTERED: "registrert i fagsystemet",
    State.CONFIRMED: "registrert i fagsystemet, og funnet igjen der",
    State.REJECTED: "avvist",
    State.RECEIPTED: "ferdig behandlet, og avsenderen har fått svar",
    State.QUARANTINED: "lagt til side, venter på en saksbehandler",
    State.NOTED: "et varsel fra plattformen, ikke en bekymringsmelding",
    State.ERASED: "ferdig behandlet, og selve meldingen er slettet herfra",
}
EVENTS: Final[Mapping[EventKind, str]] = {
    EventKind.KEPT: "Meldingen ble mottatt og lagret, fortsatt kryptert.",
    EventKind.REDELIVERED: "Den samme meldingen ble levert en gang til.",
    EventKind.OPENED: "Meldingen ble åpnet, og signaturen ble kontrollert.",
    EventKind.DUPLICATE: "Meldingen er en gjentakelse av en melding som allerede var registrert.",
    EventKind.HANDLER_FAILED: "Fagsystemet klarte ikke å registrere meldingen. Det blir prøvd igjen.",
    EventKind.REGISTERED: "Fagsystemet svarte at meldingen er registrert.",
    EventKind.CONFIRM_FAILED: "Fagsystemet svarte ikke på om det har meldingen. Det blir spurt igjen.",
    EventKind.NOT_FOUND_AGAIN: "Fagsystemet hadde ikke meldingen likevel. Den blir registrert på nytt.",
    EventKind.CONFIRMED: "Fagsystemet bekreftet at det har meldingen.",
    EventKind.REJECTED: "Meldingen ble avvist.",
    EventKind.QUARANTINED: "Meldingen ble lagt til side for en saksbehandler.",
    EventKind.RETRIED: "En saksbehandler lot meldingen bli prøvd på nytt.",
    EventKind.RECEIPT_FAILED: "Svaret til avsenderen kom ikke fram. Det blir sendt igjen.",
    EventKind.RECEIPT_REFUSED: "Plattformen tok ikke imot svaret til avsenderen.",
    EventKind.RECEIPTED: "Plattformen tok imot svaret til avsenderen.",
    EventKind.RECEIPT_RETURNED: "Svaret til avsenderen kom i retur.",
    EventKind.NOTICE: "Et varsel fra plattformen ble behandlet.",
    EventKind.ERASED: "Selve meldingen ble slettet herfra. Denne loggen er beholdt.",
    EventKind.MISSING_THERE: "En avstemming fant ikke meldingen i fagsystemet.",
    EventKind.FOUND_THERE: "En senere avstemming fant meldingen i fagsystemet.",
    EventKind.SETTLED: "En saksbehandler bekreftet at fagsystemet med rette ikke har meldingen.",
    EventKind.UNREAD: "Ingen hadde åpnet meldingen i fagsystemet innen den avtalte tiden. Det ble varslet.",
    EventKind.READ: "Noen åpnet meldingen i fagsystemet.",
    EventKind.RECOVERY_ASKED: "Noen ba om at meldingen registreres i fagsystemet på nytt.",
    EventKind.RECOVERY_FAILED: "Fagsystemet klarte ikke å registrere meldingen på nytt. Det blir prøvd igjen.",
    EventKind.RECOVERED: "Meldingen ble registrert i fagsystemet på nytt.",
    EventKind.RECOVERY_REFUSED: "Meldingen kunne ikke registreres på nytt. En saksbehandler må se på den.",
}
_ANSWERS: Final = {Answer.MOTTATT: "mottatt", Answer.FEILET: "feilet, og meldingen sendes som brev"}


@dataclass(frozen=True, slots=True)
class Sending:
    """One time that a report came.

    Attributes:
        entry: What the journal holds of it.
        events: What has happened to it, in order.
    """

    entry: Entry
    events: Sequence[Event]


@dataclass(frozen=True, slots=True)
class History:
    """All that the journal knows of one report, but what it says.

    Attributes:
        sendings: Each time that it came, in order.
    """

    sendings: Sequence[Sending]

    def to_json(self) -> str:
        """As JSON."""
        return json.dumps({"sendings": [_facts(one) for one in self.sendings]}, ensure_ascii=False, indent=2)

    def to_text(self) -> str:
        """As text in bokmål."""
        return "\n\n".join(_told(one) for one in self.sendings) + "\n"


async def history_of(journal: Journal, some_id: str) -> History:
    """The history of the report that goes by an id or a reference.

    Args:
        journal: Where it is.
        some_id: Its id in the journal, its `melding-id` or `bekymringsmelding-id`, or its reference.

    Raises:
        JournalError: There is none, or there are several reports of that reference.
    """
    found = await journal.overview.with_id(some_id)
    if not found:
        raise JournalError("The journal holds no such message.", message_id=some_id)
    if len({entry.duplicate_of or entry.id for entry in found}) > 1:
        raise JournalError(
            "Several reports go by that.", message_id=some_id, advice="Name one by its id in the journal."
        )
    return History([Sending(entry, await journal.events(entry.id)) for entry in found])


def kept_original(history: History) -> Entry:
    """The entry that still has the sealed original of a report.

    Raises:
        JournalError: It is erased.
    """
    for sending in history.sendings:
        if sending.entry.state is not State.ERASED and sending.entry.size:
            return sending.entry
    raise JournalError("The sealed original is erased.", message_id=history.sendings[0].entry.id)


def _facts(sending: Sending) -> dict[str, object]:
    entry, arrival, receipt = sending.entry, sending.entry.arrival, sending.entry.receipt
    return {
        "id": entry.id,
        "account": arrival.konto_id,
        "meldingId": arrival.melding_id,
        "bekymringsmeldingId": arrival.bekymringsmelding_id,
        "klientMeldingId": arrival.klient_melding_id,
        "sender": arrival.avsender_id,
        "type": arrival.melding_type,
        "headers": dict(arrival.headers),
        "receivedAt": arrival.received_at.isoformat(),
        "deadlineAt": arrival.deadline_at.isoformat(),
        "bytes": entry.size,
        "sha256": entry.sha256,
        "state": entry.state.value,
        "reportId": entry.report_id,
        "repetitionOf": entry.duplicate_of,
        "reference": entry.reference,
        "reason": entry.reason,
        "receipt": None
        if receipt is None
        else {
            "answer": receipt.answer.value,
            "klientMeldingId": receipt.klient_melding_id,
            "reason": receipt.reason,
            "takenAt": None if receipt.taken_at is None else receipt.taken_at.isoformat(),
            "meldingId": receipt.melding_id,
        },
        "events": [
            {
                "number": event.number,
                "at": event.at.isoformat(),
                "event": event.kind.value,
                "detail": dict(event.detail),
                "hash": event.hash,
            }
            for event in sending.events
        ],
    }


def _told(sending: Sending) -> str:
    entry, receipt = sending.entry, sending.entry.receipt
    lines = {
        "Melding": entry.arrival.bekymringsmelding_id or entry.arrival.melding_id or entry.id,
        "Id i journalen": entry.id,
        "Mottatt": _moment(entry.arrival.received_at),
        "Status": STATES[entry.state],
        "Referanse i fagsystemet": entry.reference or "ingen",
        "Svar til avsenderen": "ikke sendt" if receipt is None else _ANSWERS[receipt.answer],
        "Begrunnelse": entry.reason or "",
        "Gjentakelse av": entry.duplicate_of or "",
    }
    told = [f"{name}: {value}" for name, value in lines.items() if value]
    events = [f"  {_moment(event.at)}  {EVENTS.get(event.kind, event.kind.value)}" for event in sending.events]
    return "\n".join([*told, "Dette har skjedd (norsk tid):", *events])


def _moment(moment: datetime) -> str:
    return moment.astimezone(NORWAY).strftime("%d.%m.%Y kl. %H.%M.%S")
