"""Claiming what is due, for the journal and the outbox alike."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, Table

from fiksmelding.journal import leases
from fiksmelding.journal.database import Database
from fiksmelding.journal.records import Lease

Item = TypeVar("Item", bound=leases.Leased)


class Claims(Generic[Item]):
    """Who works on which row of a table.

    Args:
        database: Where the table is.
        table: What is claimed.
        load: Reads the rows with the given leases, in that order.
    """

    def __init__(
        self,
        database: Database,
        table: Table,
        load: Callable[[Connection, dict[int, Lease]], Sequence[Item]],
    ) -> None:
        self._database = database
        self._table = table
        self._load = load
        self._others_are_dead = False

    async def claim(
        self,
        now: datetime,
        *,
        owner: str,
        lease: timedelta,
        limit: int,
        without: Collection[str] = (),
        wanted: Collection[ColumnElement[bool]] = (),
    ) -> Sequence[Item]:
        """Take entries that are due, oldest first; see `Journal.claim`.

        Raises:
            JournalUnavailable: None could be taken; or, on SQLite, another process claims already.
        """
        if await self._database.become_claimer():
            self._others_are_dead = True
        if self._others_are_dead:
            await self._database.write(lambda connection: leases.drop_all(connection, self._table))
            self._others_are_dead = False

        def take(connection: Connection) -> Sequence[Item]:
            taken = leases.claim(
                connection,
                self._table,
                now,
                owner=owner,
                until=now + lease,
                limit=limit,
                without=without,
                wanted=wanted,
            )
            return self._load(connection, dict(taken)) if taken else []

        return await self._database.write(take)

    async def renew(self, held: Collection[Item], *, until: datetime) -> frozenset[str]:
        """Hold claimed entries until `until`; see `Journal.renew`.

        Raises:
            JournalUnavailable: Nothing was renewed.
        """
        return await self._database.write(lambda connection: leases.renew(connection, self._table, held, until))

    async def release(self, entry: Item) -> None:
        """Give a claimed entry back at once, if it is still held.

        Raises:
            JournalUnavailable: It was not; then it is free when its lease ends.
        """
        await self._database.write(lambda connection: leases.release(connection, self._table, entry))

    async def next_due(
        self, *, owner: str, without: Collection[str] = (), wanted: Collection[ColumnElement[bool]] = ()
    ) -> datetime | None:
        """When the next entry has to be worked on that `owner` could claim, or None when none has."""
        query = leases.next_due(self._table, owner, without, wanted)
        return await self._database.read(lambda connection: connection.execute(query).scalar_one())
