"""Whether the database can be written, found out by writing."""

import asyncio
from datetime import datetime
from uuid import uuid4

from fiksmelding.journal import payloads
from fiksmelding.journal.database import Database


class Rehearsal:
    """Writes as much as keeping a message takes, and clears it away.

    Args:
        database: Where to.
        chunk_bytes: The size of a piece, in bytes.
    """

    def __init__(self, database: Database, chunk_bytes: int) -> None:
        self._database = database
        self._chunk_bytes = chunk_bytes
        self._payload_id = str(uuid4())
        self._one_at_a_time = asyncio.Lock()

    async def __call__(self, size: int, at: datetime) -> None:
        """Write `size` bytes durably, and clear them away again.

        Raises:
            JournalUnavailable: It cannot be written.
        """
        payload_id, chunk_bytes = self._payload_id, self._chunk_bytes
        async with self._one_at_a_time:
            await self._database.write(
                lambda connection: payloads.rehearse(connection, payload_id, size, chunk_bytes, at)
            )
            await self._database.write(lambda connection: payloads.drop_download(connection, payload_id))
