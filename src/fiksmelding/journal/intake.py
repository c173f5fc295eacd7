"""Taking a delivery in: its body and its entry, both or neither; `Journal` says what is promised."""

from collections.abc import AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from fiksmelding.errors import JournalError
from fiksmelding.journal import keeping, payloads
from fiksmelding.journal.database import Database
from fiksmelding.journal.payloads import StoredPayload
from fiksmelding.journal.records import Arrival, Kept
from fiksmelding.journal.tables import entries


class Intake:
    """Stores deliveries; one that is stored already is told by the database refusing it.

    Args:
        database: Where to.
        chunk_bytes: The size of a body's pieces, in bytes.
    """

    def __init__(self, database: Database, chunk_bytes: int) -> None:
        self._database = database
        self._chunk_bytes = chunk_bytes
        self._under_way: set[str] = set()

    async def keep(self, arrival: Arrival, body: bytes) -> Kept:
        """Store a delivery with its body."""
        payload: StoredPayload | None = None

        def insert(connection: Connection) -> Kept:
            nonlocal payload
            payload = payloads.store(connection, body, self._chunk_bytes)
            return keeping.insert_entry(connection, arrival, payload)

        try:
            return await self._database.write(insert)
        except IntegrityError:
            return await self._seen_again(arrival, keeping.delivery_key(arrival, payload))

    async def keep_without_body(self, arrival: Arrival, reason: str) -> Kept:
        """Store a delivery whose body cannot be had."""

        def insert(connection: Connection) -> Kept:
            nothing = payloads.store(connection, b"", self._chunk_bytes)
            return keeping.insert_entry(connection, arrival, nothing, no_body=reason)

        try:
            return await self._database.write(insert)
        except IntegrityError:
            return await self._seen_again(arrival, keeping.delivery_key(arrival, None))

    async def keep_stream(self, arrival: Arrival, stream: AsyncIterable[bytes], started_at: datetime) -> Kept:
        """Store a delivery whose body is being downloaded."""
        known = await self._known(arrival)
        if known is not None:
            return await self._seen_again(arrival, known)
        payload: StoredPayload | None = None
        try:
            async with self._download(started_at) as payload_id:
                payload = complete = await payloads.store_stream(self._database, payload_id, stream, self._chunk_bytes)

                def insert(connection: Connection) -> Kept:
                    payloads.finish(connection, complete)
                    return keeping.insert_entry(connection, arrival, complete)

                return await self._database.write(insert)
        except IntegrityError:
            return await self._seen_again(arrival, keeping.delivery_key(arrival, payload))

    async def drop_leftovers(self, *, started_before: datetime | None) -> None:
        """Remove what is left of downloads that began before a moment (all when None), but for those under way here."""
        spare = frozenset(self._under_way)
        await self._database.write(
            lambda connection: payloads.drop_leftovers(connection, started_before=started_before, spare=spare)
        )

    @asynccontextmanager
    async def _download(self, started_at: datetime) -> AsyncIterator[str]:
        """The id of a payload on its way in, of which nothing is left when it does not arrive."""
        payload_id = str(uuid4())
        self._under_way.add(payload_id)
        try:
            await self._database.write(lambda connection: payloads.begin(connection, payload_id, started_at))
            yield payload_id
        except BaseException:
            with suppress(JournalError):  # then it goes with the leftovers
                await self._database.write(lambda connection: payloads.drop_download(connection, payload_id))
            raise
        finally:
            self._under_way.discard(payload_id)

    async def _known(self, arrival: Arrival) -> str | None:
        """The delivery key of a message by document id that is kept already, or None."""
        if arrival.dokumentlager_id is None:
            return None
        key = keeping.delivery_key(arrival, None)
        query = select(entries.c.id).where(*keeping.same_delivery(arrival, key))
        found = await self._database.read(lambda connection: connection.execute(query).first())
        return key if found is not None else None

    async def _seen_again(self, arrival: Arrival, key: str) -> Kept:
        return await self._database.write(lambda connection: keeping.note_repetition(connection, arrival, key))
