"""Registered reports that nobody has opened yet, as far as we know."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, func, or_, select, update

from fiksmelding.journal import stepping
from fiksmelding.journal.database import Database
from fiksmelding.journal.records import Reading
from fiksmelding.journal.states import WITH_THE_CASE_SYSTEM, Answer, EventKind
from fiksmelding.journal.tables import entries, readings, receipts


class Readings:
    """The part of a journal that knows which registered reports somebody has opened.

    Args:
        database: Where the journal is.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_due(self, konto_id: str, now: datetime, *, again_at: datetime, limit: int) -> Sequence[Reading]:
        """The next reports to ask the case system about, oldest first; nobody else gets them before `again_at`.

        Raises:
            JournalUnavailable: None were taken.
        """
        return await self._database.write(lambda connection: _take_due(connection, konto_id, now, again_at, limit))

    async def read(self, reading: Reading, *, at: datetime) -> None:
        """Note that somebody has opened a report; it is asked about no more.

        Raises:
            JournalUnavailable: It is not noted.
        """
        await self._database.write(lambda connection: _read(connection, reading, at))

    async def alarmed(self, reading: Reading, *, at: datetime) -> None:
        """Note that people were told of a report that nobody opens.

        Raises:
            JournalUnavailable: It is not noted.
        """
        await self._database.write(lambda connection: _alarmed(connection, reading, at))

    async def count_alarmed(self, konto_id: str) -> int:
        """How many reports of an account people were told of, and nobody has opened since."""
        query = (
            select(func.count())
            .select_from(readings)
            .where(readings.c.konto_id == konto_id, readings.c.alarmed_at.is_not(None))
        )
        return int(await self._database.read(lambda connection: connection.execute(query).scalar_one()))


def _take_due(
    connection: Connection, konto_id: str, now: datetime, again_at: datetime, limit: int
) -> Sequence[Reading]:
    due = (
        select(readings.c.entry_id)
        .join(entries, entries.c.id == readings.c.entry_id)
        .outerjoin(receipts, receipts.c.entry_id == readings.c.entry_id)
        .where(
            readings.c.konto_id == konto_id,
            readings.c.ask_at <= now,
            # One that was taken back is in nobody's case system.
            entries.c.state.in_([state.value for state in WITH_THE_CASE_SYSTEM]),
            or_(receipts.c.answer.is_(None), receipts.c.answer != Answer.FEILET.value),
        )
        .order_by(readings.c.ask_at)
        .limit(limit)
        .with_for_update(of=readings, skip_locked=True)
    )
    ids = list(connection.execute(due).scalars())
    columns = [readings.c[name] for name in Reading.__slots__]
    wanted = readings.c.entry_id.in_(ids)
    found = connection.execute(select(*columns).where(wanted).order_by(readings.c.ask_at, readings.c.entry_id)).all()
    connection.execute(update(readings).where(wanted).values(ask_at=again_at))
    return [Reading(**row._asdict()) for row in found]


def _read(connection: Connection, reading: Reading, at: datetime) -> None:
    gone = connection.execute(delete(readings).where(readings.c.entry_id == reading.entry_id))
    if gone.rowcount:
        stepping.note(connection, reading.entry_id, EventKind.READ, at)


def _alarmed(connection: Connection, reading: Reading, at: datetime) -> None:
    told = connection.execute(
        update(readings)
        .where(readings.c.entry_id == reading.entry_id, readings.c.alarmed_at.is_(None))
        .values(alarmed_at=at)
    )
    if told.rowcount:
        stepping.note(connection, reading.entry_id, EventKind.UNREAD, at)
