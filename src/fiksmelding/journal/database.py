"""What a database under the journal has to promise: changes that are on disk, every fault as `JournalUnavailable`."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar, TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError, SQLAlchemyError

from fiksmelding.errors import JournalUnavailable
from fiksmelding.journal import migrations

Result = TypeVar("Result")
Work = Callable[[Connection], Result]
"""Statements that belong together, one after the other on one connection: all of a transaction, in one go.

It does nothing but use the connection it is given, which is the same for every database. It may run in another thread,
and twice. What it returns must not need the connection any more.
"""


class ClaimedByAnother(JournalUnavailable):
    """Another process works on what is due, and this database serves one only."""


class Database(ABC):
    """Connections to the journal's database, and what a transaction on it promises.

    Attributes:
        shared: Whether several receivers may work on it at once.
    """

    shared: ClassVar[bool]

    async def open(self) -> None:
        """Connect, and bring the tables to the present version.

        Raises:
            JournalUnavailable: The database cannot be reached, made or opened.
            JournalError: A newer version of this library made it.
        """
        await self.connect()
        try:
            if not await self.read(migrations.is_current):
                await self.write(migrations.upgrade)
        except BaseException:
            await self.close()
            raise

    @abstractmethod
    async def connect(self) -> None:
        """Make ready to connect.

        Raises:
            JournalUnavailable: The database cannot be made.
        """

    @abstractmethod
    async def close(self) -> None:
        """Let go of every connection. Closing twice does nothing."""

    @abstractmethod
    async def write(self, work: Work[Result]) -> Result:
        """Run `work` in a transaction that is on disk when this returns, or has left no trace.

        Raises:
            JournalUnavailable: It could not be written. If the database went away in the middle of the commit it may
                be there all the same: read again before repeating what is not idempotent.
            JournalError: The journal is not open.
        """

    @abstractmethod
    async def read(self, work: Work[Result], *, one_view: bool = False) -> Result:
        """Run `work`, which changes nothing; never waits for a writer.

        Args:
            work: What to read.
            one_view: Whether its statements see the journal at one and the same moment, each at its own otherwise.

        Raises:
            JournalUnavailable: It cannot be read.
            JournalError: The journal is not open.
        """

    @abstractmethod
    async def become_claimer(self) -> bool:
        """Make sure that this process may claim entries.

        Returns:
            True when it just became the only one that may: whatever leases there are belong to the dead.

        Raises:
            ClaimedByAnother: Another process claims entries, and this database serves one only.
            JournalUnavailable: Whether that is so cannot be found out.
        """

    async def keeps_its_word(self) -> bool:
        """Whether what is said to be on disk is there after a power failure, as far as the database tells."""
        return True

    @abstractmethod
    async def has_claimer(self) -> bool | None:
        """Whether a process claims entries now; None where that cannot be told.

        Raises:
            JournalUnavailable: Whether that is so cannot be found out.
        """

    @abstractmethod
    async def clear_erased(self) -> None:
        """Let nothing of what was removed stay in what the database keeps beside its tables, as far as it can.

        Raises:
            JournalUnavailable: It may still be there.
        """

    @abstractmethod
    def event_cut(self, connection: Connection) -> None:
        """Until the transaction ends, let no event be in the making: what is then visible is all there is."""


@contextmanager
def faults() -> Iterator[None]:
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
