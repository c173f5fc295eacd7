"""The outbox's table: how a report gets into it, takes steps, and is read."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import ColumnElement, Connection, Row, Update, func, insert, select, update

from fiksmelding.errors import JournalError
from fiksmelding.journal import payloads
from fiksmelding.journal.outbox.records import Order, Outgoing, OutgoingState, SealedCopies, SeenStatus, Step
from fiksmelding.journal.records import Head, Lease, Waiting
from fiksmelding.journal.states import EventKind
from fiksmelding.journal.stepping import UNLEASED, append, hold
from fiksmelding.journal.tables import outbox
from fiksmelding.journal.waiting import count_waiting

Values = dict[str, object]
PAGE: Final = 500
_DECIDED: Final = (OutgoingState.DELIVERED, OutgoingState.CANCELLED, OutgoingState.ERASED)
_UNDECIDED: Final = [state for state in OutgoingState if state not in _DECIDED]


def insert_outgoing(connection: Connection, order: Order, copies: SealedCopies, chunk_bytes: int) -> Outgoing:
    """Make a row of a sealed report.

    Raises:
        sqlalchemy.exc.IntegrityError: Its key is taken.
    """
    asice = payloads.store(connection, copies.asice, chunk_bytes)
    print_copy = payloads.store(connection, copies.print_copy, chunk_bytes)
    outgoing_id = str(uuid4())
    detail: dict[str, str | int] = {
        "message_type": order.message_type,
        "kommunenummer": order.kommunenummer,
        "bydelsnummer": order.bydelsnummer,
        "size": copies.size,
        "sha256": asice.sha256,
        "print_sha256": print_copy.sha256,
        "key_sha256": order.key_sha256,
        "print_key_sha256": order.print_key_sha256,
        "state": OutgoingState.QUEUED.value,
    }
    head = append(connection, Head(outgoing_id), EventKind.QUEUED, detail, order.kept_at)
    values: Values = {
        "id": outgoing_id,
        "organisation_id": order.organisation_id,
        "key": order.key,
        "message_type": order.message_type,
        "kommunenummer": order.kommunenummer,
        "bydelsnummer": order.bydelsnummer,
        "receiver": order.receiver,
        "payload_id": asice.id,
        "print_payload_id": print_copy.id,
        "size": copies.size,
        "kept_at": order.kept_at,
        "keys_until": order.keys_until,
        "key_sha256": order.key_sha256,
        "print_key_sha256": order.print_key_sha256,
        "state": OutgoingState.QUEUED.value,
        "due_at": order.kept_at,
        "statuses": [],
        "moved_at": order.kept_at,
        **head.columns(),
    }
    connection.execute(insert(outbox).values(values))
    return get(connection, outgoing_id)


def get(connection: Connection, outgoing_id: str) -> Outgoing:
    """One report, by our id or the platform's.

    Raises:
        JournalError: There is none of that id.
    """
    query = select(outbox).where((outbox.c.id == outgoing_id) | (outbox.c.report_id == outgoing_id))
    row = connection.execute(query).first()
    if row is None:
        raise JournalError("The outbox holds no such report.", message_id=outgoing_id)
    return _outgoing_of(row)


def by_key(connection: Connection, organisation_id: str, key: str) -> Outgoing | None:
    """The report of its caller's key, if there is one."""
    query = select(outbox).where(outbox.c.organisation_id == organisation_id, outbox.c.key == key)
    row = connection.execute(query).first()
    return None if row is None else _outgoing_of(row)


def in_states(connection: Connection, states: Sequence[OutgoingState], limit: int | None) -> Sequence[Outgoing]:
    """The newest reports in the given states, or all, oldest first."""
    query = select(outbox).order_by(outbox.c.sequence.desc()).limit(limit)
    if states:
        query = query.where(outbox.c.state.in_([state.value for state in states]))
    return [_outgoing_of(row) for row in connection.execute(query)][::-1]


def count(connection: Connection, states: Sequence[OutgoingState]) -> int:
    """How many reports there are in the given states, or in all."""
    query = select(func.count()).select_from(outbox)
    if states:
        query = query.where(outbox.c.state.in_([state.value for state in states]))
    return int(connection.execute(query).scalar_one())


def counts_between(
    connection: Connection, wanted: Sequence[ColumnElement[bool]], start: datetime, end: datetime
) -> dict[str, int]:
    """How many of the reports kept in a period are in each state."""
    query = (
        select(outbox.c.state, func.count())
        .where(outbox.c.kept_at >= start, outbox.c.kept_at < end, *wanted)
        .group_by(outbox.c.state)
    )
    return {state: int(number) for state, number in connection.execute(query)}


def undecided(
    connection: Connection, wanted: Sequence[ColumnElement[bool]], start: datetime, end: datetime, after: int
) -> Sequence[Outgoing]:
    """The next of the reports kept in a period that are neither delivered nor cancelled."""
    query = (
        select(outbox)
        .where(outbox.c.kept_at >= start, outbox.c.kept_at < end, outbox.c.state.in_(_UNDECIDED))
        .where(outbox.c.sequence > after, *wanted)
        .order_by(outbox.c.sequence)
        .limit(PAGE)
    )
    return [_outgoing_of(row) for row in connection.execute(query)]


def waiting(connection: Connection, wanted: Sequence[ColumnElement[bool]]) -> Sequence[Waiting]:
    """Reports that have not arrived; one line for each state."""
    return count_waiting(connection, outbox.c.state, outbox.c.kept_at, _UNDECIDED, wanted)


def claimed(connection: Connection, taken: dict[int, Lease]) -> Sequence[Outgoing]:
    """The reports that were just claimed, in the order of their leases."""
    rows = connection.execute(select(outbox).where(outbox.c.sequence.in_(taken)))
    found = {row.sequence: _outgoing_of(row) for row in rows}
    return [replace(found[sequence], lease=lease) for sequence, lease in taken.items()]


def take(connection: Connection, outgoing: Outgoing, step: Step, at: datetime) -> Outgoing:
    """Take one step. What is not due any more is given back, for others to claim when it is.

    Raises:
        JournalError: The report is not where `outgoing` says, or somebody else works on it.
    """
    head = hold(connection, outbox, outgoing, at)
    keeps_lease = outgoing.lease is not None and step.due_at is not None and step.due_at <= at
    state = step.state or outgoing.state
    told = append(connection, head, step.event, {**step.detail, "state": state.value}, at)
    values: Values = {"state": state.value, "due_at": step.due_at, **_given(step, at), **told.columns()}
    connection.execute(_update(outgoing.id).values(values if keeps_lease else {**values, **UNLEASED}))
    after = get(connection, outgoing.id)
    return replace(after, lease=outgoing.lease) if keeps_lease else after


def accept(connection: Connection, outgoing_id: str, report_id: str, due_at: datetime, at: datetime) -> Outgoing:
    """The platform took it: in whatever state, and whoever works on it."""
    locked = select(outbox).where(outbox.c.id == outgoing_id).with_for_update()
    row = connection.execute(locked).one()
    again = row.report_id is not None
    state = row.state if again else OutgoingState.ACCEPTED.value
    kind = EventKind.SUBMITTED_AGAIN if again else EventKind.SUBMITTED
    head = Head(outgoing_id, row.event_count, row.event_hash)
    told = append(connection, head, kind, {"report_id": report_id, "state": state}, at)
    values: Values = dict(told.columns())
    if not again:
        values |= {"state": state, "report_id": report_id, "due_at": due_at, "failures": 0, "moved_at": at, **UNLEASED}
        values |= {"alarmed_at": None, "reason": None}
    connection.execute(_update(outgoing_id).values(values))
    return get(connection, outgoing_id)


def postpone(connection: Connection, outgoing: Outgoing, due_at: datetime, failures: int) -> Outgoing:
    """Let a report wait, and give it back.

    Raises:
        JournalError: The report is not where `outgoing` says, or somebody else works on it.
    """
    hold(connection, outbox, outgoing, None)
    connection.execute(_update(outgoing.id).values({"due_at": due_at, "failures": failures, **UNLEASED}))
    return get(connection, outgoing.id)


def erase(connection: Connection, outgoing: Outgoing, at: datetime) -> Outgoing:
    """Remove the sealed copies of a delivered report.

    Raises:
        JournalError: The report is not delivered any more.
    """
    step = Step(
        event=EventKind.ERASED,
        detail={"pieces": _drop_copies(connection, outgoing.id)},
        state=OutgoingState.ERASED,
        due_at=None,
    )
    return take(connection, outgoing, step, at)


def cancel(connection: Connection, outgoing: Outgoing, at: datetime) -> Outgoing:
    """A report is not to be sent: its sealed copies go at once.

    Raises:
        JournalError: The report is not where `outgoing` says, or somebody else works on it.
    """
    detail: dict[str, str | int] = {"pieces": _drop_copies(connection, outgoing.id)}
    step = Step(event=EventKind.CANCELLED, detail=detail, state=OutgoingState.CANCELLED, due_at=None)
    return take(connection, outgoing, step, at)


def _drop_copies(connection: Connection, outgoing_id: str) -> int:
    """Remove the sealed copies of a report; returns how many pieces they had."""
    query = select(outbox.c.payload_id, outbox.c.print_payload_id).where(outbox.c.id == outgoing_id)
    return sum(payloads.drop(connection, one) for one in connection.execute(query).one())


def _update(outgoing_id: str) -> Update:
    return update(outbox).where(outbox.c.id == outgoing_id)


def _given(step: Step, at: datetime) -> Values:
    names = ("submissions", "failures", "uncertain", "report_id", "reason")
    values: Values = {name: getattr(step, name) for name in names if getattr(step, name) is not None}
    if step.statuses is not None:
        values["statuses"] = [list(status) for status in step.statuses]
    if step.moved:
        values |= {"moved_at": at, "alarmed_at": None}
    if step.alarmed:
        values["alarmed_at"] = at
    return values


def _outgoing_of(row: Row[*tuple[object, ...]]) -> Outgoing:
    values = row._mapping  # noqa: SLF001 - the public way to read a row by name
    order = Order(
        organisation_id=values["organisation_id"],
        message_type=values["message_type"],
        kommunenummer=values["kommunenummer"],
        bydelsnummer=values["bydelsnummer"],
        receiver=values["receiver"],
        kept_at=values["kept_at"],
        keys_until=values["keys_until"],
        key_sha256=values["key_sha256"],
        print_key_sha256=values["print_key_sha256"],
        key=values["key"],
    )
    return Outgoing(
        id=values["id"],
        sequence=values["sequence"],
        order=order,
        state=OutgoingState(values["state"]),
        due_at=values["due_at"],
        submissions=values["submissions"],
        failures=values["failures"],
        uncertain=values["uncertain"],
        report_id=values["report_id"],
        statuses=tuple(SeenStatus(*status) for status in values["statuses"]),
        moved_at=values["moved_at"],
        alarmed_at=values["alarmed_at"],
        reason=values["reason"],
        size=values["size"],
    )
