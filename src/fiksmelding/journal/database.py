"""The database under the journal: durable SQLite, one writer at a time, every fault as `JournalUnavailable`."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from fiksmelding.errors import JournalError, JournalUnavailable
from fiksmelding.journal.tables import metadata

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


class Database:
    """Connections to the journal's database, and what a transaction on it promises.

    Args:
        url: `sqlite:///` and the file's path.
    """

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="sqlite+aiosqlite")
        self._engine: AsyncEngine | None = None
        self._writing = asyncio.Lock()

    async def open(self) -> None:
        """Connect, and make the tables when they are not there.

        Raises:
            JournalUnavailable: The file cannot be made or opened, or it is no database.
        """
        folder = Path(self._url.database or "").parent
        try:
            await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        except OSError as error:
            raise JournalUnavailable(f"The journal's folder cannot be made: {error.strerror}.") from error
        engine = create_async_engine(self._url, pool_size=4, max_overflow=4, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine.sync_engine, "connect", _on_connect)
        event.listen(engine.sync_engine, "begin", _on_begin)
        self._engine = engine
        try:
            async with self.write() as connection:
                await connection.run_sync(metadata.create_all)
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Let go of every connection. Closing twice does nothing."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.dispose()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is on disk when the block has ended, or has left no trace.

        Raises:
            JournalUnavailable: It could not be written; nothing of it is.
        """
        async with self._writing, _faults(), self._opened().begin() as connection:
            yield connection

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One consistent view of the journal; never waits for a writer.

        Raises:
            JournalUnavailable: It cannot be read.
        """
        async with _faults(), self._opened().connect() as connection:
            yield await connection.execution_options(read_only=True)

    def _opened(self) -> AsyncEngine:
        if self._engine is None:
            raise JournalError("The journal is not open.", advice="Use it inside `async with`.")
        return self._engine


@asynccontextmanager
async def _faults() -> AsyncIterator[None]:
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        # The driver's own words name tables and causes such as a full disk; the statement's values stay out.
        raise JournalUnavailable(f"The journal cannot be used now: {error.orig}.") from error
    except (SQLAlchemyError, OSError) as error:
        raise JournalUnavailable(f"The journal cannot be used now: {error.__class__.__name__}.") from error


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
