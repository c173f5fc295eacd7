"""Waits and claims that a wrong clock has set: no entry may sleep until a time that is not coming.

A clock that jumps ahead and is set right again, such as that of a virtual machine that was suspended, leaves times
behind that lie hours or years ahead. They are told by being further away than any wait or lease can be.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, Table, update

from fiksmelding.journal.states import State
from fiksmelding.journal.tables import entries


def end_impossible(connection: Connection, at: datetime, longest_wait: timedelta, longest_lease: timedelta) -> int:
    """Let entries go on that wait, or are held, for longer than can be; returns how many waited."""
    ended = connection.execute(
        update(entries)
        # Those in quarantine wait for their deadline, however far that is.
        .where(entries.c.due_at > at + longest_wait, entries.c.state != State.QUARANTINED.value)
        .values(due_at=at)
    )
    end_impossible_leases(connection, entries, at + longest_lease)
    return ended.rowcount


def end_impossible_leases(connection: Connection, table: Table, latest: datetime) -> None:
    """Give back what is held until later than any lease can last."""
    connection.execute(
        update(table)
        .where(table.c.lease_owner.is_not(None), table.c.lease_until > latest)
        .values(lease_owner=None, lease_until=None)
    )
