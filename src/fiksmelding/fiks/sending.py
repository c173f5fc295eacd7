"""Sending over Fiks IO (contract section 5)."""

import asyncio
import io
import json
import logging
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import aiohttp
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from fiksmelding.errors import RequestRefused
from fiksmelding.fiks.session import FiksSession

log = logging.getLogger(__name__)

PATH = "/fiks-io/api/v1/send"
SHORTEST_TTL = timedelta(seconds=1)


class SentMessage(BaseModel):
    """What the platform made of a message it took.

    Attributes:
        melding_id: The id Fiks gave this sending; a resend gets another.
        dokumentlager_id: Where a large body went, or None.
    """

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, hide_input_in_errors=True)

    melding_id: UUID
    dokumentlager_id: UUID | None = None


class Outbound:
    """Sends messages from our account.

    Args:
        session: An open session; not closed here.
    """

    def __init__(self, session: FiksSession) -> None:
        self._session = session

    async def send(
        self,
        *,
        melding_type: str,
        mottaker_konto_id: UUID,
        svar_paa_melding: UUID | None = None,
        ttl: timedelta | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | Path | None = None,
        repeatable: bool = False,
    ) -> SentMessage:
        """Hand one message to the platform. When this returns, the platform has it; whether it arrives is not known.

        Args:
            melding_type: The message type.
            mottaker_konto_id: The recipient's account.
            svar_paa_melding: The `melding-id` this one answers.
            ttl: How long it may wait in the queue, at least one second; the platform's default when None.
            headers: Custom headers. Give `klientMeldingId` the same value on every resend of one message.
            body: The sealed body, or a file that holds it; None for a message without one.
            repeatable: Whether the recipient recognises a second copy (by `klientMeldingId`), so that the call may
                be made again when its answer was lost.

        Raises:
            RequestRefused: An argument the contract does not allow, or the platform's 4xx.
            PlatformUnavailable: No usable answer. The message may have been taken nevertheless.
            PlatformError: As for any call.
        """
        size = (await asyncio.to_thread(body.stat)).st_size if isinstance(body, Path) else len(body or b"")
        if body is not None and not size:
            raise RequestRefused("An empty body cannot be sent: leave the body out.")
        if ttl is not None and ttl < SHORTEST_TTL:
            raise RequestRefused("A message must live for at least one second.")
        metadata = {
            "avsenderKontoId": str(self._session.account_id),
            "mottakerKontoId": str(mottaker_konto_id),
            "meldingType": melding_type,
            "svarPaMelding": str(svar_paa_melding) if svar_paa_melding else None,
            "ttl": ttl // timedelta(milliseconds=1) if ttl is not None else None,
            "headere": dict(headers) if headers else None,
        }
        text = json.dumps({name: value for name, value in metadata.items() if value is not None})
        answer = await self._session.request(
            "POST", PATH, body=lambda: _form(text, body), repeatable=repeatable, streamed=isinstance(body, Path)
        )
        sent = answer.read_as(SentMessage)
        log.info("sent %s as message %s, %d bytes", melding_type, sent.melding_id, size)
        return sent


def _form(metadata: str, body: bytes | Path | None) -> aiohttp.FormData:
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("metadata", metadata, content_type="application/json")
    if body is not None:
        data = body.open("rb") if isinstance(body, Path) else io.BytesIO(body)
        form.add_field("data", data, filename="data", content_type="application/octet-stream")
    return form
