"""The document store: large sealed bodies as files, until their message's time is over (contract section 7)."""

import asyncio
import hashlib
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Self
from uuid import UUID, uuid4

from pydantic import TypeAdapter

from fiksmelding.simulator.answers import DocumentMetadata
from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.refusals import Refusal
from fiksmelding.simulator.state import NOWHERE, State

__all__ = ["Body", "Documents", "IncomingBody"]

INLINE_BYTES = 5 * 1024 * 1024
LARGEST_BYTES = 5 * 1024**3
KIND = "document"


@dataclass(frozen=True, slots=True)
class _Document:
    path: Path
    recipient: UUID
    size: int
    sha256: str
    expires_at: datetime


DOCUMENT = TypeAdapter(_Document)


@dataclass(frozen=True, slots=True)
class Body:
    """A body received whole: in memory, or in a file when it is large.

    Attributes:
        data: Its bytes; empty when they are in the file.
        path: The file; None when the bytes are here.
        size: In bytes.
        sha256: Hexadecimal digest.
    """

    data: bytes
    path: Path | None
    size: int
    sha256: str


class IncomingBody:
    """A body on its way in. Over 5 MB it goes to a file, which is deleted at the end unless `Documents` kept it.

    Args:
        folder: Where the file would be made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._memory = io.BytesIO()
        self._path: Path | None = None
        self._file: io.BufferedWriter | None = None
        self._size = 0
        self._digest = hashlib.sha256()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    async def write(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises:
            Refusal: 400 when the body becomes larger than the platform takes.
        """
        self._size += len(chunk)
        if self._size > LARGEST_BYTES:
            raise Refusal.bad_request("Meldingen er større enn 5 GB")
        self._digest.update(chunk)
        if self._file is None and self._size > INLINE_BYTES:
            self._path = self._folder / f"incoming-{uuid4()}"
            self._file = await asyncio.to_thread(self._path.open, "xb")
            await asyncio.to_thread(self._file.write, self._memory.getvalue())
            self._memory = io.BytesIO()
        if self._file is None:
            self._memory.write(chunk)
        else:
            await asyncio.to_thread(self._file.write, chunk)

    async def finish(self) -> Body:
        """The body, complete. It lasts until the end of the `async with`."""
        if self._file is not None:
            await asyncio.to_thread(self._file.close)
        return Body(self._memory.getvalue(), self._path, self._size, self._digest.hexdigest())


class Documents:
    """Keeps large bodies for their recipients.

    Args:
        folder: Where the files are. They are sealed envelopes: no plaintext.
        clock: The time by which documents expire.
        state: Where it is kept what they are; files that nothing is known of are deleted.

    Attributes:
        serves_ranges: Whether a client may ask for the rest of a document only. The contract promises neither.
    """

    def __init__(self, folder: Path, clock: SimulatorClock, state: State = NOWHERE) -> None:
        self.serves_ranges = True
        self._folder = folder
        self.clock = clock
        self._state = state
        kept = ((item.id, DOCUMENT.validate_json(item.data)) for item in state.all(KIND))
        self._documents = {UUID(name): replace(document, path=folder / name) for name, document in kept}
        known = {document.path.name for document in self._documents.values()}
        for left_behind in folder.iterdir():
            if left_behind.name not in known:
                left_behind.unlink()  # Its message went with the run that took it.

    def incoming(self) -> IncomingBody:
        """A place for a body on its way in; use it with `async with`."""
        return IncomingBody(self._folder)

    def keep(self, body: Body, *, recipient: UUID, expires_at: datetime) -> UUID:
        """Keep a large body until `expires_at`; returns its id (`dokumentlagerId`)."""
        if body.path is None:
            raise ValueError("A body in memory needs no document store.")
        document_id = uuid4()
        path = body.path.rename(self._folder / str(document_id))
        document = _Document(path, recipient, body.size, body.sha256, expires_at)
        self._documents[document_id] = document
        self._state.put(KIND, str(document_id), DOCUMENT.dump_json(document).decode())
        return document_id

    def recipient(self, document_id: UUID) -> UUID:
        """The account that may fetch a document.

        Raises:
            Refusal: 404.
        """
        return self._find(document_id).recipient

    def metadata(self, document_id: UUID) -> DocumentMetadata:
        """What is known of a document.

        Raises:
            Refusal: 404.
        """
        document = self._find(document_id)
        return DocumentMetadata(
            dokument_id=document_id,
            dokumentnavn=str(document_id),
            mimetype="application/octet-stream",
            storrelse=document.size,
            sha256=document.sha256,
            ttl=int(document.expires_at.timestamp() * 1000),
        )

    async def read(self, document_id: UUID, *, start: int = 0, chunk_bytes: int = 262_144) -> AsyncIterator[bytes]:
        """The bytes of a document from `start` on, piece by piece.

        Raises:
            Refusal: 404, before the first piece.
        """
        with self._find(document_id).path.open("rb") as file:
            file.seek(start)
            while chunk := await asyncio.to_thread(file.read, chunk_bytes):
                yield chunk

    def forget(self, document_id: str) -> None:
        """Delete a document before its time; what is no document's id changes nothing."""
        gone = [known for known in self._documents if str(known) == document_id]
        for known in gone:
            self._delete(known)

    def expire(self) -> None:
        """Delete every document whose time is over."""
        now = self.clock.now()
        for document_id, document in list(self._documents.items()):
            if document.expires_at <= now:
                self._delete(document_id)

    def _delete(self, document_id: UUID) -> None:
        self._state.remove(KIND, str(document_id))
        self._documents.pop(document_id).path.unlink(missing_ok=True)

    def _find(self, document_id: UUID) -> _Document:
        self.expire()
        document = self._documents.get(document_id)
        if document is None:
            raise Refusal.not_found(f"Fant ikke dokument med id {document_id}")
        return document
