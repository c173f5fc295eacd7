"""How much waits in the journal, by state: what those who watch it ask every few seconds, so indexes answer it."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Column, ColumnElement, Connection, func, select

from fiksmelding.journal.queries import of_account
from fiksmelding.journal.records import Waiting
from fiksmelding.journal.states import State
from fiksmelding.journal.tables import entries

ENTRIES_WAIT_IN: Final = (
    State.RECEIVED,
    State.OPENED,
    State.REGISTERED,
    State.CONFIRMED,
    State.REJECTED,
    State.QUARANTINED,
)


def waiting_entries(connection: Connection, konto_id: str | None) -> Sequence[Waiting]:
    """Messages of an account, or of all, that have a step ahead; one line for each state."""
    return count_waiting(connection, entries.c.state, entries.c.received_at, ENTRIES_WAIT_IN, of_account(konto_id))


def count_waiting(
    connection: Connection,
    state: Column[str],
    since: Column[datetime],
    states: Sequence[StrEnum],
    wanted: Sequence[ColumnElement[bool]],
) -> Sequence[Waiting]:
    """How many rows there are in each of some states, and the least time of those."""
    query = (
        select(state, func.count(), func.min(since))
        .where(state.in_([one.value for one in states]), *wanted)
        .group_by(state)
    )
    found = {row[0]: Waiting(row[0], row[1], row[2]) for row in connection.execute(query)}
    return [found.get(one.value, Waiting(one.value, 0, None)) for one in states]
