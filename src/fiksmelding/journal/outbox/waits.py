"""Waits, claims and other times that a wrong clock has set in the outbox; see `fiksmelding.journal.waits`."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, func, select, update

from fiksmelding.journal.outbox.records import OutgoingState
from fiksmelding.journal.tables import outbox
from fiksmelding.journal.waits import end_impossible_leases

OURS_ALONE: Final = frozenset({OutgoingState.QUEUED, OutgoingState.SUBMITTING, OutgoingState.ACCEPTED})
"""The states whose waits only spare the platform: to end one early does no harm. The others give somebody time."""


def end_impossible(
    connection: Connection, at: datetime, longest_waits: Mapping[OutgoingState, timedelta], longest_lease: timedelta
) -> int:
    """Shorten waits that are longer than can be, and give back what is held for longer; returns how many waited.

    A report that waits for a person, or to be erased, gets the whole of its wait from now on, not less.
    """
    count = 0
    # The index has it at once. Those that wait to be erased may be a million: looked through only when one is wrong.
    latest = connection.execute(select(func.max(outbox.c.due_at)).where(outbox.c.due_at.is_not(None))).scalar_one()
    for state, longest in longest_waits.items():
        if latest is None or latest <= at + longest:
            continue
        ended = connection.execute(
            update(outbox)
            .where(outbox.c.state == state.value, outbox.c.due_at > at + longest)
            .values(due_at=at if state in OURS_ALONE else at + longest)
        )
        count += ended.rowcount
    end_impossible_leases(connection, outbox, at + longest_lease)
    return count


def take_back_movements(connection: Connection, at: datetime, ahead: timedelta) -> None:
    """What is said to have happened in the future has happened by now; else no alarm would come until then."""
    followed = outbox.c.state.in_([state.value for state in OURS_ALONE])
    for column in (outbox.c.moved_at, outbox.c.alarmed_at):
        connection.execute(update(outbox).where(followed, column > at + ahead).values({column.name: at}))
