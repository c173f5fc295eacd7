"""What is to be handed to the case system once more: asked for here, done by whoever takes the steps."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, or_, select, update

from fiksmelding.journal import stepping
from fiksmelding.journal.database import Database
from fiksmelding.journal.records import Head
from fiksmelding.journal.states import DECIDED, EventKind, State
from fiksmelding.journal.tables import entries, receipts

ANSWERED: Final = DECIDED | {State.RECEIPTED}
"""Where a message has an answer; one that has none yet is handed over as long as it takes."""


class Recoveries:
    """The part of a journal that knows which messages are to be handed over once more.

    Args:
        database: Where the journal is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ask(self, entry_ids: Collection[str], *, at: datetime) -> frozenset[str]:
        """Have messages handed to the case system once more; whoever takes the steps there does so, soon.

        Args:
            entry_ids: Messages that were answered, or have an answer to be sent.
            at: The present time; it marks those that are asked for together.

        Returns:
            The ids of those that will be. Others are erased, not answered, asked for already, or just worked on.

        Raises:
            JournalUnavailable: None will be.
        """
        return await self._database.write(lambda connection: _ask(connection, entry_ids, at))

    async def waiting(self, konto_id: str, *, asked_at: datetime | None = None) -> int:
        """How many of an account's messages are still to be handed over once more.

        Args:
            konto_id: The account.
            asked_at: Only those that were asked for at that moment.
        """
        wanted = entries.c.recovery_at.is_not(None) if asked_at is None else entries.c.recovery_at == asked_at
        query = select(func.count()).select_from(entries).where(entries.c.konto_id == konto_id, wanted)
        return int(await self._database.read(lambda connection: connection.execute(query).scalar_one()))

    async def refused(self, konto_id: str, *, asked_at: datetime) -> int:
        """How many of those that were asked for at a moment could not be handed over, for good."""
        query = select(func.count()).select_from(entries)
        query = query.where(entries.c.konto_id == konto_id, entries.c.missing_at == asked_at)
        return int(await self._database.read(lambda connection: connection.execute(query).scalar_one()))


def _ask(connection: Connection, entry_ids: Collection[str], at: datetime) -> frozenset[str]:
    columns = (entries.c.id, entries.c.state, entries.c.event_count, entries.c.event_hash)
    found = connection.execute(
        select(*columns)
        .join(receipts, receipts.c.entry_id == entries.c.id)
        .where(
            entries.c.id.in_(entry_ids),
            entries.c.state.in_([state.value for state in ANSWERED]),
            entries.c.recovery_at.is_(None),
            or_(entries.c.lease_owner.is_(None), entries.c.lease_until <= at),
        )
        .order_by(entries.c.sequence)  # in one order everywhere: rows are locked one by one
        .with_for_update(of=entries)
    ).all()
    for row in found:
        head = Head(row.id, row.event_count, row.event_hash)
        told = stepping.append(connection, head, EventKind.RECOVERY_ASKED, {"state": row.state}, at)
        asked = {"due_at": at, "recovery_at": at, "settled_at": None, "failures": 0}
        values = {**told.columns(), **stepping.UNLEASED, **asked}
        connection.execute(update(entries).where(entries.c.id == row.id).values(values))
    return frozenset(row.id for row in found)
