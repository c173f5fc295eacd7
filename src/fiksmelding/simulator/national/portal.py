"""Where a report begins: its PDF made, and both copies sealed, as a sender's system does (contract section 10)."""

import asyncio
import io
from dataclasses import dataclass, field

from cryptography import x509

from fiksmelding.envelope import Signer, encrypt, seal
from fiksmelding.errors import InvalidMessage, Problem
from fiksmelding.messages import REPORT_TYPES, Feilmelding, MessageType, parse_json, render_pdf
from fiksmelding.simulator.pki import Credential

__all__ = ["Portal", "SealedReport"]


@dataclass(frozen=True, slots=True)
class SealedReport:
    """A report ready to be submitted.

    Attributes:
        asice: The ASiC-E container with JSON and PDF, sealed for the account.
        print_copy: The PDF, sealed for the print provider; None when there is none.
    """

    asice: bytes = field(repr=False)
    print_copy: bytes | None = field(repr=False)


class Portal:
    """Seals reports.

    Args:
        signer: Who signs.
        print_certificate: What the print copy is sealed for.
    """

    def __init__(self, signer: Credential, print_certificate: x509.Certificate) -> None:
        self._signer = Signer(signer.key, signer.certificate, signer.chain)
        self._print_certificate = print_certificate

    async def seal_report(
        self, data: bytes, message_type: str, *, recipient: x509.Certificate, report_id: str
    ) -> SealedReport:
        """Check a report's JSON, make its PDF and seal it twice. The JSON is sent as it was given.

        Raises:
            InvalidMessage: It is not a report of its type.
        """
        if message_type not in REPORT_TYPES:
            raise InvalidMessage((Problem("", "the message type is not that of a report"),))
        return await asyncio.to_thread(self._seal_report, data, MessageType(message_type), recipient, report_id)

    async def seal_files(self, files: dict[str, bytes], *, recipient: x509.Certificate) -> bytes:
        """Seal any files, for tests of what a receiver does with odd ones."""
        return await asyncio.to_thread(self._seal, files, recipient)

    def _seal_report(
        self, data: bytes, message_type: MessageType, recipient: x509.Certificate, report_id: str
    ) -> SealedReport:
        message = parse_json(data, message_type)
        if isinstance(message, Feilmelding):
            raise InvalidMessage((Problem("", "a feilmelding is no report"),))
        pdf = render_pdf(message, report_id=report_id)
        asice = self._seal({"bekymringsmelding.json": data, "bekymringsmelding.pdf": pdf}, recipient)
        print_copy = io.BytesIO()
        encrypt(io.BytesIO(pdf), recipient=self._print_certificate, out=print_copy)
        return SealedReport(asice, print_copy.getvalue())

    def _seal(self, files: dict[str, bytes], recipient: x509.Certificate) -> bytes:
        sealed = io.BytesIO()
        seal(files, signer=self._signer, recipient=recipient, out=sealed)
        return sealed.getvalue()
