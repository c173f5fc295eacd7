"""Who works on which entry: a claim holds for a while, is renewed while the work goes on, and ends with it."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, or_, select, update

from fiksmelding.journal.records import Entry, Lease
from fiksmelding.journal.rows import entry_of, select_entries
from fiksmelding.journal.tables import entries


def not_held_by_others(owner: str) -> ColumnElement[bool]:
    """Entries that nobody holds, or that `owner` does."""
    return or_(entries.c.lease_owner.is_(None), entries.c.lease_owner == owner)


def claim(
    connection: Connection, now: datetime, *, owner: str, until: datetime, limit: int, without: Collection[str]
) -> Sequence[Entry]:
    """Take entries that are due, oldest first, past those that others hold or are just taking."""
    free = or_(not_held_by_others(owner), entries.c.lease_until <= now)
    found = connection.execute(
        select(entries.c.sequence)
        .where(entries.c.due_at <= now, free, entries.c.id.not_in(without))
        .order_by(entries.c.due_at, entries.c.sequence)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = found.scalars().all()
    if not taken:
        return []
    connection.execute(
        update(entries)
        .where(entries.c.sequence.in_(taken))
        .values(lease_owner=owner, lease_until=until, lease_number=entries.c.lease_number + 1)
    )
    rows = connection.execute(
        select_entries().where(entries.c.sequence.in_(taken)).order_by(entries.c.due_at, entries.c.sequence)
    )
    return [replace(entry_of(row), lease=Lease(owner, row._mapping["lease_number"])) for row in rows]  # noqa: SLF001


def renew(connection: Connection, held: Collection[Entry], until: datetime) -> frozenset[str]:
    """Hold entries longer; returns the ids of those that others have claimed meanwhile."""
    lost = set()
    for entry in sorted(held, key=lambda entry: entry.sequence):  # in one order: rows are locked one by one
        done = connection.execute(update(entries).where(*_ours(entry)).values(lease_until=until))
        if done.rowcount == 1:
            continue
        holder = connection.execute(select(entries.c.lease_owner).where(entries.c.id == entry.id))
        if holder.scalar_one_or_none() is not None:
            lost.add(entry.id)
    return frozenset(lost)


def release(connection: Connection, entry: Entry) -> None:
    """Give an entry back, if we still hold it."""
    connection.execute(update(entries).where(*_ours(entry)).values(lease_owner=None, lease_until=None))


def drop_all(connection: Connection) -> None:
    """End every lease: their owners are dead."""
    connection.execute(
        update(entries).where(entries.c.lease_owner.is_not(None)).values(lease_owner=None, lease_until=None)
    )


def _ours(entry: Entry) -> tuple[ColumnElement[bool], ...]:
    lease = entry.lease or Lease("", 0)
    return (
        entries.c.id == entry.id,
        entries.c.lease_owner == lease.owner,
        entries.c.lease_number == lease.number,
    )
