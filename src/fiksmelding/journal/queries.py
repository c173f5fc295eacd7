"""What is looked up in the journal."""

from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, or_, select

from fiksmelding.journal.records import Entry
from fiksmelding.journal.rows import select_entries
from fiksmelding.journal.states import State
from fiksmelding.journal.tables import entries, receipts


def unanswered() -> Select[int]:
    """How many entries still have a step ahead that needs no person."""
    return (
        select(func.count())
        .select_from(entries)
        .where(entries.c.due_at.is_not(None), entries.c.state != State.QUARANTINED.value)
    )


def in_states(*states: State) -> Select[*tuple[object, ...]]:
    """Entries in the given states, or all, in the order of keeping."""
    query = select_entries().order_by(entries.c.sequence)
    return query.where(entries.c.state.in_([state.value for state in states])) if states else query


def receipted_before(moment: datetime, limit: int) -> Select[*tuple[object, ...]]:
    """Entries whose answer was taken before `moment` and whose original is still kept."""
    return (
        select_entries()
        # What was answered before a moment was received before it: an index knows those.
        .where(entries.c.state == State.RECEIPTED.value, entries.c.received_at < moment, receipts.c.taken_at < moment)
        .order_by(entries.c.received_at)
        .limit(limit)
    )


def earlier_like(entry: Entry) -> Select[*tuple[object, ...]] | None:
    """Entries of the same sender that came before `entry` and share an id with it; None if it has none to share."""
    same: list[ColumnElement[bool]] = []
    if entry.arrival.klient_melding_id is not None:
        same.append(entries.c.klient_melding_id == entry.arrival.klient_melding_id)
    if entry.arrival.bekymringsmelding_id is not None:
        same.append(entries.c.bekymringsmelding_id == entry.arrival.bekymringsmelding_id)
    if not same:
        return None
    return (
        select_entries()
        .where(
            entries.c.avsender_id == entry.arrival.avsender_id,
            entries.c.id != entry.id,
            # With several writers the order of keeping is not that of numbers: whoever has taken an id was first.
            or_(entries.c.sequence < entry.sequence, entries.c.report_id.is_not(None)),
            entries.c.duplicate_of.is_(None),
            or_(*same),
        )
        .order_by(entries.c.sequence)
    )
