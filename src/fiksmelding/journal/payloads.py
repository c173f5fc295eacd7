"""Sealed payloads in the journal: pieces of a fixed size, so that memory is bounded by a piece, never by a message."""

import hashlib
from collections.abc import AsyncIterable, AsyncIterator, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from fiksmelding.errors import JournalUnavailable
from fiksmelding.journal.database import Database
from fiksmelding.journal.tables import chunks, downloads

_INSERT: Final = insert(chunks)
_SELECT: Final = select(chunks.c.data).where(
    chunks.c.payload_id == bindparam("of_payload"), chunks.c.number == bindparam("piece")
)


BESIDE_PAYLOAD: Final = 16_384
"""What an entry and its events take at most, in bytes."""


@dataclass(frozen=True, slots=True)
class StoredPayload:
    """A sealed payload that is in the journal.

    Attributes:
        id: Its key among the pieces.
        size: Bytes in all.
        sha256: Digest of the sealed bytes, hexadecimal.
    """

    id: str
    size: int
    sha256: str


def store(connection: Connection, payload: bytes, chunk_bytes: int) -> StoredPayload:
    """Write a whole payload within a transaction."""
    payload_id = str(uuid4())
    for number, start in enumerate(range(0, len(payload), chunk_bytes)):
        _put(connection, payload_id, number, payload[start : start + chunk_bytes])
    return StoredPayload(payload_id, len(payload), hashlib.sha256(payload).hexdigest())


def begin(connection: Connection, payload_id: str, started_at: datetime) -> None:
    """Let a payload count as a download under way, until `finish` or `drop_download`."""
    connection.execute(insert(downloads).values(payload_id=payload_id, started_at=started_at))


async def store_stream(
    database: Database, payload_id: str, stream: AsyncIterable[bytes], chunk_bytes: int
) -> StoredPayload:
    """Write a payload as it arrives, each piece in a transaction of its own, so that a slow source blocks nobody."""
    number, size = 0, 0
    digest = hashlib.sha256()
    async for piece in _pieces(stream, chunk_bytes):
        await database.write(lambda connection: _put(connection, payload_id, number, piece))  # noqa: B023 - awaited
        digest.update(piece)
        number, size = number + 1, size + len(piece)
    return StoredPayload(payload_id, size, digest.hexdigest())


def rehearse(connection: Connection, payload_id: str, size: int, chunk_bytes: int, at: datetime) -> None:
    """Write as much as keeping a payload of `size` bytes takes, under an id that no entry will name."""
    drop_download(connection, payload_id)  # of a rehearsal that could not be cleared away
    begin(connection, payload_id, at)
    whole = size + BESIDE_PAYLOAD
    for number, start in enumerate(range(0, whole, chunk_bytes)):
        _put(connection, payload_id, number, bytes(min(chunk_bytes, whole - start)))


def finish(connection: Connection, payload: StoredPayload) -> None:
    """The download is complete, in the transaction that gives it an entry.

    Raises:
        JournalUnavailable: It took so long that it was cleared away as left over.
    """
    done = connection.execute(delete(downloads).where(downloads.c.payload_id == payload.id))
    if done.rowcount != 1:
        raise JournalUnavailable("The download took too long and was cleared away.")


async def load(database: Database, payload_id: str, size: int | None = None) -> AsyncIterator[bytes]:
    """The payload's pieces in order, none when it was removed; its size, where known, spares a look for one more."""
    number = loaded = 0
    while size is None or loaded < size:
        wanted = {"of_payload": payload_id, "piece": number}
        piece = await database.read(lambda connection: connection.execute(_SELECT, wanted).scalar_one_or_none())  # noqa: B023 - awaited
        if piece is None:
            return
        yield piece
        number, loaded = number + 1, loaded + len(piece)


def drop(connection: Connection, payload_id: str) -> int:
    """Remove a payload; returns how many pieces it had."""
    counted = connection.execute(select(func.count()).select_from(chunks).where(chunks.c.payload_id == payload_id))
    connection.execute(delete(chunks).where(chunks.c.payload_id == payload_id))
    return int(counted.scalar_one())


def drop_download(connection: Connection, payload_id: str) -> None:
    """Remove a payload that no entry will name."""
    # The download first: `finish` and this then exclude each other on its row.
    done = connection.execute(delete(downloads).where(downloads.c.payload_id == payload_id))
    if done.rowcount == 1:
        drop(connection, payload_id)


def drop_leftovers(connection: Connection, *, started_before: datetime | None, spare: Collection[str] = ()) -> None:
    """Remove what crashes left of downloads.

    Args:
        connection: The transaction.
        started_before: Only of those that began before; None for all.
        spare: Downloads that are under way.
    """
    query = select(downloads.c.payload_id).where(downloads.c.payload_id.not_in(spare))
    if started_before is not None:
        query = query.where(downloads.c.started_at < started_before)
    for payload_id in connection.execute(query).scalars().all():
        drop_download(connection, payload_id)


def _put(connection: Connection, payload_id: str, number: int, piece: bytes) -> None:
    connection.execute(_INSERT, {"payload_id": payload_id, "number": number, "data": piece})


async def _pieces(stream: AsyncIterable[bytes], chunk_bytes: int) -> AsyncIterator[bytes]:
    buffer = bytearray()
    async for data in stream:
        buffer += data
        while len(buffer) >= chunk_bytes:
            yield bytes(buffer[:chunk_bytes])
            del buffer[:chunk_bytes]
    if buffer:
        yield bytes(buffer)
