"""How an entry takes a step: its columns, its receipt and the event, by whoever has the right to.

A step changes the row by one statement, and only where it still is what the entry says; why it is not is looked at only
then. The statements are built once: a report takes about twenty, and building one costs more than running it.
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, Protocol

from sqlalchemy import Connection, Table, bindparam, delete, insert, or_, select, update

from fiksmelding.errors import JournalError
from fiksmelding.journal import payloads
from fiksmelding.journal.chain import link
from fiksmelding.journal.records import Change, Entry, Head, Lease, Receipt
from fiksmelding.journal.rows import entry_of, select_entries
from fiksmelding.journal.states import EventKind, State
from fiksmelding.journal.tables import entries, events, readings, receipts, storable

Value = str | int | datetime | None
"""What a column of an entry takes."""
UNLEASED: Final[Mapping[str, None]] = MappingProxyType({"lease_owner": None, "lease_until": None})
"""The columns of what nobody works on."""
_OF_ENTRY: Final = entries.c.id == bindparam("of_entry")
_SELECT: Final = select_entries().where(_OF_ENTRY)
_LOCK: Final = select(entries).where(_OF_ENTRY).with_for_update()
_UPDATE: Final = update(entries).where(_OF_ENTRY)
_UPDATE_AS_SEEN: Final = _UPDATE.where(
    entries.c.state == bindparam("seen_state"),
    entries.c.event_count == bindparam("seen_count"),
    entries.c.event_hash == bindparam("seen_hash"),
)
_UPDATE_HELD: Final = _UPDATE_AS_SEEN.where(
    entries.c.lease_owner == bindparam("seen_owner"), entries.c.lease_number == bindparam("seen_number")
)
_UPDATE_FREE: Final = _UPDATE_AS_SEEN.where(
    or_(entries.c.lease_owner.is_(None), entries.c.lease_until <= bindparam("seen_at"))
)
_INSERT_EVENT: Final = insert(events)
_INSERT_RECEIPT: Final = insert(receipts)
_UPDATE_RECEIPT: Final = update(receipts).where(receipts.c.entry_id == bindparam("of_entry"))


def get(connection: Connection, entry_id: str) -> Entry:
    """One entry.

    Raises:
        JournalError: There is none of that id.
    """
    row = connection.execute(_SELECT, {"of_entry": entry_id}).first()
    if row is None:
        raise JournalError("The journal holds no such message.", message_id=entry_id)
    return entry_of(row)


def take(connection: Connection, entry: Entry, change: Change, at: datetime) -> Entry:
    """Take one step. What is not due any more is given back, for others to claim when it is.

    Raises:
        JournalError: The entry is not where `entry` says, or somebody else works on it.
    """
    state = change.state or entry.state
    keeps_lease = entry.lease is not None and change.due_at is not None and change.due_at <= at
    columns: dict[str, Value] = {"state": state.value, "due_at": change.due_at, **_given(entry, change)}
    detail = {**change.detail, "state": state.value}
    if not keeps_lease:
        columns.update(UNLEASED)
    if change.event is EventKind.REGISTERED:
        columns["registered_at"] = at
    entry = _move(connection, entry, columns, kind=change.event, detail=detail, at=at)
    if change.receipt is not None:
        _put_receipt(connection, entry, change.receipt)
    if change.ask_at is not None and change.reference is not None:
        _expect_reader(connection, entry, change.reference, at, change.ask_at)
    return after(entry, change, lease=entry.lease if keeps_lease else None)


def after(entry: Entry, change: Change, *, lease: Lease | None) -> Entry:
    """What the journal holds once `change` is recorded; nothing has to be read again for it."""
    receipt = change.receipt or entry.receipt
    if receipt is not None and receipt.reason is not None:
        receipt = replace(receipt, reason=storable(receipt.reason))
    return replace(
        entry,
        state=change.state or entry.state,
        due_at=change.due_at,
        attempts=entry.attempts if change.attempts is None else change.attempts,
        failures=entry.failures if change.failures is None else change.failures,
        report_id=change.report_id or entry.report_id,
        duplicate_of=change.duplicate_of or entry.duplicate_of,
        reference=entry.reference if change.reference is None else storable(change.reference),
        reason=entry.reason if change.reason is None else storable(change.reason),
        receipt=receipt,
        recovery_at=entry.recovery_at if change.recovery is None else None,
        lease=lease,
    )


def postpone(connection: Connection, entry: Entry, due_at: datetime | None) -> Entry:
    """Let an entry wait, and give it back.

    Raises:
        JournalError: The entry is not where `entry` says, or somebody else works on it.
    """
    now = _as_it_is(connection, entry, None)
    connection.execute(_UPDATE, {"of_entry": entry.id, "due_at": due_at, **UNLEASED})
    return replace(now, due_at=due_at, lease=None)


def erase(connection: Connection, entry: Entry, at: datetime, cause: Mapping[str, str | int]) -> Entry:
    """Remove the sealed original of an entry that is done with.

    Raises:
        JournalError: The entry is not where `entry` says, or the case system does not have it.
    """
    hold(connection, entries, entry, at)
    marks = select(entries.c.missing_at, entries.c.recovery_at).where(_OF_ENTRY)
    if any(connection.execute(marks, {"of_entry": entry.id}).one()):
        raise JournalError("The case system does not have the message: it is not erased.", message_id=entry.id)
    pieces = payloads.drop(connection, entry.payload_id)
    columns: dict[str, Value] = {"state": State.ERASED.value, "due_at": None, **UNLEASED}
    detail: dict[str, str | int] = {**cause, "pieces": pieces, "state": State.ERASED.value}
    entry = _move(connection, entry, columns, kind=EventKind.ERASED, detail=detail, at=at)
    return replace(entry, state=State.ERASED, due_at=None, lease=None)


def note(connection: Connection, entry_id: str, kind: EventKind, at: datetime) -> None:
    """Add an event that changes nothing, whoever works on the entry."""
    row = connection.execute(_LOCK, {"of_entry": entry_id}).one()
    told = append(connection, Head(entry_id, row.event_count, row.event_hash), kind, {}, at)
    connection.execute(_UPDATE, {"of_entry": entry_id, **told.columns()})


def append(connection: Connection, head: Head, kind: EventKind, detail: dict[str, str | int], at: datetime) -> Head:
    """Add an event to the end of a chain; the entry's row has to be locked, or new, and then gets the new head."""
    told = _following(head, kind, detail, at)
    _insert_event(connection, told, kind, detail, at)
    return told


def _insert_event(
    connection: Connection, told: Head, kind: EventKind, detail: dict[str, str | int], at: datetime
) -> None:
    values = {"entry_id": told.entry_id, "number": told.count, "at": at, "kind": kind.value, "detail": detail}
    connection.execute(_INSERT_EVENT, {**values, "hash": told.hash})


def _following(head: Head, kind: EventKind, detail: dict[str, str | int], at: datetime) -> Head:
    """The end of a chain once it has one more event."""
    number = head.count + 1
    told = link(head.hash, entry_id=head.entry_id, number=number, at=at, kind=kind, detail=detail)
    return Head(head.entry_id, number, told)


def _move(
    connection: Connection,
    entry: Entry,
    columns: dict[str, Value],
    *,
    kind: EventKind,
    detail: dict[str, str | int],
    at: datetime,
) -> Entry:
    """Change the entry's row and add the event; returns the entry as it was found, with its new head.

    Raises:
        JournalError: The entry is not where `entry` says, or somebody else works on it.
    """
    head = _following(entry.head, kind, detail, at)
    if not _changed_as_seen(connection, entry, {**columns, **head.columns()}, at):
        # Something was noted meanwhile, such as a redelivery; or this is refused.
        entry = _as_it_is(connection, entry, at)
        head = _following(entry.head, kind, detail, at)
        connection.execute(_UPDATE, {"of_entry": entry.id, **columns, **head.columns()})
    _insert_event(connection, head, kind, detail, at)
    return replace(entry, head=head)


def _changed_as_seen(connection: Connection, entry: Entry, columns: dict[str, Value], at: datetime) -> bool:
    """Change the row if it is what `entry` says, and ours to change."""
    seen = {
        "of_entry": entry.id,
        "seen_state": entry.state.value,
        "seen_count": entry.head.count,
        "seen_hash": entry.head.hash,
    }
    if entry.lease is None:
        return connection.execute(_UPDATE_FREE, {**seen, "seen_at": at, **columns}).rowcount == 1
    held = {"seen_owner": entry.lease.owner, "seen_number": entry.lease.number}
    return connection.execute(_UPDATE_HELD, {**seen, **held, **columns}).rowcount == 1


def _as_it_is(connection: Connection, entry: Entry, at: datetime | None) -> Entry:
    """Lock the entry's row for this transaction; returns the entry as it is now.

    Raises:
        JournalError: The entry is not where `entry` says, or somebody else works on it.
    """
    hold(connection, entries, entry, at)
    return replace(get(connection, entry.id), lease=entry.lease)


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


def _given(entry: Entry, change: Change) -> dict[str, Value]:
    names = ("attempts", "failures", "report_id", "duplicate_of", "reference", "reason")
    values = {name: getattr(change, name) for name in names}
    if change.facts is not None:
        values |= asdict(change.facts)
    given: dict[str, Value] = {name: value for name, value in values.items() if value is not None}
    if change.recovery is not None:
        # What could not be handed over once more is missing there, as far as we know.
        given |= {"recovery_at": None, "missing_at": None if change.recovery else entry.recovery_at}
    return given


def _expect_reader(connection: Connection, entry: Entry, reference: str, at: datetime, ask_at: datetime) -> None:
    """From `ask_at` on, somebody asks whether the report that was registered just now has been opened."""
    connection.execute(delete(readings).where(readings.c.entry_id == entry.id))  # it was registered before, and lost
    values = {"konto_id": entry.arrival.konto_id, "reference": reference, "registered_at": at, "ask_at": ask_at}
    connection.execute(insert(readings).values(entry_id=entry.id, **values))


def _put_receipt(connection: Connection, entry: Entry, receipt: Receipt) -> None:
    values = {
        "answer": receipt.answer.value,
        "klient_melding_id": receipt.klient_melding_id,
        "reason": receipt.reason,
        "attempts": receipt.attempts,
        "taken_at": receipt.taken_at,
        "melding_id": receipt.melding_id,
    }
    if entry.receipt is None:
        connection.execute(_INSERT_RECEIPT, {"entry_id": entry.id, **values})
    else:
        connection.execute(_UPDATE_RECEIPT, {"of_entry": entry.id, **values})
