"""Who works on which entry: a claim holds for a while, is renewed while the work goes on, and ends with it.

The same for what was received and for what is to be sent: `table` says which.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import cache
from typing import Protocol

from sqlalchemy import ColumnElement, Connection, Select, Table, Update, bindparam, func, or_, select, update

from fiksmelding.journal.records import Lease


class Leased(Protocol):
    """What can be claimed."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def sequence(self) -> int:
        """Its place in the order of keeping."""
        ...

    @property
    def lease(self) -> Lease | None:
        """Our right to work on it."""
        ...


def not_held_by_others(table: Table, owner: str) -> ColumnElement[bool]:
    """Entries that nobody holds, or that `owner` does."""
    return or_(table.c.lease_owner.is_(None), table.c.lease_owner == owner)


def next_due(
    table: Table, owner: str, without: Collection[str], wanted: Collection[ColumnElement[bool]] = ()
) -> Select[datetime | None]:
    """When the next entry that `owner` could claim is due."""
    return select(func.min(table.c.due_at)).where(
        table.c.due_at.is_not(None), not_held_by_others(table, owner), table.c.id.not_in(without), *wanted
    )


@cache
def _due(table: Table) -> Select[int, int]:
    return (
        select(table.c.sequence, table.c.lease_number)
        .where(
            table.c.due_at <= bindparam("now"),
            or_(
                table.c.lease_owner.is_(None),
                table.c.lease_owner == bindparam("owner"),
                table.c.lease_until <= bindparam("now"),
            ),
            table.c.id.not_in(bindparam("without", expanding=True)),
        )
        .order_by(table.c.due_at, table.c.sequence)
        .limit(bindparam("limit"))
        .with_for_update(skip_locked=True)
    )


@cache
def _take(table: Table) -> Update:
    return (
        update(table)
        .where(table.c.sequence.in_(bindparam("taken", expanding=True)))
        .values(
            lease_owner=bindparam("owner"),
            lease_until=bindparam("until"),
            lease_number=table.c.lease_number + 1,
        )
    )


def claim(
    connection: Connection,
    table: Table,
    now: datetime,
    *,
    owner: str,
    until: datetime,
    limit: int,
    without: Collection[str],
    wanted: Collection[ColumnElement[bool]] = (),
) -> Mapping[int, Lease]:
    """Take entries that are due, oldest first, past those that others hold or are just taking.

    Returns:
        The lease of each, by its place in the order of keeping; those that are due first come first.
    """
    due = _due(table).where(*wanted) if wanted else _due(table)
    found = connection.execute(due, {"now": now, "owner": owner, "without": list(without), "limit": limit})
    taken = {row.sequence: Lease(owner, row.lease_number + 1) for row in found}
    if taken:
        connection.execute(_take(table), {"taken": list(taken), "owner": owner, "until": until})
    return taken


def renew(connection: Connection, table: Table, held: Collection[Leased], until: datetime) -> frozenset[str]:
    """Hold entries longer; returns the ids of those that others have claimed meanwhile."""
    lost = set()
    for entry in sorted(held, key=lambda entry: entry.sequence):  # in one order: rows are locked one by one
        done = connection.execute(update(table).where(*_ours(table, entry)).values(lease_until=until))
        if done.rowcount == 1:
            continue
        holder = connection.execute(select(table.c.lease_owner).where(table.c.id == entry.id))
        if holder.scalar_one_or_none() is not None:
            lost.add(entry.id)
    return frozenset(lost)


def release(connection: Connection, table: Table, entry: Leased) -> None:
    """Give an entry back, if we still hold it."""
    connection.execute(update(table).where(*_ours(table, entry)).values(lease_owner=None, lease_until=None))


def drop_all(connection: Connection, table: Table) -> None:
    """End every lease: their owners are dead."""
    connection.execute(update(table).where(table.c.lease_owner.is_not(None)).values(lease_owner=None, lease_until=None))


def _ours(table: Table, entry: Leased) -> tuple[ColumnElement[bool], ...]:
    lease = entry.lease or Lease("", 0)
    return (
        table.c.id == entry.id,
        table.c.lease_owner == lease.owner,
        table.c.lease_number == lease.number,
    )
