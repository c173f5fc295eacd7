"""The journal: what we know, durably. Each method is one transaction, on disk when it returns."""

from collections.abc import AsyncIterable, AsyncIterator, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType, TracebackType
from typing import Final, Self

from sqlalchemy import Connection, Select, bindparam, select
from sqlalchemy.exc import IntegrityError

from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalError
from fiksmelding.journal import migrations, payloads, queries, stepping, verifying, waits
from fiksmelding.journal.canaries import Canaries
from fiksmelding.journal.claims import Claims
from fiksmelding.journal.databases import database_at
from fiksmelding.journal.intake import Intake
from fiksmelding.journal.overview import Overview
from fiksmelding.journal.readings import Readings
from fiksmelding.journal.reconciliations import Reconciliations
from fiksmelding.journal.records import (
    Alteration,
    Arrival,
    Change,
    Checkpoint,
    Entry,
    Event,
    Kept,
    Lease,
)
from fiksmelding.journal.recoveries import Recoveries
from fiksmelding.journal.rehearsal import Rehearsal
from fiksmelding.journal.rows import entry_of, event_of, select_entries
from fiksmelding.journal.states import ALLOWED, State
from fiksmelding.journal.tables import entries, events

LONGEST_DOWNLOAD: Final = timedelta(days=1)
"""What another process began to download longer ago than that is left over from a crash."""


class Journal:
    """Entries, their sealed payloads and their events.

    Every error of the database leaves as `JournalUnavailable`; what had not returned is then not recorded, unless the
    connection to PostgreSQL broke in the very moment of a commit: look again before repeating a step.

    Args:
        settings: Where it is, and the size of its pieces.

    Attributes:
        reconciliations: What comparisons with the case system found.
        canaries: Messages to ourselves, and whether they came back.
        readings: Registered reports that nobody is known to have opened.
        recoveries: What is to be handed to the case system once more.
        overview: How messages stand, many at once.
    """

    def __init__(self, settings: JournalSettings) -> None:
        self._database = database_at(settings.url)
        self.reconciliations: Final = Reconciliations(self._database)
        self.canaries: Final = Canaries(self._database)
        self.readings: Final = Readings(self._database)
        self.recoveries: Final = Recoveries(self._database)
        self.overview: Final = Overview(self._database)
        self._claims = Claims(self._database, entries, _claimed)
        self._cleared = False
        self._intake = Intake(self._database, settings.chunk_bytes)
        self._rehearse = Rehearsal(self._database, settings.chunk_bytes)

    async def __aenter__(self) -> Self:
        """Open the database, and bring its tables to the present version.

        Raises:
            SettingsError: A package that this kind of database needs is not installed.
            JournalUnavailable: It cannot be opened.
            JournalError: A newer version of this library made it.
        """
        await self._database.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the database. Closing twice does nothing."""
        await self._database.close()

    async def version(self) -> str:
        """The version of its tables."""
        return await self._database.read(migrations.current) or ""

    @property
    def shared(self) -> bool:
        """Whether other processes may claim entries and take steps too."""
        return self._database.shared

    async def keep(self, arrival: Arrival, body: bytes) -> Kept:
        """Store a delivery whose body came with it. Idempotent: the same delivery is stored once.

        Returns:
            The entry, durable; only now may the delivery be acknowledged.

        Raises:
            JournalUnavailable: It is not stored; do not acknowledge.
        """
        return await self._intake.keep(arrival, body)

    async def keep_without_body(self, arrival: Arrival, reason: str) -> Kept:
        """Store a delivery whose body is in the document store and cannot be had. Idempotent as `keep`.

        Args:
            arrival: The delivery.
            reason: Why it has no body, without personal data. The entry has it as its `reason`.

        Raises:
            JournalUnavailable: It is not stored; do not acknowledge.
        """
        return await self._intake.keep_without_body(arrival, reason)

    async def keep_stream(
        self, arrival: Arrival, stream: AsyncIterable[bytes], *, started_at: datetime | None = None
    ) -> Kept:
        """Store a delivery whose body is in the document store, as it is downloaded. Idempotent as `keep`.

        Args:
            arrival: The delivery.
            stream: Its body.
            started_at: When the download began, aware UTC; when the delivery came, if absent.

        Raises:
            JournalUnavailable: It is not stored; do not acknowledge. What the stream raises passes through.
        """
        return await self._intake.keep_stream(arrival, stream, started_at or arrival.received_at)

    async def drop_leftovers(self, now: datetime) -> None:
        """Remove what others that crashed left of downloads, when it is old enough not to be under way any more.

        Raises:
            JournalUnavailable: It is still there.
        """
        await self._intake.drop_leftovers(started_before=now - LONGEST_DOWNLOAD)

    async def check_writable(self, size: int, *, at: datetime) -> None:
        """Write `size` bytes durably, and clear them away again.

        Raises:
            JournalUnavailable: It cannot be written.
        """
        await self._rehearse(size, at)

    async def claim(
        self,
        now: datetime,
        *,
        owner: str,
        lease: timedelta,
        limit: int,
        without: Collection[str] = (),
        only_late: Collection[State] = (),
        only_recoveries: bool = False,
        konto_id: str | None = None,
    ) -> Sequence[Entry]:
        """Take entries that are due, oldest first, to work on them; no other process gets them meanwhile.

        A SQLite journal serves one process that claims. It holds that right until it closes the journal or dies;
        whatever a dead one held is free at once. On PostgreSQL it is free when its lease has ended.

        Args:
            now: The present time.
            owner: Who claims, the same for every claim of a process (at most 36 characters).
            lease: How long the claim holds, if it is not renewed. An entry that is no longer due is given back by
                the step that makes it so.
            limit: How many are wanted at most.
            without: Entries not wanted, such as those that `owner` works on already.
            only_late: States whose entries are wanted only past their deadline; what is to be recovered is then not
                wanted at all.
            only_recoveries: Whether nothing is wanted but what is to be recovered.
            konto_id: The account whose entries are wanted; those of all when absent.

        Raises:
            JournalUnavailable: None could be taken; or, on SQLite, another process claims already.
        """
        wanted = [*queries.of_account(konto_id), *queries.in_other_states_or_late(only_late, now)]
        if only_recoveries:
            wanted.append(queries.to_be_recovered())
        claimed = await self._claims.claim(now, owner=owner, lease=lease, limit=limit, without=without, wanted=wanted)
        if not self._cleared and not self.shared:
            # Whoever may claim here works alone: what is not under way in this process is under way in none.
            await self._intake.drop_leftovers(started_before=None)
            self._cleared = True
        return claimed

    async def renew(self, held: Collection[Entry], *, until: datetime) -> frozenset[str]:
        """Hold claimed entries until `until`.

        Returns:
            The ids of those that others have claimed meanwhile: whoever walks them has to stop. One that was given
            back by its last step, and claimed by nobody, is not among them.

        Raises:
            JournalUnavailable: Nothing was renewed.
        """
        return await self._claims.renew(held, until=until)

    async def release(self, entry: Entry) -> None:
        """Give a claimed entry back at once, if it is still held.

        Raises:
            JournalUnavailable: It was not; then it is free when its lease ends.
        """
        await self._claims.release(entry)

    async def record(self, entry: Entry, change: Change, *, at: datetime) -> Entry:
        """Take one step: the entry's columns, its receipt and the event, together or not at all.

        Returns:
            The entry as it now is; still claimed if it was and is still due.

        Raises:
            JournalError: The entry is not where `entry` says, somebody else has claimed it, its report id belongs to
                another entry meanwhile, or the step is not allowed.
            JournalUnavailable: Nothing was recorded.
        """
        state = change.state or entry.state
        if state is not entry.state and state not in ALLOWED[entry.state]:
            raise JournalError(f"A message cannot go from {entry.state} to {state}.", message_id=entry.id)
        try:
            return await self._database.write(lambda connection: stepping.take(connection, entry, change, at))
        except IntegrityError as error:
            raise JournalError("Another message took this report id meanwhile.", message_id=entry.id) from error

    async def postpone(self, entry: Entry, due_at: datetime | None) -> Entry:
        """Let an entry wait, which is no event: nothing happened. It is given back.

        Raises:
            JournalError: The entry is not where `entry` says, or somebody else has claimed it.
            JournalUnavailable: Nothing was recorded.
        """
        return await self._database.write(lambda connection: stepping.postpone(connection, entry, due_at))

    async def end_impossible_waits(self, at: datetime, *, longest_wait: timedelta, longest_lease: timedelta) -> int:
        """Let entries go on that a wrong clock told to wait, or to be held, for longer than can be. No event.

        Args:
            at: The present time.
            longest_wait: No entry outside quarantine waits longer than this.
            longest_lease: No claim holds longer than this.

        Returns:
            How many waited.

        Raises:
            JournalUnavailable: Nothing was changed.
        """
        return await self._database.write(
            lambda connection: waits.end_impossible(connection, at, longest_wait, longest_lease)
        )

    async def erase(
        self, entry: Entry, *, at: datetime, cause: Mapping[str, str | int] = MappingProxyType({})
    ) -> Entry:
        """Remove the sealed original of an entry that is done with; the event log stays, and tells of it.

        Done with is what was receipted, or rejected by a person with nobody to answer.

        Args:
            entry: The entry.
            at: The present time.
            cause: Why it is erased, for the event log.

        Raises:
            JournalError: It is not done with, or the case system does not have it.
            JournalUnavailable: Nothing was removed.
        """
        closed = entry.state is State.REJECTED and entry.receipt is None and entry.due_at is None
        if entry.state is not State.RECEIPTED and not closed:
            raise JournalError("Only a receipted message may be erased.", message_id=entry.id)
        return await self._database.write(lambda connection: stepping.erase(connection, entry, at, cause))

    async def clear_erased(self) -> None:
        """Let nothing that was erased stay in what the database keeps beside its tables, as far as it can.

        SQLite overwrites what is erased, and drops its write-ahead log here. PostgreSQL leaves old rows to VACUUM.
        """
        await self._database.clear_erased()

    async def next_due(
        self,
        *,
        owner: str,
        without: Collection[str] = (),
        without_states: Collection[State] = (),
        only_recoveries: bool = False,
        konto_id: str | None = None,
    ) -> datetime | None:
        """When the next entry has to be worked on that `owner` could claim, or None when none has."""
        wanted = [*queries.of_account(konto_id), *queries.in_other_states(without_states)]
        if only_recoveries:
            wanted.append(queries.to_be_recovered())
        return await self._claims.next_due(owner=owner, without=without, wanted=wanted)

    async def unanswered(self, *, konto_id: str | None = None) -> int:
        """How many entries, of one account or of all, still have a step ahead that needs no person."""
        query = queries.unanswered(konto_id)
        return await self._database.read(lambda connection: connection.execute(query).scalar_one())

    async def entry(self, entry_id: str) -> Entry:
        """One entry.

        Raises:
            JournalError: There is none of that id.
        """
        return await self._database.read(lambda connection: stepping.get(connection, entry_id))

    async def entries(self, *states: State) -> Sequence[Entry]:
        """Entries in the given states (all when none is given), in the order of keeping."""
        return await self._all(queries.in_states(*states))

    async def closed_before(self, moment: datetime, *, limit: int, konto_id: str | None = None) -> Sequence[Entry]:
        """Entries, of one account or of all, that were rejected before `moment` with nobody to answer."""
        return await self._all(queries.closed_before(moment, limit, konto_id))

    async def receipted_before(self, moment: datetime, *, limit: int, konto_id: str | None = None) -> Sequence[Entry]:
        """Entries, of one account or of all, whose answer was taken before `moment` and whose original is kept.

        Without those that the case system does not have, or is to get once more.
        """
        return await self._all(queries.receipted_before(moment, limit, konto_id))

    async def earlier_like(self, entry: Entry) -> Sequence[Entry]:
        """Entries of its account that came before `entry`, by keeping or by opening, and may hold the same report.

        The same sender gave them the same `klientMeldingId` or `bekymringsmelding-id`, or they are the same sealed
        bytes. Whether they do hold the same report, only their content can tell.
        """
        return await self._database.read(lambda connection: queries.earlier_like(connection, entry))

    async def entry_answered_by(self, melding_id: str) -> Entry | None:
        """The entry whose answer the platform took under `melding_id`, or None."""
        found = await self._all(queries.by_receipt(melding_id))
        return found[0] if found else None

    async def report_id_taken(self, report_id: str, *, by_other_than: str) -> bool:
        """Whether another entry already goes by this report id."""
        return await self._database.read(
            lambda connection: queries.report_id_taken(connection, report_id, by_other_than)
        )

    async def payload(self, entry: Entry) -> AsyncIterator[bytes]:
        """The sealed original, piece by piece; nothing when it was erased."""
        async for piece in payloads.load(self._database, entry.payload_id, entry.size):
            yield piece

    async def events(self, entry_id: str) -> Sequence[Event]:
        """What happened to an entry, in order."""
        query = select(events).where(events.c.entry_id == entry_id).order_by(events.c.number)
        return await self._database.read(lambda connection: [event_of(row) for row in connection.execute(query)])

    async def checkpoint(self, at: datetime) -> Checkpoint | None:
        """Seal the event log as it is now, so that whatever is removed from it later shows.

        Returns:
            The new checkpoint; None when nothing has happened since the last, or another process makes one just now.
        """
        return await verifying.make_checkpoint(self._database, at)

    async def last_checkpoint(self) -> Checkpoint | None:
        """The newest checkpoint, or None before the first."""
        return await verifying.last_checkpoint(self._database)

    async def holds_checkpoint(self, hash: str) -> bool:  # noqa: A002 - what it is
        """Whether a checkpoint of that hash, noted elsewhere, is still there."""
        return await verifying.holds_checkpoint(self._database, hash)

    async def first_altered_event(self) -> Alteration | None:
        """Where the event log was first altered since it was written; None if it is whole."""
        return await verifying.first_altered(self._database)

    async def _all(self, query: Select[*tuple[object, ...]]) -> Sequence[Entry]:
        return await self._database.read(lambda connection: [entry_of(row) for row in connection.execute(query)])


_IN_SEQUENCE: Final = select_entries().where(entries.c.sequence.in_(bindparam("taken", expanding=True)))


def _claimed(connection: Connection, taken: dict[int, Lease]) -> Sequence[Entry]:
    rows = connection.execute(_IN_SEQUENCE, {"taken": list(taken)})
    found = {entry.sequence: entry for entry in map(entry_of, rows)}
    return [replace(found[sequence], lease=lease) for sequence, lease in taken.items()]


def deadline(received_at: datetime, hours: float) -> datetime:
    """When a message kept at `received_at` must have been decided."""
    return received_at + timedelta(hours=hours)
