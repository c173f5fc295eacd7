"""Reports on their way out, durably. Each method is one transaction, on disk when it returns."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalError, JournalUnavailable
from fiksmelding.journal import payloads, verifying
from fiksmelding.journal.claims import Claims
from fiksmelding.journal.databases import database_at
from fiksmelding.journal.outbox import rows, waits
from fiksmelding.journal.outbox.records import PASSABLE, Order, Outgoing, OutgoingState, SealedCopies, Step
from fiksmelding.journal.records import Checkpoint, Event, Waiting
from fiksmelding.journal.rehearsal import Rehearsal
from fiksmelding.journal.rows import event_of
from fiksmelding.journal.tables import events, outbox

ROLE = "sender"


class Outbox:
    """Reports to send, their sealed copies and their events. Errors as those of `Journal`.

    Args:
        settings: Where the journal is, and the size of its pieces.
        organisation_id: Whose reports are claimed, and looked through by period; those of every organisation when None.
    """

    def __init__(self, settings: JournalSettings, organisation_id: str | None = None) -> None:
        self._settings = settings
        self._ours = [] if organisation_id is None else [outbox.c.organisation_id == organisation_id]
        self._database = database_at(settings.url, ROLE)
        self._rehearse = Rehearsal(self._database, settings.chunk_bytes)
        self._claims = Claims(self._database, outbox, rows.claimed)

    async def __aenter__(self) -> Self:
        """Open the database, and bring its tables to the present version. Raises as `Journal` does."""
        await self._database.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the database. Closing twice does nothing."""
        await self._database.close()

    @property
    def shared(self) -> bool:
        """Whether other processes may put reports in, at any time: on SQLite too, where one of them takes the steps."""
        return True

    async def keep(self, order: Order, copies: SealedCopies) -> tuple[Outgoing, bool]:
        """Store a report to send. Idempotent by `order.key`.

        Returns:
            What the outbox now holds under that key, durable, and whether it was there before.

        Raises:
            JournalUnavailable: It is not stored.
        """
        try:
            made = await self._database.write(
                lambda connection: rows.insert_outgoing(connection, order, copies, self._settings.chunk_bytes)
            )
        except IntegrityError:
            known = None if order.key is None else await self.by_key(order.organisation_id, order.key)
            if known is None:
                raise JournalUnavailable("The outbox refused a report that it does not hold.") from None
            return known, True
        return made, False

    async def claim(
        self, now: datetime, *, owner: str, lease: timedelta, limit: int, without: Collection[str] = ()
    ) -> Sequence[Outgoing]:
        """Take reports that are due; no other process gets them meanwhile. As `Journal.claim`."""
        return await self._claims.claim(now, owner=owner, lease=lease, limit=limit, without=without, wanted=self._ours)

    async def renew(self, held: Collection[Outgoing], *, until: datetime) -> frozenset[str]:
        """Hold claimed reports until `until`. As `Journal.renew`."""
        return await self._claims.renew(held, until=until)

    async def release(self, outgoing: Outgoing, /) -> None:
        """Give a claimed report back at once, if it is still held."""
        await self._claims.release(outgoing)

    async def next_due(self, *, owner: str, without: Collection[str] = ()) -> datetime | None:
        """When the next report has to be worked on that `owner` could claim, or None when none has."""
        return await self._claims.next_due(owner=owner, without=without, wanted=self._ours)

    async def record(self, outgoing: Outgoing, step: Step, *, at: datetime) -> Outgoing:
        """Take one step: the report's columns and the event, together or not at all.

        Returns:
            The report as it now is; still claimed if it was and is still due.

        Raises:
            JournalError: It is not where `outgoing` says, somebody else has claimed it, or the step is not allowed.
            JournalUnavailable: Nothing was recorded.
        """
        state = step.state or outgoing.state
        if state is not outgoing.state and state not in PASSABLE[outgoing.state]:
            raise JournalError(f"A report cannot go from {outgoing.state} to {state}.", message_id=outgoing.id)
        return await self._database.write(lambda connection: rows.take(connection, outgoing, step, at))

    async def accept(self, outgoing_id: str, report_id: str, *, due_at: datetime, at: datetime) -> Outgoing:
        """Record that the platform took a report, whoever works on it now: this must not be forgotten.

        Args:
            outgoing_id: Our id of it.
            report_id: The platform's.
            due_at: When to ask how it stands.
            at: When it was taken, aware UTC.

        Raises:
            JournalError: Another report goes by that id.
            JournalUnavailable: It is not recorded.
        """
        try:
            return await self._database.write(
                lambda connection: rows.accept(connection, outgoing_id, report_id, due_at, at)
            )
        except IntegrityError as error:
            raise JournalError("Another report goes by that id.", message_id=outgoing_id) from error

    async def postpone(self, outgoing: Outgoing, due_at: datetime, *, failures: int) -> Outgoing:
        """Let a report wait, which is no event: nothing happened. It is given back. Raises as `record`."""
        return await self._database.write(lambda connection: rows.postpone(connection, outgoing, due_at, failures))

    async def end_impossible_waits(
        self,
        at: datetime,
        *,
        longest_waits: Mapping[OutgoingState, timedelta],
        longest_lease: timedelta,
        clocks_differ: timedelta,
    ) -> int:
        """Put right what a wrong clock set: waits and claims longer than can be, and events of the future. No event.

        What waits for the platform goes on at once; what gives a person time gets the whole of it from now on.

        Args:
            at: The present time.
            longest_waits: No report in the given state waits longer than this.
            longest_lease: No claim holds longer than this.
            clocks_differ: No other process's clock is further ahead than this.

        Returns:
            How many waited.

        Raises:
            JournalUnavailable: Nothing was changed.
        """

        def put_right(connection: Connection) -> int:
            waits.take_back_movements(connection, at, clocks_differ)
            return waits.end_impossible(connection, at, longest_waits, longest_lease)

        return await self._database.write(put_right)

    async def erase(self, outgoing: Outgoing, *, at: datetime) -> Outgoing:
        """Remove the sealed copies of a delivered report; the event log stays.

        Raises:
            JournalError: It is not delivered.
            JournalUnavailable: Nothing was removed.
        """
        if outgoing.state is not OutgoingState.DELIVERED:
            raise JournalError("Only a delivered report may be erased.", message_id=outgoing.id)
        return await self._database.write(lambda connection: rows.erase(connection, outgoing, at))

    async def cancel(self, outgoing: Outgoing, *, at: datetime) -> Outgoing:
        """A report is not to be sent (any more): its sealed copies go at once, the event log stays.

        Raises:
            JournalError: The platform has it, or somebody works on it just now.
            JournalUnavailable: Nothing was changed.
        """
        if OutgoingState.CANCELLED not in PASSABLE[outgoing.state]:
            raise JournalError(f"A report that is {outgoing.state} cannot be cancelled.", message_id=outgoing.id)
        return await self._database.write(lambda connection: rows.cancel(connection, outgoing, at))

    async def copies(self, outgoing: Outgoing) -> SealedCopies:
        """The sealed copies.

        Raises:
            JournalError: They were erased.
        """
        query = select(outbox.c.payload_id, outbox.c.print_payload_id).where(outbox.c.id == outgoing.id)
        ids = await self._database.read(lambda connection: connection.execute(query).one())
        asice, print_copy = [b"".join([piece async for piece in payloads.load(self._database, one)]) for one in ids]
        if not asice or not print_copy:
            raise JournalError("The sealed copies of the report are erased.", message_id=outgoing.id)
        return SealedCopies(asice, print_copy)

    async def get(self, outgoing_id: str) -> Outgoing:
        """One report, by our id or the platform's.

        Raises:
            JournalError: There is none of that id.
        """
        return await self._database.read(lambda connection: rows.get(connection, outgoing_id))

    async def by_key(self, organisation_id: str, key: str) -> Outgoing | None:
        """An organisation's report of its caller's key, if there is one."""
        return await self._database.read(lambda connection: rows.by_key(connection, organisation_id, key))

    async def list(self, *states: OutgoingState, limit: int | None = None) -> Sequence[Outgoing]:
        """The newest reports in the given states (all when none is given), oldest first."""
        return await self._database.read(lambda connection: rows.in_states(connection, states, limit))

    async def count(self, *states: OutgoingState) -> int:
        """How many reports there are in the given states (all when none is given)."""
        return await self._database.read(lambda connection: rows.count(connection, states))

    async def counts_between(self, start: datetime, end: datetime) -> Mapping[OutgoingState, int]:
        """How many of an organisation's reports that were kept in a period, its end excluded, are in each state."""
        found = await self._database.read(lambda connection: rows.counts_between(connection, self._ours, start, end))
        return {state: found.get(state.value, 0) for state in OutgoingState}

    async def undecided(self, start: datetime, end: datetime) -> AsyncIterator[Outgoing]:
        """An organisation's reports that were kept in a period and are neither delivered nor cancelled; by pages."""
        after = 0
        while page := await self._database.read(
            lambda connection: rows.undecided(connection, self._ours, start, end, after)  # noqa: B023
        ):
            for outgoing in page:
                yield outgoing
            after = page[-1].sequence

    async def waiting(self) -> Sequence[Waiting]:
        """How many of our reports wait in each state, and since when the oldest has."""
        return await self._database.read(lambda connection: rows.waiting(connection, self._ours))

    async def check_writable(self, *, at: datetime) -> None:
        """Write something durably, and clear it away again.

        Raises:
            JournalUnavailable: It cannot be written.
        """
        await self._rehearse(0, at)

    async def events(self, outgoing_id: str) -> Sequence[Event]:
        """What happened to a report, in order."""
        query = select(events).where(events.c.entry_id == outgoing_id).order_by(events.c.number)
        return await self._database.read(lambda connection: [event_of(row) for row in connection.execute(query)])

    async def checkpoint(self, at: datetime) -> Checkpoint | None:
        """Seal the event log as it is now. As `Journal.checkpoint`."""
        return await verifying.make_checkpoint(self._database, at)
