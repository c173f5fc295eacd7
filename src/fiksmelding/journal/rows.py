"""Between rows and records."""

from typing import Final

from sqlalchemy import Row, Select, select

from fiksmelding.journal.records import Arrival, Entry, Event, Head, Receipt
from fiksmelding.journal.states import Answer, EventKind, State
from fiksmelding.journal.tables import entries, events, receipts

# Chosen by name, since entries and receipts share column names.
_RECEIPT: Final = [column.label(f"receipt_{column.name}") for column in receipts.c]


def select_entries() -> Select[*tuple[object, ...]]:
    """Every entry with its receipt, if it has one; `entry_of` reads its rows."""
    joined = entries.outerjoin(receipts, receipts.c.entry_id == entries.c.id)
    return select(*entries.c, *_RECEIPT).select_from(joined)


def entry_of(row: Row[*tuple[object, ...]]) -> Entry:
    """The entry that a row of `select_entries` holds."""
    values = row._mapping  # noqa: SLF001 - the public way to read a row by name
    arrival = Arrival(
        konto_id=values["konto_id"],
        melding_id=values["melding_id"],
        melding_type=values["melding_type"],
        avsender_id=values["avsender_id"],
        klient_melding_id=values["klient_melding_id"],
        klient_korrelasjons_id=values["klient_korrelasjons_id"],
        bekymringsmelding_id=values["bekymringsmelding_id"],
        dokumentlager_id=values["dokumentlager_id"],
        headers=values["headers"],
        missing=tuple(values["missing"]),
        received_at=values["received_at"],
        deadline_at=values["deadline_at"],
    )
    receipt = None
    if values["receipt_entry_id"] is not None:
        receipt = Receipt(
            answer=Answer(values["receipt_answer"]),
            klient_melding_id=values["receipt_klient_melding_id"],
            reason=values["receipt_reason"],
            attempts=values["receipt_attempts"],
            taken_at=values["receipt_taken_at"],
            melding_id=values["receipt_melding_id"],
        )
    return Entry(
        id=values["id"],
        sequence=values["sequence"],
        arrival=arrival,
        state=State(values["state"]),
        due_at=values["due_at"],
        attempts=values["attempts"],
        failures=values["failures"],
        size=values["size"],
        sha256=values["sha256"],
        payload_id=values["payload_id"],
        report_id=values["report_id"],
        duplicate_of=values["duplicate_of"],
        reference=values["reference"],
        reason=values["reason"],
        receipt=receipt,
        recovery_at=values["recovery_at"],
        head=Head(values["id"], values["event_count"], values["event_hash"]),
    )


def event_of(row: Row[*tuple[object, ...]]) -> Event:
    """The event that a row of the events table holds."""
    values = row._mapping  # noqa: SLF001 - the public way to read a row by name
    return Event(
        entry_id=values[events.c.entry_id],
        number=values[events.c.number],
        at=values[events.c.at],
        kind=EventKind(values[events.c.kind]),
        detail=values[events.c.detail],
        hash=values[events.c.hash],
    )
