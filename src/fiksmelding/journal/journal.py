"""The journal: what we know, durably. Each method is one transaction, on disk when it returns."""

from collections.abc import AsyncIterable, AsyncIterator, Collection, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Self
from uuid import uuid4

from sqlalchemy import ColumnElement, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalError
from fiksmelding.journal import payloads
from fiksmelding.journal.chain import START, first_altered, link
from fiksmelding.journal.database import Database
from fiksmelding.journal.payloads import StoredPayload
from fiksmelding.journal.records import Arrival, Change, Entry, Event, Kept, Receipt
from fiksmelding.journal.rows import entry_of, event_of, select_entries
from fiksmelding.journal.states import ALLOWED, EventKind, State
from fiksmelding.journal.tables import entries, events, receipts


class Journal:
    """Entries, their sealed payloads and their events.

    Every error of the database leaves as `JournalUnavailable`; what had not returned is then not recorded.

    Args:
        settings: Where it is, and the size of its pieces.
    """

    def __init__(self, settings: JournalSettings) -> None:
        self._settings = settings
        self._database = Database(settings.url)

    async def __aenter__(self) -> Self:
        await self._database.open()
        try:
            async with self._database.write() as connection:
                await payloads.drop_leftovers(connection)
        except BaseException:
            await self._database.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the database. Closing twice does nothing."""
        await self._database.close()

    async def keep(self, arrival: Arrival, body: bytes) -> Kept:
        """Store a delivery whose body came with it. Idempotent: the same delivery is stored once.

        Returns:
            The entry, durable; only now may the delivery be acknowledged.

        Raises:
            JournalUnavailable: It is not stored; do not acknowledge.
        """
        try:
            async with self._database.write() as connection:
                payload = await payloads.store(connection, body, self._settings.chunk_bytes)
                return await self._insert(connection, arrival, payload)
        except IntegrityError:
            return await self._seen_again(arrival, _delivery_key(arrival, payload))

    async def keep_stream(self, arrival: Arrival, stream: AsyncIterable[bytes]) -> Kept:
        """Store a delivery whose body is in the document store, as it is downloaded. Idempotent as `keep`.

        Raises:
            JournalUnavailable: It is not stored; do not acknowledge. What the stream raises passes through.
        """
        known = await self.find_delivery(arrival)
        if known is not None:
            return await self._seen_again(arrival, known)
        payload = await payloads.store_stream(self._database, stream, self._settings.chunk_bytes)
        try:
            async with self._database.write() as connection:
                return await self._insert(connection, arrival, payload)
        except IntegrityError:
            return await self._seen_again(arrival, _delivery_key(arrival, payload))

    async def find_delivery(self, arrival: Arrival) -> str | None:
        """The delivery key of a message by document id that is kept already, or None."""
        if arrival.dokumentlager_id is None:
            return None
        key = _delivery_key(arrival, None)
        async with self._database.read() as connection:
            found = await connection.execute(select(entries.c.id).where(*_same_delivery(arrival, key)))
            return key if found.first() is not None else None

    async def record(self, entry: Entry, change: Change, *, at: datetime) -> Entry:
        """Take one step: the entry's columns, its receipt and the event, together or not at all.

        Returns:
            The entry as it now is.

        Raises:
            JournalError: The entry is not where `entry` says (someone else took a step), or the step is not allowed.
            JournalUnavailable: Nothing was recorded.
        """
        state = change.state or entry.state
        if state is not entry.state and state not in ALLOWED[entry.state]:
            raise JournalError(f"A message cannot go from {entry.state} to {state}.", message_id=entry.id)
        async with self._database.write() as connection:
            try:
                done = await connection.execute(
                    update(entries)
                    .where(entries.c.id == entry.id, entries.c.state == entry.state.value)
                    .values(state=state.value, due_at=change.due_at, **_given(change))
                )
            except IntegrityError:
                raise JournalError("Another message took this report id meanwhile.", message_id=entry.id) from None
            _must_be_one(done.rowcount, entry)
            if change.receipt is not None:
                await _put_receipt(connection, entry.id, change.receipt)
            detail = {**change.detail, "state": state.value}
            await _append(connection, entry.id, change.event, detail, at)
            return await _get(connection, entry.id)

    async def postpone(self, entry: Entry, due_at: datetime | None) -> Entry:
        """Let an entry wait, which is no event: nothing happened.

        Raises:
            JournalError: The entry is not where `entry` says.
            JournalUnavailable: Nothing was recorded.
        """
        async with self._database.write() as connection:
            done = await connection.execute(
                update(entries)
                .where(entries.c.id == entry.id, entries.c.state == entry.state.value)
                .values(due_at=due_at)
            )
            _must_be_one(done.rowcount, entry)
            return await _get(connection, entry.id)

    async def erase(self, entry: Entry, *, at: datetime) -> Entry:
        """Remove the sealed original of a receipted entry; the event log stays.

        Raises:
            JournalError: The entry has no taken receipt.
            JournalUnavailable: Nothing was removed.
        """
        if entry.state is not State.RECEIPTED:
            raise JournalError("Only a receipted message may be erased.", message_id=entry.id)
        async with self._database.write() as connection:
            payload_id = await connection.execute(select(entries.c.payload_id).where(entries.c.id == entry.id))
            pieces = await payloads.drop(connection, payload_id.scalar_one())
            await connection.execute(
                update(entries).where(entries.c.id == entry.id).values(state=State.ERASED.value, due_at=None)
            )
            detail: dict[str, str | int] = {"pieces": pieces, "state": State.ERASED.value}
            await _append(connection, entry.id, EventKind.ERASED, detail, at)
            return await _get(connection, entry.id)

    async def due(self, now: datetime, *, limit: int, without: Collection[str] = ()) -> Sequence[Entry]:
        """Entries to be worked on now, oldest first, except those named in `without`."""
        query = (
            select_entries()
            .where(entries.c.due_at <= now, entries.c.id.not_in(without))
            .order_by(entries.c.due_at, entries.c.sequence)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [entry_of(row) for row in await connection.execute(query)]

    async def next_due(self, without: Collection[str] = ()) -> datetime | None:
        """When the next entry has to be worked on, or None when none has."""
        query = select(func.min(entries.c.due_at)).where(entries.c.id.not_in(without))
        async with self._database.read() as connection:
            earliest: datetime | None = (await connection.execute(query)).scalar_one()
        return earliest

    async def unanswered(self) -> int:
        """How many entries still have a step ahead that needs no person."""
        query = (
            select(func.count())
            .select_from(entries)
            .where(entries.c.due_at.is_not(None), entries.c.state != State.QUARANTINED.value)
        )
        async with self._database.read() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def entry(self, entry_id: str) -> Entry:
        """One entry.

        Raises:
            JournalError: There is none of that id.
        """
        async with self._database.read() as connection:
            return await _get(connection, entry_id)

    async def entries(self, *states: State) -> Sequence[Entry]:
        """Entries in the given states (all when none is given), in the order of keeping."""
        query = select_entries().order_by(entries.c.sequence)
        if states:
            query = query.where(entries.c.state.in_([state.value for state in states]))
        async with self._database.read() as connection:
            return [entry_of(row) for row in await connection.execute(query)]

    async def receipted_before(self, moment: datetime, *, limit: int) -> Sequence[Entry]:
        """Entries whose answer was taken before `moment` and whose original is still kept."""
        query = (
            select_entries()
            .where(entries.c.state == State.RECEIPTED.value, receipts.c.taken_at < moment)
            .order_by(entries.c.sequence)
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [entry_of(row) for row in await connection.execute(query)]

    async def earlier_like(self, entry: Entry) -> Sequence[Entry]:
        """Entries that came before `entry`, by keeping or by opening, and may hold the same report.

        The same sender gave them the same `klientMeldingId` or `bekymringsmelding-id`. Whether they do hold the same
        report, only their content can tell.
        """
        same: list[ColumnElement[bool]] = []
        if entry.arrival.klient_melding_id is not None:
            same.append(entries.c.klient_melding_id == entry.arrival.klient_melding_id)
        if entry.arrival.bekymringsmelding_id is not None:
            same.append(entries.c.bekymringsmelding_id == entry.arrival.bekymringsmelding_id)
        if not same:
            return []
        query = (
            select_entries()
            .where(
                entries.c.avsender_id == entry.arrival.avsender_id,
                entries.c.id != entry.id,
                # With several writers the order of keeping is not that of numbers: whoever has taken an id was first.
                or_(entries.c.sequence < entry.sequence, entries.c.report_id.is_not(None)),
                entries.c.duplicate_of.is_(None),
                or_(*same),
            )
            .order_by(entries.c.sequence)
        )
        async with self._database.read() as connection:
            return [entry_of(row) for row in await connection.execute(query)]

    async def report_id_taken(self, report_id: str, *, by_other_than: str) -> bool:
        """Whether another entry already goes by this report id."""
        query = select(entries.c.id).where(entries.c.report_id == report_id, entries.c.id != by_other_than)
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def payload(self, entry: Entry) -> AsyncIterator[bytes]:
        """The sealed original, piece by piece; nothing when it was erased."""
        async with self._database.read() as connection:
            found = await connection.execute(select(entries.c.payload_id).where(entries.c.id == entry.id))
            payload_id = found.scalar_one()
        async for piece in payloads.load(self._database, payload_id):
            yield piece

    async def events(self, entry_id: str) -> Sequence[Event]:
        """What happened to an entry, in order."""
        query = select(events).where(events.c.entry_id == entry_id).order_by(events.c.number)
        async with self._database.read() as connection:
            return [event_of(row) for row in await connection.execute(query)]

    async def first_altered_event(self) -> Event | None:
        """The first event, entry by entry, that does not follow from the one before it; None if the log is whole."""
        async with self._database.read() as connection:
            ids = (await connection.execute(select(entries.c.id).order_by(entries.c.sequence))).scalars().all()
        for entry_id in ids:
            altered = first_altered(await self.events(entry_id))
            if altered is not None:
                return altered
        return None

    async def _insert(self, connection: AsyncConnection, arrival: Arrival, payload: StoredPayload) -> Kept:
        entry_id = str(uuid4())
        await connection.execute(
            insert(entries).values(
                id=entry_id,
                konto_id=arrival.konto_id,
                delivery_key=_delivery_key(arrival, payload),
                melding_id=arrival.melding_id,
                melding_type=arrival.melding_type,
                avsender_id=arrival.avsender_id,
                klient_melding_id=arrival.klient_melding_id,
                klient_korrelasjons_id=arrival.klient_korrelasjons_id,
                bekymringsmelding_id=arrival.bekymringsmelding_id,
                dokumentlager_id=arrival.dokumentlager_id,
                headers=dict(arrival.headers),
                missing=list(arrival.missing),
                payload_id=payload.id,
                size=payload.size,
                received_at=arrival.received_at,
                deadline_at=arrival.deadline_at,
                state=State.RECEIVED.value,
                due_at=arrival.received_at,
            )
        )
        detail: dict[str, str | int] = {
            "melding_id": arrival.melding_id or "",
            "size": payload.size,
            "sha256": payload.sha256,
            "state": State.RECEIVED.value,
        }
        await _append(connection, entry_id, EventKind.KEPT, detail, arrival.received_at)
        return Kept(entry_id, repeated=False)

    async def _seen_again(self, arrival: Arrival, key: str) -> Kept:
        async with self._database.write() as connection:
            found = await connection.execute(select(entries.c.id).where(*_same_delivery(arrival, key)))
            entry_id: str = found.scalar_one()
            await _append(connection, entry_id, EventKind.REDELIVERED, {}, arrival.received_at)
        return Kept(entry_id, repeated=True)


def deadline(received_at: datetime, hours: float) -> datetime:
    """When a message kept at `received_at` must have been decided."""
    return received_at + timedelta(hours=hours)


def _delivery_key(arrival: Arrival, payload: StoredPayload | None) -> str:
    """What tells one delivery from another.

    The platform promises a new melding-id for every sending. Should it ever break that promise, the digest keeps a
    report from passing for another.
    """
    if arrival.dokumentlager_id is not None:
        return f"{arrival.melding_id}/document/{arrival.dokumentlager_id}"[:200]
    digest = payload.sha256 if payload is not None else ""
    return f"{arrival.melding_id}/sha256/{digest}"


def _same_delivery(arrival: Arrival, key: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return entries.c.konto_id == arrival.konto_id, entries.c.delivery_key == key


def _must_be_one(changed: int, entry: Entry) -> None:
    if changed != 1:
        raise JournalError(f"The message is no longer {entry.state}.", message_id=entry.id)


def _given(change: Change) -> dict[str, str | int]:
    names = ("attempts", "failures", "report_id", "duplicate_of", "reference", "reason")
    values = {name: getattr(change, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


async def _put_receipt(connection: AsyncConnection, entry_id: str, receipt: Receipt) -> None:
    values = {
        "answer": receipt.answer.value,
        "klient_melding_id": receipt.klient_melding_id,
        "reason": receipt.reason,
        "attempts": receipt.attempts,
        "taken_at": receipt.taken_at,
        "melding_id": receipt.melding_id,
    }
    updated = await connection.execute(update(receipts).where(receipts.c.entry_id == entry_id).values(values))
    if updated.rowcount == 0:
        await connection.execute(insert(receipts).values(entry_id=entry_id, **values))


async def _append(
    connection: AsyncConnection, entry_id: str, kind: EventKind, detail: dict[str, str | int], at: datetime
) -> None:
    last = (
        await connection.execute(
            select(events.c.number, events.c.hash)
            .where(events.c.entry_id == entry_id)
            .order_by(events.c.number.desc())
            .limit(1)
        )
    ).first()
    number, before = (1, START) if last is None else (last.number + 1, last.hash)
    told = link(before, entry_id=entry_id, number=number, at=at, kind=kind, detail=detail)
    await connection.execute(
        insert(events).values(entry_id=entry_id, number=number, at=at, kind=kind.value, detail=detail, hash=told)
    )


async def _get(connection: AsyncConnection, entry_id: str) -> Entry:
    row = (await connection.execute(select_entries().where(entries.c.id == entry_id))).first()
    if row is None:
        raise JournalError("The journal holds no such message.", message_id=entry_id)
    return entry_of(row)
