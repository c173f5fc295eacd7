"""The journal in a SQLite file: durable commits, shared by those who wait at the same time; one receiver at a time."""

import asyncio
import sqlite3
from pathlib import Path
from typing import ClassVar

from sqlalchemy import Connection, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from fiksmelding.errors import JournalUnavailable
from fiksmelding.journal.database import Database, Result, Work
from fiksmelding.journal.writer import Writer

BUSY_SECONDS = 30
"""How long SQLite waits for another process that writes, in seconds."""
PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    # WAL alone may lose the last commits when the power fails; FULL syncs each one.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # An erased original is overwritten, not just unlinked.
    "PRAGMA secure_delete = ON",
)


class SqliteDatabase(Database):
    """A SQLite file on a local disk.

    Args:
        file: Its path; made when absent.
    """

    shared: ClassVar[bool] = False

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file
        self._writer: Writer | None = None
        self._claiming: sqlite3.Connection | None = None
        self._locking = asyncio.Lock()

    async def close(self) -> None:
        """Let go of every connection, and of the right to claim. Closing twice does nothing."""
        writer, self._writer = self._writer, None
        if writer is not None:
            await writer.finish()
        await super().close()
        lock, self._claiming = self._claiming, None
        if lock is not None:
            lock.close()

    async def write(self, work: Work[Result]) -> Result:
        """Run `work` in a transaction; those who wait at the same time share one sync of the disk."""
        engine = self.opened()
        if self._writer is None:
            self._writer = Writer(engine)
        return await self._writer.write(work)

    async def become_claimer(self) -> bool:
        """Lock a file beside the journal for as long as it is open; the system frees it when a process dies."""
        async with self._locking:
            if self._claiming is not None:
                return False
            self._claiming = await asyncio.to_thread(_lock, self._file.with_name(f"{self._file.name}-receiver"))
            return True

    async def event_cut(self, connection: AsyncConnection) -> None:
        """SQLite has one writer: who is in a transaction of its own sees all there is."""

    async def _make_engine(self) -> AsyncEngine:
        try:
            await asyncio.to_thread(self._file.parent.mkdir, parents=True, exist_ok=True)
        except OSError as error:
            raise JournalUnavailable(f"The journal's folder cannot be made: {error.strerror}.") from error
        url = URL.create("sqlite+aiosqlite", database=str(self._file))
        engine = create_async_engine(
            url,
            pool_size=4,
            max_overflow=4,
            connect_args={"timeout": BUSY_SECONDS},
            hide_parameters=True,  # in no traceback either
        )
        event.listen(engine.sync_engine, "connect", _on_connect)
        event.listen(engine.sync_engine, "begin", _on_begin)
        return engine

    async def _reading(self, connection: AsyncConnection) -> AsyncConnection:
        return await connection.execution_options(read_only=True)


def _lock(file: Path) -> sqlite3.Connection:
    """Lock `file` by SQLite itself: it knows how on every system."""
    connection = sqlite3.connect(file, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        connection.close()
        raise JournalUnavailable(
            f"The journal's lock cannot be taken: {error}.",
            advice="If another receiver works on this journal, stop it; several receivers need PostgreSQL.",
        ) from error
    return connection


def _on_connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    # Without this the driver begins transactions by itself, and too late for a reader to become a writer safely.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        for pragma in PRAGMAS:
            cursor.execute(pragma)
    finally:
        cursor.close()


def _on_begin(connection: Connection) -> None:
    reading = connection.get_execution_options().get("read_only", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
