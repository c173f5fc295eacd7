"""The document store, where bodies over 5 MB travel (contract section 7)."""

import logging
from collections.abc import AsyncGenerator
from uuid import UUID

from fiksmelding.errors import PlatformUnavailable
from fiksmelding.fiks.session import FiksSession

log = logging.getLogger(__name__)

BASE = "/dokumentlager/nedlasting"
LARGEST_DOCUMENT = 5 * 1024**3
PIECE_BYTES = 65_536


class Documents:
    """Reads from the document store.

    Args:
        session: An open session; not closed here.
    """

    def __init__(self, session: FiksSession) -> None:
        self._session = session

    async def download(self, dokument_id: UUID, *, limit: int = LARGEST_DOCUMENT) -> AsyncGenerator[bytes, None]:
        """The encrypted bytes in pieces of at most 64 KiB; never the whole in memory.

        When the generator ends by itself, the document is complete. After an error start again from nothing.
        One who stops early closes it (`contextlib.aclosing`), so that the connection is free at once.

        Args:
            dokument_id: The message's `dokumentlager-id`.
            limit: The largest document to accept, in bytes.

        Raises:
            NotFound: It is not there (any more): the store keeps it for the message's TTL and 24 h.
            PlatformUnavailable: It broke off, is longer or shorter than announced, or is larger than `limit`.
            PlatformError: As for any call.
        """
        path = f"{BASE}/{dokument_id}"
        received = 0
        async with self._session.stream(path) as response:
            # A compressed answer announces its compressed length.
            announced = response.content_length if "Content-Encoding" not in response.headers else None
            if announced is not None and announced > limit:
                raise _wrong_length(path, announced, limit)
            async for piece in response.content.iter_chunked(PIECE_BYTES):
                received += len(piece)
                if received > limit:
                    raise _wrong_length(path, received, limit)
                yield piece
        if announced is not None and received != announced:
            raise PlatformUnavailable(
                f"Document {dokument_id} broke off: {received} of {announced} bytes came.", path=path
            )
        log.info("downloaded document %s, %d bytes", dokument_id, received)


def _wrong_length(path: str, size: int, limit: int) -> PlatformUnavailable:
    return PlatformUnavailable(f"The document at {path} is too large: {size} bytes, at most {limit}.", path=path)
