"""Keeping a message whose body is in the document store: downloaded into the journal, or given up in time."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Protocol
from uuid import UUID
from weakref import WeakValueDictionary

from fiksmelding.alarms import AlarmKind, Alarms
from fiksmelding.clock import Clock
from fiksmelding.errors import NotFound, PlatformError, PlatformUnavailable
from fiksmelding.fiks import DocumentTooLarge
from fiksmelding.journal import Arrival, Journal, Kept
from fiksmelding.receiver.identity import as_uuid

AT_ONCE = 4
"""How many documents are downloaded at the same time."""
LEAST_SECONDS = 3600.0
"""How long a download that has begun may always take."""


class DocumentStore(Protocol):
    """The part of the document store that keeping needs."""

    def download(self, dokument_id: UUID) -> AsyncGenerator[bytes, None]:
        """The bytes of a document, as they arrive."""
        ...


class DocumentKeeper:
    """Puts messages into the journal whose bodies are in the document store.

    Args:
        journal: Where they are kept.
        documents: Where the bodies are.
        clock: Where the time is read.
        alarms: Told of a body that does not come.
    """

    def __init__(self, *, journal: Journal, documents: DocumentStore, clock: Clock, alarms: Alarms) -> None:
        self._journal = journal
        self._documents = documents
        self._clock = clock
        self._alarms = alarms
        self._at_once = asyncio.Semaphore(AT_ONCE)
        self._under_way: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def keep(self, arrival: Arrival, *, give_up_at: float) -> Kept:
        """Download the body into the journal; where that cannot be done at all, keep the message without.

        A message without its body is set aside when it is opened, and answered at its deadline.

        Args:
            arrival: The message.
            give_up_at: When a failure is the last one, in seconds of the monotonic clock.

        Raises:
            JournalUnavailable: It is not kept.
            PlatformError: It is not kept: the document cannot be fetched now.
        """
        dokument_id = as_uuid(arrival.dokumentlager_id)
        if dokument_id is None:
            return await self._without_body(arrival, "its dokumentlager-id is no UUID")
        # Delivered again while it is still being downloaded, it waits and is then found to be kept.
        key = f"{arrival.melding_id}/{dokument_id}"
        lock = self._under_way.setdefault(key, asyncio.Lock())
        async with lock, self._at_once:
            try:
                return await self._download(arrival, UUID(dokument_id), give_up_at)
            except NotFound:
                return await self._without_body(arrival, "its document is not in the document store any more")
            except DocumentTooLarge as error:
                return await self._without_body(arrival, error.text)
            except PlatformError as error:
                if self._clock.monotonic() < give_up_at:
                    raise
                return await self._without_body(arrival, f"its document could not be fetched in time: {error.text}")

    async def _download(self, arrival: Arrival, dokument_id: UUID, give_up_at: float) -> Kept:
        # It may be late because the journal was down: then too the document gets its chance.
        until = max(give_up_at, self._clock.monotonic() + LEAST_SECONDS)
        async with aclosing(self._documents.download(dokument_id)) as pieces:
            return await self._journal.keep_stream(arrival, self._in_time(pieces, until), started_at=self._clock.now())

    async def _in_time(self, pieces: AsyncIterator[bytes], until: float) -> AsyncIterator[bytes]:
        async for piece in pieces:
            if self._clock.monotonic() >= until:
                raise PlatformUnavailable("The document comes too slowly.")
            yield piece

    async def _without_body(self, arrival: Arrival, reason: str) -> Kept:
        self._alarms.sound(
            AlarmKind.DOCUMENT_MISSING,
            f"melding-id {arrival.melding_id} has to be kept without its body: {reason.rstrip('.')}. "
            f"Ask the sender {arrival.avsender_id} for it.",
        )
        return await self._journal.keep_without_body(arrival, reason)
