"""Open: from a sealed payload to a verified, parsed report. Its result is never stored; it can be made again."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import IO, BinaryIO, cast

from fiksmelding.envelope import DecryptionKey, OpenedEnvelope, SignerInfo, Trust, open_envelope
from fiksmelding.errors import ContainerInvalid, InvalidMessage, Problem
from fiksmelding.journal import Arrival, Entry, Journal
from fiksmelding.messages import REPORT_TYPES, Bekymringsmelding, Feilmelding, MessageType, parse_json, render_pdf

JSON_NAME = "bekymringsmelding.json"
PDF_NAME = "bekymringsmelding.pdf"
SPOOL_BYTES = 8 * 1024 * 1024
"""Sealed payloads up to this size are opened in memory, larger ones from a temporary file (still sealed)."""
LARGEST_JSON_BYTES = 32 * 1024 * 1024
"""A report's JSON has to be held in memory to be parsed; the platform itself takes 5 MB for a whole report."""


class Opened:
    """A report that was decrypted and verified, readable while its envelope is open.

    Attributes:
        message: The report, or None when no schema accepts its JSON.
        problems: Why not, by the schema of the type that the sender gave.
        json: `bekymringsmelding.json` as it came, or None.
        signer: Who signed the envelope.
    """

    def __init__(self, envelope: OpenedEnvelope, melding_type: str) -> None:
        self._envelope = envelope
        self.signer: SignerInfo = envelope.signer
        self.json: bytes | None = _json_of(envelope)
        self.message, self.problems = _parse(self.json, melding_type)
        if self.message is None and PDF_NAME not in envelope.files:
            raise ContainerInvalid(f"The envelope holds neither a valid {JSON_NAME} nor a {PDF_NAME}.")

    def pdf(self, report_id: str) -> bytes | None:
        """The sender's PDF, or one made from the message; None when there is neither. Blocks."""
        if PDF_NAME in self._envelope.files:
            return self._envelope.files[PDF_NAME].read()
        return None if self.message is None else render_pdf(self.message, report_id=report_id)

    def same_report_as(self, other: "Opened") -> bool:
        """Whether both hold the same report: the same JSON, or, where there is none, the same PDF. Blocks."""
        if self.json is not None or other.json is not None:
            return self.json == other.json
        return self.pdf("") == other.pdf("")


class Opener:
    """Opens kept messages with the account's keys.

    Args:
        journal: Where the sealed payloads are.
        keys: Private keys, newest first.
        trust: Whose signature counts.
    """

    def __init__(self, journal: Journal, keys: Sequence[DecryptionKey], trust: Trust) -> None:
        self._journal = journal
        self._keys = keys
        self._trust = trust

    @asynccontextmanager
    async def open(self, entry: Entry) -> AsyncIterator[Opened]:
        """Open an entry's payload for the length of the block.

        Raises:
            EnvelopeError: It cannot be opened, believed or understood.
            JournalUnavailable: It cannot be read now.
        """
        with ExitStack() as stack:
            sealed = cast("IO[bytes]", stack.enter_context(tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES)))
            async for piece in self._journal.payload(entry):
                if entry.size <= SPOOL_BYTES:
                    sealed.write(piece)  # to memory: another thread would cost more than the copy
                else:
                    await asyncio.to_thread(sealed.write, piece)
            yield await asyncio.to_thread(self._open, sealed, stack, entry.arrival)

    def _open(self, sealed: IO[bytes], stack: ExitStack, arrival: Arrival) -> Opened:
        sealed.seek(0)
        envelope = open_envelope(
            cast("BinaryIO", sealed), keys=self._keys, trust=self._trust, received_at=arrival.received_at
        )
        return Opened(stack.enter_context(envelope), arrival.melding_type or "")


def _json_of(envelope: OpenedEnvelope) -> bytes | None:
    if JSON_NAME not in envelope.files:
        return None
    file = envelope.files[JSON_NAME]
    if file.size > LARGEST_JSON_BYTES:
        raise ContainerInvalid(f"{JSON_NAME} has {file.size} bytes; the limit is {LARGEST_JSON_BYTES}.")
    return file.read()


def _parse(data: bytes | None, melding_type: str) -> tuple[Bekymringsmelding | None, tuple[Problem, ...]]:
    if data is None:
        return None, (Problem("", f"there is no {JSON_NAME}"),)
    problems: tuple[Problem, ...] = ()
    # A sender may name the wrong kind or version: a report about a child is read by whatever schema accepts it.
    for candidate in [MessageType(melding_type), *sorted(REPORT_TYPES - {melding_type}, reverse=True)]:
        try:
            message = parse_json(data, candidate)
        except InvalidMessage as invalid:
            problems = problems or invalid.problems
        else:
            if not isinstance(message, Feilmelding):
                return message, ()
    return None, problems
