"""What is looked up in the journal."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, or_, select

from fiksmelding.journal.records import Entry
from fiksmelding.journal.rows import entry_of, select_entries
from fiksmelding.journal.states import State
from fiksmelding.journal.tables import entries, events, receipts


def of_account(konto_id: str | None) -> list[ColumnElement[bool]]:
    """What leaves out other accounts' entries; nothing is left out where no account is named."""
    return [] if konto_id is None else [entries.c.konto_id == konto_id]


def unanswered(konto_id: str | None) -> Select[int]:
    """How many entries still have a step ahead that needs no person."""
    return (
        select(func.count())
        .select_from(entries)
        .where(entries.c.due_at.is_not(None), entries.c.state != State.QUARANTINED.value, *of_account(konto_id))
    )


def in_other_states(states: Collection[State]) -> list[ColumnElement[bool]]:
    """What leaves out entries in some states, and those to be recovered, for which the case system is needed too."""
    return (
        [entries.c.state.not_in([state.value for state in states]), entries.c.recovery_at.is_(None)] if states else []
    )


def in_other_states_or_late(states: Collection[State], now: datetime) -> list[ColumnElement[bool]]:
    """What leaves out those entries, unless their deadline has passed before they were registered."""
    if not states:
        return []
    late = entries.c.deadline_at <= now
    return [or_(entries.c.state.not_in([state.value for state in states]), late), entries.c.recovery_at.is_(None)]


def to_be_recovered() -> ColumnElement[bool]:
    """What leaves out all but those that are to be handed over once more."""
    return entries.c.recovery_at.is_not(None)


def in_states(*states: State) -> Select[*tuple[object, ...]]:
    """Entries in the given states, or all, in the order of keeping."""
    query = select_entries().order_by(entries.c.sequence)
    return query.where(entries.c.state.in_([state.value for state in states])) if states else query


def receipted_before(moment: datetime, limit: int, konto_id: str | None) -> Select[*tuple[object, ...]]:
    """Entries that are done with, whose answer was taken before `moment` and whose original is still kept."""
    return (
        select_entries()
        # What was answered before a moment was received before it: an index knows those.
        .where(entries.c.state == State.RECEIPTED.value, entries.c.received_at < moment, receipts.c.taken_at < moment)
        # What the case system does not have is nowhere but here.
        .where(entries.c.missing_at.is_(None), entries.c.recovery_at.is_(None), *of_account(konto_id))
        .order_by(entries.c.received_at)
        .limit(limit)
    )


def closed_before(moment: datetime, limit: int, konto_id: str | None) -> Select[*tuple[object, ...]]:
    """Entries that a person rejected before `moment` with nobody to answer, and whose original is kept."""
    last = and_(events.c.entry_id == entries.c.id, events.c.number == entries.c.event_count)
    return (
        select_entries()
        .join(events, last)
        .where(entries.c.state == State.REJECTED.value, entries.c.received_at < moment, events.c.at < moment)
        .where(entries.c.due_at.is_(None), receipts.c.entry_id.is_(None), *of_account(konto_id))
        .order_by(entries.c.received_at)
        .limit(limit)
    )


_EARLIER_LIKE: Final = (
    select_entries()
    .where(
        entries.c.avsender_id == bindparam("avsender_id"),
        # One sender may send one report to two accounts: each of them has to register it.
        entries.c.konto_id == bindparam("konto_id"),
        entries.c.id != bindparam("other_than"),
        # With several writers the order of keeping is not that of numbers: whoever has taken an id was first.
        or_(entries.c.sequence < bindparam("before"), entries.c.report_id.is_not(None)),
        entries.c.duplicate_of.is_(None),
        # Nothing equals what is not known.
        or_(
            entries.c.klient_melding_id == bindparam("klient_melding_id"),
            entries.c.bekymringsmelding_id == bindparam("bekymringsmelding_id"),
            entries.c.sha256 == bindparam("sha256"),
        ),
    )
    .order_by(entries.c.sequence)
)
_REPORT_ID_TAKEN: Final = select(entries.c.id).where(
    entries.c.report_id == bindparam("report_id"), entries.c.id != bindparam("other_than")
)


def earlier_like(connection: Connection, entry: Entry) -> Sequence[Entry]:
    """Entries from the same sender to the same account that came before `entry` and share an id or the sealed bytes."""
    wanted = {
        "konto_id": entry.arrival.konto_id,
        "avsender_id": entry.arrival.avsender_id,
        "other_than": entry.id,
        "before": entry.sequence,
        "klient_melding_id": entry.arrival.klient_melding_id,
        "bekymringsmelding_id": entry.arrival.bekymringsmelding_id,
        "sha256": entry.sha256,
    }
    return [entry_of(row) for row in connection.execute(_EARLIER_LIKE, wanted)]


def report_id_taken(connection: Connection, report_id: str, by_other_than: str) -> bool:
    """Whether another entry goes by this report id."""
    wanted = {"report_id": report_id, "other_than": by_other_than}
    return connection.execute(_REPORT_ID_TAKEN, wanted).first() is not None


def with_id(connection: Connection, some_id: str) -> Sequence[Entry]:
    """Every entry of the reports that go by an id or reference, repetitions included, in the order of keeping."""
    columns = (entries.c.id, entries.c.melding_id, entries.c.bekymringsmelding_id, entries.c.report_id)
    named = or_(*(column == some_id for column in (*columns, entries.c.reference)))
    originals = [
        row.duplicate_of or row.id
        for row in connection.execute(select(entries.c.id, entries.c.duplicate_of).where(named)).all()
    ]
    query = select_entries().where(or_(entries.c.id.in_(originals), entries.c.duplicate_of.in_(originals)))
    return [entry_of(row) for row in connection.execute(query.order_by(entries.c.sequence))]


def by_receipt(melding_id: str) -> Select[*tuple[object, ...]]:
    """The entry whose answer the platform took under that id."""
    return select_entries().where(receipts.c.melding_id == melding_id)
