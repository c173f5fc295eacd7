"""The journal as whoever examines it sees it: never made, brought to another version, or changed."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType
from typing import Self

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from fiksmelding.config import JournalSettings
from fiksmelding.journal import counting, migrations, verifying
from fiksmelding.journal.counting import Received, Sent
from fiksmelding.journal.databases import database_at
from fiksmelding.journal.outbox.records import FOR_A_PERSON, OutgoingState
from fiksmelding.journal.queries import of_account
from fiksmelding.journal.records import Alteration, Checkpoint
from fiksmelding.journal.states import State
from fiksmelding.journal.tables import entries, outbox

__all__ = ["Backlog", "JournalView"]

DECIDED = (State.RECEIPTED, State.ERASED, State.NOTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """How many stand where they should not stand for long.

    Attributes:
        quarantined: Received messages that wait for a person.
        overdue: Received messages that are not answered though their deadline has passed.
        unattended: Received messages that have been due for a while, with nobody at work on them.
        unsent: Reports that the platform has not taken, though they have been kept for a while.
        undecided: Reports to send that wait for a person.
        outlived: Reports not yet taken by the platform that are sealed for a certificate which has expired.
    """

    quarantined: int
    overdue: int
    unattended: int
    unsent: int
    undecided: int
    outlived: int


class JournalView:
    """A journal to look at. Each question is a read of its own.

    Args:
        settings: Where it is.
        role: Whose lock `has_worker` asks about: `receiver` or `sender`.
    """

    def __init__(self, settings: JournalSettings, *, role: str = "receiver") -> None:
        self._database = database_at(settings.url, role, read_only=True)

    async def __aenter__(self) -> Self:
        """Make ready to look.

        Raises:
            SettingsError: A package that this kind of database needs is not installed.
        """
        await self._database.connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._database.close()

    async def version(self) -> str | None:
        """The version of its tables; None where there are none.

        Raises:
            JournalUnavailable: It cannot be read.
        """
        return await self._database.read(migrations.current)

    async def has_worker(self) -> bool | None:
        """Whether a process works on it now; None where that cannot be told (PostgreSQL)."""
        return await self._database.has_claimer()

    async def keeps_its_word(self) -> bool:
        """Whether what is said to be on disk is there after a power failure, as far as the database tells."""
        return await self._database.keeps_its_word()

    async def first_altered(self, newest: int | None = None) -> Alteration | None:
        """Where the event log was first altered; None if it is whole.

        Args:
            newest: Look at so many of the newest messages only; at the whole log, checkpoints included, when None.
        """
        if newest is None:
            return await verifying.first_altered(self._database)
        return await verifying.first_altered_of_newest(self._database, newest)

    async def last_checkpoint(self) -> Checkpoint | None:
        """The newest checkpoint, or None before the first."""
        return await verifying.last_checkpoint(self._database)

    async def received_reports(
        self, start: datetime, end: datetime, *, konto_id: str | None = None
    ) -> AsyncIterator[Sequence[Received]]:
        """What is counted of the reports that were kept in a period, page after page; a repetition is no report.

        Args:
            start: When the period begins, aware.
            end: When it is over.
            konto_id: The account whose reports are wanted; those of all when absent.

        Raises:
            JournalUnavailable: It cannot be read.
        """
        place = (start, 0)
        while page := await self._database.read(partial(counting.received, place=place, end=end, konto_id=konto_id)):
            yield page
            place = (page[-1].received_at, page[-1].sequence)

    async def sent_reports(self, start: datetime, end: datetime) -> AsyncIterator[Sequence[Sent]]:
        """What is counted of the reports to send that were kept in a period, page after page. As `received_reports`."""
        after = 0
        while page := await self._database.read(partial(counting.sent, after=after, start=start, end=end)):
            yield page
            after = page[-1].sequence

    async def backlog(self, now: datetime, *, konto_id: str, unattended: timedelta, unsent: timedelta) -> Backlog:
        """Count what stands still.

        Args:
            now: The present time, aware.
            konto_id: The account whose received messages count.
            unattended: How long something may be due before it counts as left alone.
            unsent: How long a report may be kept before it counts as not sent.
        """
        ours = of_account(konto_id)

        def count(connection: Connection) -> Backlog:
            return Backlog(
                quarantined=_count(connection, *ours, entries.c.state == State.QUARANTINED.value),
                overdue=_count(
                    connection,
                    *ours,
                    entries.c.due_at.is_not(None),
                    entries.c.deadline_at < now,
                    entries.c.state.not_in([state.value for state in DECIDED]),
                ),
                unattended=_count(connection, *ours, entries.c.due_at < now - unattended, _held_by_nobody(now)),
                unsent=_count(connection, *_not_taken(), outbox.c.kept_at < now - unsent),
                undecided=_count(connection, outbox.c.state.in_([state.value for state in FOR_A_PERSON])),
                outlived=_count(connection, *_not_taken(), outbox.c.keys_until < now),
            )

        return await self._database.read(count)


def _count(connection: Connection, *conditions: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).where(and_(*conditions))).scalar_one())


def _held_by_nobody(now: datetime) -> ColumnElement[bool]:
    return or_(entries.c.lease_owner.is_(None), entries.c.lease_until < now)


def _not_taken() -> tuple[ColumnElement[bool], ...]:
    waiting = (OutgoingState.QUEUED, OutgoingState.SUBMITTING, OutgoingState.UNCERTAIN)
    return (outbox.c.state.in_([state.value for state in waiting]),)
