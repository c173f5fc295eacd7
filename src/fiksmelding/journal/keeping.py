"""How a delivery becomes an entry."""

from typing import Final
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, func, insert, select

from fiksmelding.errors import JournalUnavailable
from fiksmelding.journal.payloads import StoredPayload
from fiksmelding.journal.records import Arrival, Head, Kept
from fiksmelding.journal.states import EventKind, State
from fiksmelding.journal.stepping import append, note
from fiksmelding.journal.tables import entries

_INSERT: Final = insert(entries)


def delivery_key(arrival: Arrival, payload: StoredPayload | None) -> str:
    """What tells one delivery from another.

    The platform promises a new melding-id for every sending. Should it ever break that promise, the digest keeps a
    report from passing for another.
    """
    if arrival.dokumentlager_id is not None:
        return f"{arrival.melding_id}/document/{arrival.dokumentlager_id}"[:200]
    digest = payload.sha256 if payload is not None else ""
    return f"{arrival.melding_id}/sha256/{digest}"


def same_delivery(arrival: Arrival, key: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """What finds the entry of a delivery that was kept before."""
    return entries.c.konto_id == arrival.konto_id, entries.c.delivery_key == key


def insert_entry(
    connection: Connection, arrival: Arrival, payload: StoredPayload, *, no_body: str | None = None
) -> Kept:
    """Make an entry of a delivery whose payload is stored.

    Args:
        connection: The transaction.
        arrival: The delivery.
        payload: Its payload.
        no_body: Why the payload is empty though the message has a body.

    Raises:
        sqlalchemy.exc.IntegrityError: It was kept before.
    """
    _queue_with_namesakes(connection, arrival, payload)
    entry_id = str(uuid4())
    detail: dict[str, str | int] = {
        "melding_id": arrival.melding_id or "",
        "size": payload.size,
        "sha256": payload.sha256,
        "state": State.RECEIVED.value,
    }
    if no_body is not None:
        detail["no_body"] = no_body
    head = append(connection, Head(entry_id), EventKind.KEPT, detail, arrival.received_at)
    values = {
        "id": entry_id,
        "konto_id": arrival.konto_id,
        "delivery_key": delivery_key(arrival, payload),
        "melding_id": arrival.melding_id,
        "melding_type": arrival.melding_type,
        "avsender_id": arrival.avsender_id,
        "klient_melding_id": arrival.klient_melding_id,
        "klient_korrelasjons_id": arrival.klient_korrelasjons_id,
        "bekymringsmelding_id": arrival.bekymringsmelding_id,
        "dokumentlager_id": arrival.dokumentlager_id,
        "headers": dict(arrival.headers),
        "missing": list(arrival.missing),
        "payload_id": payload.id,
        "size": payload.size,
        "sha256": payload.sha256 if payload.size else None,
        "received_at": arrival.received_at,
        "deadline_at": arrival.deadline_at,
        "state": State.RECEIVED.value,
        "due_at": arrival.received_at,
        "reason": no_body,
        **head.columns(),
    }
    connection.execute(_INSERT, values)
    return Kept(entry_id, repeated=False)


def note_repetition(connection: Connection, arrival: Arrival, key: str) -> Kept:
    """Note that a delivery came again."""
    found = connection.execute(select(entries.c.id).where(*same_delivery(arrival, key)))
    entry_id = found.scalar_one_or_none()
    if entry_id is None:
        raise JournalUnavailable("The journal refused a delivery that it does not hold.")
    note(connection, entry_id, EventKind.REDELIVERED, arrival.received_at)
    return Kept(entry_id, repeated=True)


def _queue_with_namesakes(connection: Connection, arrival: Arrival, payload: StoredPayload) -> None:
    """Let entries that may hold the same report become visible in the order of their sequence.

    Otherwise two processes that keep a report and its resend at the same moment could each see none before its own,
    and both would register it. SQLite has one writer, and so that order by itself.
    """
    if connection.dialect.name != "postgresql":
        return
    ids = {"k": arrival.klient_melding_id, "b": arrival.bekymringsmelding_id, "d": payload.sha256}
    names = [f"{arrival.avsender_id}/{kind}/{value}" for kind, value in ids.items() if value is not None]
    if names:
        # In one order everywhere, or two could wait for each other.
        locks = [func.pg_advisory_xact_lock(func.hashtextextended(name, 0)) for name in sorted(names)]
        connection.execute(select(*locks))
