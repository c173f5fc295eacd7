"""A message that came to our account."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import IO, BinaryIO, cast
from uuid import UUID

from fiksmelding.broker import Delivery
from fiksmelding.envelope import DecryptionKey, OpenedEnvelope, Trust, open_envelope
from fiksmelding.errors import ContainerInvalid
from fiksmelding.fiks import Documents
from fiksmelding.messages import MessageType

SPOOL_BYTES = 8 * 1024 * 1024
"""Sealed bodies up to this size are opened in memory, larger ones from a temporary file (still sealed)."""
UNDELIVERED = frozenset({MessageType.TIDSAVBRUDD.value, MessageType.SERVERFEIL.value})


@dataclass(frozen=True, slots=True)
class Opening:
    """What opens messages.

    Attributes:
        keys: Our private keys, newest first.
        trust: Whose signature counts.
        documents: Where large bodies are.
    """

    keys: Sequence[DecryptionKey] = field(repr=False)
    trust: Trust
    documents: Documents


class Message:
    """A message that the platform keeps until `acknowledge`. Unacknowledged, it comes again after we close.

    The platform gives a message up after three such attempts: acknowledge what is safely kept.

    Attributes:
        delivery: Its headers and sealed body, as they came.
    """

    def __init__(self, delivery: Delivery, opening: Opening) -> None:
        self.delivery = delivery
        self._opening = opening
        self._settled = asyncio.Event()

    @property
    def message_type(self) -> str:
        """Its message type."""
        return self.delivery.metadata.melding_type or ""

    @property
    def melding_id(self) -> str | None:
        """The platform's id of it; None when the header is missing."""
        return self.delivery.metadata.melding_id

    @property
    def sender(self) -> str | None:
        """The account it came from; None when the header is missing."""
        return self.delivery.metadata.avsender_id

    @property
    def answers(self) -> str | None:
        """The id of the message that it answers."""
        return self.delivery.metadata.svar_til

    @property
    def headers(self) -> Mapping[str, str]:
        """Every header as text."""
        return self.delivery.metadata.headers

    @property
    def undelivered(self) -> bool:
        """Whether the platform tells by it that the message it answers was not delivered."""
        return self.message_type in UNDELIVERED

    @property
    def has_body(self) -> bool:
        """Whether there is anything to open."""
        return bool(self.delivery.body) or self.delivery.metadata.dokumentlager_id is not None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[OpenedEnvelope]:
        """Decrypt and verify it for the length of the block. Its files are read synchronously: large ones in a thread.

        Raises:
            EnvelopeError: It has no body, or cannot be opened or believed.
            PlatformError: Its body cannot be had from the document store.
        """
        with ExitStack() as stack:
            sealed = cast("IO[bytes]", stack.enter_context(tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)))
            await self._read_into(sealed)
            yield await asyncio.to_thread(self._open, sealed, stack)

    async def acknowledge(self) -> None:
        """Have the platform forget it: it is safely kept, or needed no more. A second time does nothing.

        Raises:
            BrokerUnavailable: The connection it came by is gone. It will come again.
        """
        try:
            await self.delivery.ack()
        finally:
            self._settled.set()

    async def settled(self) -> None:
        """Wait until it has been acknowledged."""
        await self._settled.wait()

    async def _read_into(self, sealed: IO[bytes]) -> None:
        document_id = self.delivery.metadata.dokumentlager_id
        if not self.has_body:
            raise ContainerInvalid("The message has no body.", message_id=self.melding_id)
        if document_id is None:
            sealed.write(self.delivery.body)
            return
        try:
            document = UUID(document_id)
        except ValueError:
            raise ContainerInvalid("The message's dokumentlager-id is no UUID.", message_id=self.melding_id) from None
        async with aclosing(self._opening.documents.download(document)) as pieces:
            async for piece in pieces:
                await asyncio.to_thread(sealed.write, piece)

    def _open(self, sealed: IO[bytes], stack: ExitStack) -> OpenedEnvelope:
        sealed.seek(0)
        envelope = open_envelope(
            cast("BinaryIO", sealed),
            keys=self._opening.keys,
            trust=self._opening.trust,
            received_at=self.delivery.received_at,
        )
        return stack.enter_context(envelope)
