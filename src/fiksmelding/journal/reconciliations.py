"""What comparisons with the case system found, as the journal remembers it."""

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select, update

from fiksmelding.journal import stepping
from fiksmelding.journal.database import Database
from fiksmelding.journal.records import Head, Reconciled
from fiksmelding.journal.states import EventKind, State
from fiksmelding.journal.tables import entries, reconciliations

PAGE: Final = 1000
"""How many marked reports are read at once."""
_MARKED: Final = (entries.c.missing_at.is_not(None), entries.c.state != State.ERASED.value)


class Reconciliations:
    """The part of a journal that knows when it was compared with the case system, and what was missing there.

    Args:
        database: Where the journal is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def mark_missing(self, entry_ids: Collection[str], *, at: datetime) -> None:
        """Note that the case system does not have some reports; once, until they are found there, or recovered.

        Raises:
            JournalUnavailable: Nothing was noted.
        """
        await self._database.write(lambda connection: _mark(connection, entry_ids, at, missing=True))

    async def mark_found(self, entry_ids: Collection[str], *, at: datetime) -> None:
        """Note that the case system has some reports that were missing there.

        Raises:
            JournalUnavailable: Nothing was noted.
        """
        await self._database.write(lambda connection: _mark(connection, entry_ids, at, missing=False))

    async def settle(self, entry_id: str, reason: str, *, at: datetime) -> bool:
        """Note that the case system rightly does not have a report: no comparison looks for it, until it is recovered.

        Args:
            entry_id: Which.
            reason: Why, without personal data.
            at: The present time.

        Returns:
            Whether there is such a report, and nobody had said so before.

        Raises:
            JournalUnavailable: Nothing was noted.
        """
        return await self._database.write(lambda connection: _settle(connection, entry_id, reason, at))

    async def missing(self, konto_id: str) -> AsyncIterator[Sequence[str]]:
        """The ids of an account's reports that were last seen missing and are not erased, page after page."""
        after = 0
        while page := await self._database.read(lambda connection: _missing(connection, konto_id, after)):  # noqa: B023
            yield [entry_id for _, entry_id in page]
            after = page[-1][0]

    async def count_missing(self, konto_id: str) -> int:
        """How many of an account's reports were last seen missing, and are not erased."""
        query = select(func.count()).select_from(entries).where(entries.c.konto_id == konto_id, *_MARKED)
        return int(await self._database.read(lambda connection: connection.execute(query).scalar_one()))

    async def note(self, reconciled: Reconciled) -> None:
        """Remember how a comparison ended.

        Raises:
            JournalUnavailable: It is not noted.
        """
        values = {name: getattr(reconciled, name) for name in Reconciled.__slots__}
        await self._database.write(lambda connection: connection.execute(insert(reconciliations).values(values)))

    async def last(self, konto_id: str) -> Reconciled | None:
        """The last comparison in which an account's case system told all that it has, or None before the first."""
        return await self._database.read(lambda connection: _last(connection, konto_id))


def _mark(connection: Connection, entry_ids: Collection[str], at: datetime, *, missing: bool) -> None:
    """Add an event that takes no step, whoever works on the entries; to none twice."""
    marked = entries.c.missing_at
    unless_noted = and_(marked.is_(None), entries.c.settled_at.is_(None)) if missing else marked.is_not(None)
    kind = EventKind.MISSING_THERE if missing else EventKind.FOUND_THERE
    _note(connection, _heads(connection, entry_ids, unless_noted), kind, {}, at, missing_at=at if missing else None)


def _settle(connection: Connection, entry_id: str, reason: str, at: datetime) -> bool:
    heads = _heads(connection, [entry_id], entries.c.settled_at.is_(None))
    _note(connection, heads, EventKind.SETTLED, {"reason": reason}, at, settled_at=at, missing_at=None)
    return bool(heads)


def _note(
    connection: Connection,
    heads: Sequence[Head],
    kind: EventKind,
    detail: dict[str, str | int],
    at: datetime,
    **marks: datetime | None,
) -> None:
    for head in heads:
        grown = stepping.append(connection, head, kind, detail, at)
        connection.execute(update(entries).where(entries.c.id == head.entry_id).values({**grown.columns(), **marks}))


def _heads(connection: Connection, entry_ids: Collection[str], those: ColumnElement[bool]) -> Sequence[Head]:
    """The ends of some entries' chains; their rows are locked, in one order everywhere, for that is done one by one."""
    columns = (entries.c.id, entries.c.event_count, entries.c.event_hash)
    query = select(*columns).where(entries.c.id.in_(entry_ids), those).order_by(entries.c.sequence).with_for_update()
    return [Head(row.id, row.event_count, row.event_hash) for row in connection.execute(query)]


def _missing(connection: Connection, konto_id: str, after: int) -> Sequence[tuple[int, str]]:
    query = (
        select(entries.c.sequence, entries.c.id)
        .where(entries.c.konto_id == konto_id, *_MARKED, entries.c.sequence > after)
        .order_by(entries.c.sequence)
        .limit(PAGE)
    )
    return [(row.sequence, row.id) for row in connection.execute(query)]


def _last(connection: Connection, konto_id: str) -> Reconciled | None:
    columns = [reconciliations.c[name] for name in Reconciled.__slots__]
    query = (
        select(*columns)
        .where(reconciliations.c.konto_id == konto_id, reconciliations.c.compared)
        .order_by(reconciliations.c.number.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    return None if row is None else Reconciled(**row._asdict())
