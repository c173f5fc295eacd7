"""How an entry takes a step: its columns, its receipt and the event, by whoever has the right to."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, Protocol

from sqlalchemy import Connection, Table, Update, insert, select, update

from fiksmelding.errors import JournalError
from fiksmelding.journal import payloads
from fiksmelding.journal.chain import START, link
from fiksmelding.journal.records import Change, Entry, Lease, Receipt
from fiksmelding.journal.rows import entry_of, select_entries
from fiksmelding.journal.states import EventKind, State
from fiksmelding.journal.tables import entries, events, receipts

UNLEASED: Final[Mapping[str, None]] = MappingProxyType({"lease_owner": None, "lease_until": None})
"""The columns of what nobody works on."""


@dataclass(frozen=True, slots=True)
class Head:
    """The end of an entry's chain of events.

    Attributes:
        entry_id: The entry.
        count: How many events it has.
        hash: The hash of the last, or `START`.
    """

    entry_id: str
    count: int = 0
    hash: str = START

    def columns(self) -> dict[str, str | int]:
        """What the entry's row keeps of it."""
        return {"event_count": self.count, "event_hash": self.hash}


def get(connection: Connection, entry_id: str) -> Entry:
    """One entry.

    Raises:
        JournalError: There is none of that id.
    """
    row = (connection.execute(select_entries().where(entries.c.id == entry_id))).first()
    if row is None:
        raise JournalError("The journal holds no such message.", message_id=entry_id)
    return entry_of(row)


def take(connection: Connection, entry: Entry, change: Change, at: datetime) -> Entry:
    """Take one step. What is not due any more is given back, for others to claim when it is.

    Raises:
        JournalError: The entry is not where `entry` says, or somebody else works on it.
    """
    head = hold(connection, entries, entry, at)
    state = change.state or entry.state
    keeps_lease = entry.lease is not None and change.due_at is not None and change.due_at <= at
    told = append(connection, head, change.event, {**change.detail, "state": state.value}, at)
    values = {"state": state.value, "due_at": change.due_at, **_given(change), **told.columns()}
    connection.execute(_update(entry.id).values(values if keeps_lease else {**values, **UNLEASED}))
    if change.receipt is not None:
        _put_receipt(connection, entry.id, change.receipt)
    after = get(connection, entry.id)
    return replace(after, lease=entry.lease) if keeps_lease else after


def postpone(connection: Connection, entry: Entry, due_at: datetime | None) -> Entry:
    """Let an entry wait, and give it back.

    Raises:
        JournalError: The entry is not where `entry` says, or somebody else works on it.
    """
    hold(connection, entries, entry, None)
    connection.execute(_update(entry.id).values({"due_at": due_at, **UNLEASED}))
    return get(connection, entry.id)


def erase(connection: Connection, entry: Entry, at: datetime) -> Entry:
    """Remove the sealed original of a receipted entry.

    Raises:
        JournalError: The entry is not receipted any more.
    """
    head = hold(connection, entries, entry, at)
    payload_id = connection.execute(select(entries.c.payload_id).where(entries.c.id == entry.id))
    pieces = payloads.drop(connection, payload_id.scalar_one())
    detail: dict[str, str | int] = {"pieces": pieces, "state": State.ERASED.value}
    told = append(connection, head, EventKind.ERASED, detail, at)
    values = {"state": State.ERASED.value, "due_at": None, **UNLEASED, **told.columns()}
    connection.execute(_update(entry.id).values(values))
    return get(connection, entry.id)


def note(connection: Connection, entry_id: str, kind: EventKind, at: datetime) -> None:
    """Add an event that changes nothing, whoever works on the entry."""
    row = connection.execute(
        select(entries.c.event_count, entries.c.event_hash).where(entries.c.id == entry_id).with_for_update()
    )
    told = append(connection, Head(entry_id, *row.one()), kind, {}, at)
    connection.execute(_update(entry_id).values(told.columns()))


def append(connection: Connection, head: Head, kind: EventKind, detail: dict[str, str | int], at: datetime) -> Head:
    """Add an event to the end of a chain; the entry's row has to be locked, or new, and then gets the new head."""
    number = head.count + 1
    told = link(head.hash, entry_id=head.entry_id, number=number, at=at, kind=kind, detail=detail)
    connection.execute(
        insert(events).values(entry_id=head.entry_id, number=number, at=at, kind=kind.value, detail=detail, hash=told)
    )
    return Head(head.entry_id, number, told)


class Held(Protocol):
    """What takes steps: a message received, or a report to send."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def state(self) -> str:
        """How far it has come."""
        ...

    @property
    def lease(self) -> Lease | None:
        """Our right to work on it."""
        ...


def hold(connection: Connection, table: Table, entry: Held, at: datetime | None) -> Head:
    """Lock the entry's row for this transaction, and see whether `entry` still is what the journal holds.

    Raises:
        JournalError: It is not, or somebody else works on it.
    """
    columns = table.c
    wanted = (columns.state, columns.lease_owner, columns.lease_until, columns.lease_number)
    found = connection.execute(
        select(*wanted, columns.event_count, columns.event_hash).where(columns.id == entry.id).with_for_update()
    )
    row = found.first()
    if row is None or row.state != entry.state:
        raise JournalError(f"The message is no longer {entry.state}.", message_id=entry.id)
    if entry.lease is not None:
        if (row.lease_owner, row.lease_number) != (entry.lease.owner, entry.lease.number):
            raise JournalError("The message has been claimed by another process meanwhile.", message_id=entry.id)
    elif row.lease_owner is not None and (at is None or row.lease_until > at):
        raise JournalError("The message is being worked on.", message_id=entry.id, advice="Try again in a minute.")
    return Head(entry.id, row.event_count, row.event_hash)


def _update(entry_id: str) -> Update:
    return update(entries).where(entries.c.id == entry_id)


def _given(change: Change) -> dict[str, str | int]:
    names = ("attempts", "failures", "report_id", "duplicate_of", "reference", "reason")
    values = {name: getattr(change, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def _put_receipt(connection: Connection, entry_id: str, receipt: Receipt) -> None:
    values = {
        "answer": receipt.answer.value,
        "klient_melding_id": receipt.klient_melding_id,
        "reason": receipt.reason,
        "attempts": receipt.attempts,
        "taken_at": receipt.taken_at,
        "melding_id": receipt.melding_id,
    }
    updated = connection.execute(update(receipts).where(receipts.c.entry_id == entry_id).values(values))
    if updated.rowcount == 0:
        connection.execute(insert(receipts).values(entry_id=entry_id, **values))
