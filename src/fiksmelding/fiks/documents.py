"""The document store, where bodies over 5 MB travel (contract section 7)."""

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

from pydantic import BaseModel

from fiksmelding.errors import PlatformError, PlatformUnavailable
from fiksmelding.fiks.partial import DocumentTooLarge, PartialDocument
from fiksmelding.fiks.session import FiksSession

__all__ = ["LARGEST_DOCUMENT", "DocumentTooLarge", "Documents"]

log = logging.getLogger(__name__)

BASE = "/dokumentlager/nedlasting"
LARGEST_DOCUMENT = 5 * 1024**3
PIECE_BYTES = 65_536
RESUMPTIONS = 8
"""How often in a row a download that broke off is gone on with, when it brings nothing more."""
PROGRESS_BYTES = 1_048_576
"""What has to come between two breaks for the count to begin anew."""
FIRST_REST, LONGEST_REST = 0.5, 30.0


class _Metadata(BaseModel):
    """`…/metadata`, as far as it matters. The contract does not say which members there are."""

    storrelse: int | None = None


class Documents:
    """Reads from the document store.

    Args:
        session: An open session; not closed here.
        limit: The largest document to accept, in bytes.
    """

    def __init__(self, session: FiksSession, *, limit: int = LARGEST_DOCUMENT) -> None:
        self._session = session
        self._limit = limit

    async def download(self, dokument_id: UUID) -> AsyncGenerator[bytes, None]:
        """The encrypted bytes in pieces of at most 64 KiB; never the whole in memory.

        When the connection breaks, it goes on where it was: from there on if the store serves ranges (RFC 9110,
        section 14), else from the beginning, where what came before is compared by its digest and not given again.

        When the generator ends by itself, the document is complete. After an error start again from nothing.
        One who stops early closes it (`contextlib.aclosing`), so that the connection is free at once.

        Args:
            dokument_id: The message's `dokumentlager-id`.

        Raises:
            NotFound: It is not there (any more): the store keeps it for the message's TTL and 24 h.
            DocumentTooLarge: It is larger than the limit.
            PlatformUnavailable: It broke off again and again, or is not what it was at first.
            PlatformError: As for any call.
        """
        document = PartialDocument(f"{BASE}/{dokument_id}", self._limit)
        breaks = 0
        while not document.complete:
            before = document.size
            try:
                async with aclosing(self._go_on(document)) as pieces:
                    async for piece in pieces:
                        yield piece
            except PlatformUnavailable as error:
                breaks = 1 if document.size - before >= PROGRESS_BYTES else breaks + 1
                if not document.may_go_on or breaks > RESUMPTIONS:
                    raise
                log.warning("document %s broke off after %d bytes: %s", dokument_id, document.size, error)
                await self._session.clock.sleep(min(LONGEST_REST, FIRST_REST * 2 ** (breaks - 1)))
        log.info("downloaded document %s, %d bytes", dokument_id, document.size)

    async def _go_on(self, document: PartialDocument) -> AsyncGenerator[bytes, None]:
        """What is still missing, as far as one call brings it."""
        async with self._session.stream(document.path, headers=document.wanted()) as response:
            document.begin(response.status, response.headers)
            async for piece in response.content.iter_chunked(PIECE_BYTES):
                fresh = document.take(piece)
                if fresh:
                    yield fresh
        document.end(await self._length(document.path) if document.length is None else None)

    async def _length(self, path: str) -> int | None:
        """What the metadata says; None when they cannot be had or do not tell."""
        try:
            answer = await self._session.request("GET", f"{path}/metadata", repeatable=True)
            return answer.read_as(_Metadata).storrelse
        except PlatformError as error:
            log.warning("the length of %s cannot be looked up: %s", path, error)
            return None
