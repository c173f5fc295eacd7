"""Receipts: what `mottatt` and `feilet` look like on the wire (contract sections 5 and 9)."""

import asyncio
import io
from collections.abc import Mapping
from datetime import timedelta
from typing import Protocol
from uuid import UUID

from cryptography import x509

from fiksmelding.envelope import Signer, seal
from fiksmelding.fiks import SentMessage
from fiksmelding.journal import Answer, Arrival, Receipt
from fiksmelding.messages import Feilmelding, MessageType

FEILMELDING_NAME = "feilmelding.json"
TIME_TO_LIVE = timedelta(hours=24)
TYPES = {Answer.MOTTATT: MessageType.MOTTATT, Answer.FEILET: MessageType.FEILET}


class Sending(Protocol):
    """The part of Fiks IO that answers need."""

    async def send(
        self,
        *,
        melding_type: str,
        mottaker_konto_id: UUID,
        svar_paa_melding: UUID | None = None,
        ttl: timedelta | None = None,
        headers: Mapping[str, str] = ...,
        body: bytes | None = None,
    ) -> SentMessage:
        """Send a message; returns when the platform has taken it."""
        ...


class Keys(Protocol):
    """The part of the catalog that answers need."""

    async def public_key(self, konto_id: UUID) -> x509.Certificate:
        """The certificate that messages to an account are sealed for."""
        ...


class Answering:
    """Makes and sends receipts.

    Args:
        fiks_io: Sends them.
        catalog: Knows the sender's public key.
        signer: Signs what has a body.
    """

    def __init__(self, fiks_io: Sending, catalog: Keys, signer: Signer) -> None:
        self._fiks_io = fiks_io
        self._catalog = catalog
        self._signer = signer

    async def send(self, arrival: Arrival, receipt: Receipt) -> str:
        """Send `receipt` to the one who sent `arrival`.

        Returns:
            The platform's id of it: it has been taken.

        Raises:
            PlatformError: It was not taken, as far as we know. Sending it again is safe: its `klientMeldingId` stays.
            EnvelopeError: The sender's key cannot be sealed for.
        """
        sender = UUID(arrival.avsender_id)
        sent = await self._fiks_io.send(
            melding_type=TYPES[receipt.answer],
            mottaker_konto_id=sender,
            svar_paa_melding=UUID(arrival.melding_id),
            ttl=TIME_TO_LIVE,
            headers=_headers(arrival, receipt),
            body=await self._feilmelding(sender, receipt) if receipt.answer is Answer.FEILET else None,
        )
        return str(sent.melding_id)

    async def _feilmelding(self, sender: UUID, receipt: Receipt) -> bytes:
        certificate = await self._catalog.public_key(sender)
        content = Feilmelding(melding=receipt.reason).to_json()
        return await asyncio.to_thread(self._sealed, content, certificate)

    def _sealed(self, content: bytes, certificate: x509.Certificate) -> bytes:
        out = io.BytesIO()
        seal({FEILMELDING_NAME: content}, signer=self._signer, recipient=certificate, out=out)
        return out.getvalue()


def _headers(arrival: Arrival, receipt: Receipt) -> dict[str, str]:
    headers = {"klientMeldingId": receipt.klient_melding_id}
    if arrival.klient_korrelasjons_id is not None:
        headers["klientKorrelasjonsId"] = arrival.klient_korrelasjons_id
        # The spelling that the Java client still reads.
        headers["klientKorrelasjonId"] = arrival.klient_korrelasjons_id
    return headers
