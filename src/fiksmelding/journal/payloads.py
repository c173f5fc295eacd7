"""Sealed payloads in the journal: pieces of a fixed size, so that memory is bounded by a piece, never by a message."""

import hashlib
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from fiksmelding.journal.database import Database
from fiksmelding.journal.tables import chunks, entries


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


async def store(connection: AsyncConnection, payload: bytes, chunk_bytes: int) -> StoredPayload:
    """Write a whole payload within a transaction."""
    payload_id = str(uuid4())
    for number, start in enumerate(range(0, len(payload), chunk_bytes)):
        piece = payload[start : start + chunk_bytes]
        await connection.execute(insert(chunks).values(payload_id=payload_id, number=number, data=piece))
    return StoredPayload(payload_id, len(payload), hashlib.sha256(payload).hexdigest())


async def store_stream(database: Database, stream: AsyncIterable[bytes], chunk_bytes: int) -> StoredPayload:
    """Write a payload as it arrives, each piece in a transaction of its own, so that a slow source blocks nobody.

    Until an entry names the payload it counts as left over, and `drop_leftovers` removes it.
    """
    payload_id, number, size = str(uuid4()), 0, 0
    digest = hashlib.sha256()
    async for piece in _pieces(stream, chunk_bytes):
        async with database.write() as connection:
            await connection.execute(insert(chunks).values(payload_id=payload_id, number=number, data=piece))
        digest.update(piece)
        number, size = number + 1, size + len(piece)
    return StoredPayload(payload_id, size, digest.hexdigest())


async def load(database: Database, payload_id: str) -> AsyncIterator[bytes]:
    """The payload's pieces in order."""
    number = 0
    while True:
        async with database.read() as connection:
            row = await connection.execute(
                select(chunks.c.data).where(chunks.c.payload_id == payload_id, chunks.c.number == number)
            )
            piece = row.scalar_one_or_none()
        if piece is None:
            return
        yield piece
        number += 1


async def drop(connection: AsyncConnection, payload_id: str) -> int:
    """Remove a payload; returns how many pieces it had."""
    counted = await connection.execute(
        select(func.count()).select_from(chunks).where(chunks.c.payload_id == payload_id)
    )
    await connection.execute(delete(chunks).where(chunks.c.payload_id == payload_id))
    return int(counted.scalar_one())


async def drop_leftovers(connection: AsyncConnection) -> None:
    """Remove payloads that no entry names: what a crash left of a download."""
    await connection.execute(delete(chunks).where(chunks.c.payload_id.not_in(select(entries.c.payload_id))))


async def _pieces(stream: AsyncIterable[bytes], chunk_bytes: int) -> AsyncIterator[bytes]:
    buffer = bytearray()
    async for data in stream:
        buffer += data
        while len(buffer) >= chunk_bytes:
            yield bytes(buffer[:chunk_bytes])
            del buffer[:chunk_bytes]
    if buffer:
        yield bytes(buffer)
