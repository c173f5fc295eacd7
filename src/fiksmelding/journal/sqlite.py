"""The journal in a SQLite file: durable commits, shared by those who wait at the same time; one receiver at a time."""

import asyncio
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from fiksmelding.errors import JournalError, JournalUnavailable
from fiksmelding.journal.database import ClaimedByAnother, Database, Result, Work, faults
from fiksmelding.journal.writer import Writer

BUSY_SECONDS: Final = 30
"""How long SQLite waits for another process that writes, in seconds."""
READERS: Final = 3
"""How many threads read at once; one that reads a whole log must not make the others wait."""
PRAGMAS: Final = (
    "PRAGMA journal_mode = WAL",
    # WAL alone may lose the last commits when the power fails; FULL syncs each one.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # An erased original is overwritten, not just unlinked.
    "PRAGMA secure_delete = ON",
)


@dataclass(frozen=True, slots=True)
class _Open:
    """What an open database has.

    Attributes:
        engine: Makes and keeps connections.
        writer: Runs every transaction that changes anything.
        readers: Threads for the others.
    """

    engine: Engine
    writer: Writer
    readers: ThreadPoolExecutor


class SqliteDatabase(Database):
    """A SQLite file on a local disk.

    Args:
        file: Its path; made when absent.
        role: As what we claim entries; one process may for each role.
        read_only: Whether it is only looked at: never made, and not changed in any way.
    """

    shared: ClassVar[bool] = False

    def __init__(self, file: Path, role: str, *, read_only: bool = False) -> None:
        self._file = file
        self._role = role
        self._read_only = read_only
        self._parts: _Open | None = None
        self._claiming: sqlite3.Connection | None = None
        self._locking = asyncio.Lock()

    async def connect(self) -> None:
        """Make the file's folder, and the threads."""
        if not self._read_only:
            try:
                await asyncio.to_thread(self._file.parent.mkdir, parents=True, exist_ok=True)
            except OSError as error:
                raise JournalUnavailable(f"The journal's folder cannot be made: {error.strerror}.") from error
        engine = _make_engine(self._file, read_only=self._read_only)
        self._parts = _Open(engine, Writer(engine), ThreadPoolExecutor(READERS, thread_name_prefix="journal reader"))

    async def close(self) -> None:
        """Let go of every connection, and of the right to claim. Closing twice does nothing."""
        parts, self._parts = self._parts, None
        if parts is not None:
            await parts.writer.close()
            await asyncio.to_thread(parts.readers.shutdown)
            await asyncio.to_thread(parts.engine.dispose)
        lock, self._claiming = self._claiming, None
        if lock is not None:
            lock.close()

    async def write(self, work: Work[Result]) -> Result:
        """Run `work` in a transaction; those who wait at the same time share one sync of the disk."""
        return await self._opened().writer.write(work)

    async def read(self, work: Work[Result], *, one_view: bool = False) -> Result:
        """Run `work` on what is on disk now."""
        parts = self._opened()

        def reading() -> Result:
            with parts.engine.connect() as connection:
                return work(connection.execution_options(begin="BEGIN" if one_view else None))

        with faults():
            return await asyncio.get_running_loop().run_in_executor(parts.readers, reading)

    async def become_claimer(self) -> bool:
        """Lock a file beside the journal for as long as it is open; the system frees it when a process dies."""
        async with self._locking:
            if self._claiming is not None:
                return False
            self._claiming = await asyncio.to_thread(_lock, self._lock_file, self._role)
            return True

    async def has_claimer(self) -> bool | None:
        """Ask for the lock in a way that takes nothing: only whoever holds it refuses that."""
        return await asyncio.to_thread(_is_locked, self._lock_file)

    async def clear_erased(self) -> None:
        """Empty the write-ahead log, unless somebody reads in it just now; then the next time does."""
        await self.read(lambda connection: connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all())

    def event_cut(self, connection: Connection) -> None:
        """SQLite has one writer: who is in a transaction of its own sees all there is."""

    @property
    def _lock_file(self) -> Path:
        return self._file.with_name(f"{self._file.name}-{self._role}")

    def _opened(self) -> _Open:
        if self._parts is None:
            raise JournalError("The journal is not open.", advice="Use it inside `async with`.")
        return self._parts


def _make_engine(file: Path, *, read_only: bool) -> Engine:
    url = URL.create("sqlite", database=str(file))
    if read_only:
        url = URL.create("sqlite", database=file.absolute().as_uri(), query={"mode": "ro", "uri": "true"})
    engine = create_engine(
        url,
        pool_size=READERS + 1,
        max_overflow=0,
        # The pool hands a connection to one thread at a time.
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        hide_parameters=True,  # in no traceback either
    )
    event.listen(engine, "connect", _on_connect_to_look if read_only else _on_connect)
    event.listen(engine, "begin", _on_begin)
    return engine


def _lock(file: Path, role: str) -> sqlite3.Connection:
    """Lock `file` by SQLite itself: it knows how on every system."""
    connection = sqlite3.connect(file, timeout=0, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.Error as error:
        connection.close()
        kind = ClaimedByAnother if error.sqlite_errorcode == sqlite3.SQLITE_BUSY else JournalUnavailable
        raise kind(
            f"The journal's lock cannot be taken: {error}.",
            advice=f"If another {role} works on this journal, stop it; several of them need PostgreSQL.",
        ) from error
    return connection


def _is_locked(file: Path) -> bool:
    """Whether a process holds the lock of `file`."""
    if not file.exists():
        return False
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=0)) as connection:
            connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.Error as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            return True
        raise JournalUnavailable(f"The journal's lock cannot be looked at: {error}.") from error
    return False


def _on_connect_to_look(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None


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
    # Without any, each statement has a transaction of its own.
    begin = connection.get_execution_options().get("begin", "BEGIN IMMEDIATE")
    if begin is not None:
        connection.exec_driver_sql(begin)
