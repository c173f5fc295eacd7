"""Canaries: messages that a receiver sends to its own account. Whoever takes one tells its sender by the journal."""

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select, update

from fiksmelding.journal.database import Database
from fiksmelding.journal.records import Canary
from fiksmelding.journal.tables import canaries

KEPT: Final = timedelta(days=7)
"""How long a canary is remembered: longer than a message may wait in a queue."""


class Canaries:
    """The part of a journal that knows which canaries were sent, and which came back.

    They are kept apart from entries: no comparison with the case system and no statistics may count one.

    Args:
        database: Where the journal is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sent(self, canary: Canary) -> None:
        """Note that a canary is about to be sent; those of last week are forgotten.

        Raises:
            JournalUnavailable: It is not noted.
        """
        await self._database.write(lambda connection: _insert(connection, canary))

    async def arrived(self, canary_id: str, konto_id: str, *, at: datetime, fault: str | None = None) -> Canary | None:
        """Note that a canary came back. A second time changes nothing.

        Args:
            canary_id: Which.
            konto_id: The account that it came to.
            at: When, aware UTC.
            fault: Why it could not be opened, without personal data; None when it could.

        Returns:
            The canary; None when this journal knows none of that id.

        Raises:
            JournalUnavailable: It is not noted.
        """
        return await self._database.write(lambda connection: _arrived(connection, canary_id, konto_id, at, fault))

    async def get(self, canary_id: str) -> Canary | None:
        """A canary, or None when this journal knows none of that id."""
        return await self._database.read(lambda connection: _get(connection, canary_id))

    async def last_arrival(self, sender: str) -> datetime | None:
        """When the last canary of a process came back and could be opened, aware UTC; None when none did."""
        query = select(func.max(canaries.c.arrived_at)).where(canaries.c.sender == sender, canaries.c.fault.is_(None))
        return await self._database.read(lambda connection: connection.execute(query).scalar_one())


def _insert(connection: Connection, canary: Canary) -> None:
    connection.execute(delete(canaries).where(canaries.c.sent_at < canary.sent_at - KEPT))
    connection.execute(insert(canaries).values({name: getattr(canary, name) for name in Canary.__slots__}))


def _arrived(connection: Connection, canary_id: str, konto_id: str, at: datetime, fault: str | None) -> Canary | None:
    connection.execute(
        update(canaries)
        .where(canaries.c.id == canary_id, canaries.c.konto_id == konto_id, canaries.c.arrived_at.is_(None))
        .values(arrived_at=at, fault=fault)
    )
    return _get(connection, canary_id)


def _get(connection: Connection, canary_id: str) -> Canary | None:
    columns = [canaries.c[name] for name in Canary.__slots__]
    row = connection.execute(select(*columns).where(canaries.c.id == canary_id)).first()
    return None if row is None else Canary(**row._asdict())
