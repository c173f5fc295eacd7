"""What a database under the journal has to promise: changes that are on disk, every fault as `JournalUnavailable`."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import ClassVar, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from fiksmelding.errors import JournalError, JournalUnavailable
from fiksmelding.journal import migrations

Result = TypeVar("Result")
Work = Callable[[AsyncConnection], Awaitable[Result]]


class Database(ABC):
    """Connections to the journal's database, and what a transaction on it promises.

    Attributes:
        shared: Whether several receivers may work on it at once.
    """

    shared: ClassVar[bool]

    def __init__(self) -> None:
        self._engine: AsyncEngine | None = None

    async def open(self) -> None:
        """Connect, and bring the tables to the present version.

        Raises:
            JournalUnavailable: The database cannot be reached, made or opened.
            JournalError: A newer version of this library made it.
        """
        self._engine = await self._make_engine()
        try:
            if not await self.migrated():
                await self.write(lambda connection: connection.run_sync(migrations.upgrade))
        except BaseException:
            await self.close()
            raise

    async def migrated(self) -> bool:
        """Whether the tables are of the present version."""
        async with self.read() as connection:
            return await connection.run_sync(migrations.is_current)

    async def close(self) -> None:
        """Let go of every connection. Closing twice does nothing."""
        engine, self._engine = self._engine, None
        if engine is not None:
            await engine.dispose()

    @abstractmethod
    async def write(self, work: Work[Result]) -> Result:
        """Run `work` in a transaction that is on disk when this returns, or has left no trace.

        `work` must do nothing but use the connection it is given.

        Raises:
            JournalUnavailable: It could not be written. If the database went away in the middle of the commit it may
                be there all the same: read again before repeating what is not idempotent.
        """

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """One consistent view of the journal; never waits for a writer.

        Raises:
            JournalUnavailable: It cannot be read.
        """
        async with faults(), self.opened().connect() as connection:
            yield await self._reading(connection)

    @abstractmethod
    async def become_claimer(self) -> bool:
        """Make sure that this process may claim entries.

        Returns:
            True when it just became the only one that may: whatever leases there are belong to the dead.

        Raises:
            JournalUnavailable: Another process claims entries, and this database serves one only.
        """

    @abstractmethod
    async def event_cut(self, connection: AsyncConnection) -> None:
        """Until the transaction ends, let no event be in the making: what is then visible is all there is."""

    def opened(self) -> AsyncEngine:
        """The engine.

        Raises:
            JournalError: The journal is not open.
        """
        if self._engine is None:
            raise JournalError("The journal is not open.", advice="Use it inside `async with`.")
        return self._engine

    @abstractmethod
    async def _make_engine(self) -> AsyncEngine: ...

    @abstractmethod
    async def _reading(self, connection: AsyncConnection) -> AsyncConnection: ...


@asynccontextmanager
async def faults() -> AsyncIterator[None]:
    """Every fault of a database as `JournalUnavailable`, except a broken constraint, which callers look at."""
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        raise JournalUnavailable(f"The journal cannot be used now: {_told(error)}.") from error
    except (SQLAlchemyError, OSError) as error:
        raise JournalUnavailable(f"The journal cannot be used now: {error.__class__.__name__}.") from error


def _told(error: DBAPIError) -> str:
    """The driver's own words where they name tables and causes, such as a full disk, and never values."""
    cause = error.orig.__cause__ if error.orig is not None else None
    code = getattr(cause, "sqlstate", None)
    if code is None:
        return str(error.orig)
    # A PostgreSQL error about data (class 22) quotes the data; its name and code say enough.
    return f"{cause.__class__.__name__} (SQLSTATE {code})"
