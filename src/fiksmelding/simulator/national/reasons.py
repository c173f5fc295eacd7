"""Why a case system refused: the text in `feilmelding.json` of a `feilet` (contract section 9)."""

import asyncio
import io
from uuid import UUID

from fiksmelding.envelope import open_envelope
from fiksmelding.errors import EnvelopeError, InvalidMessage
from fiksmelding.messages import Feilmelding, MessageType, parse_json
from fiksmelding.simulator.documents import Documents
from fiksmelding.simulator.pki import Credential
from fiksmelding.simulator.queues import QueuedMessage
from fiksmelding.simulator.refusals import Refusal

__all__ = ["ReasonReader"]

FILE = "feilmelding.json"
LARGEST_BYTES = 1_048_576
LARGEST_ENVELOPE = 64 * 1024 * 1024
NO_FILE = f"Konvolutten har ingen {FILE}"


class ReasonReader:
    """Opens the envelope of a `feilet`.

    Args:
        credential: The national service's key.
        documents: Where large bodies are.
    """

    def __init__(self, credential: Credential, documents: Documents) -> None:
        self._credential = credential
        self._documents = documents

    async def read(self, message: QueuedMessage) -> tuple[str | None, str]:
        """The text, and what hindered reading it (empty when nothing did). A `feilet` counts either way."""
        try:
            body = message.body or await self._fetch(message.headers.get("dokumentlager-id"))
            return await asyncio.to_thread(self._open, body), ""
        except Refusal as refusal:
            return None, refusal.message
        except (EnvelopeError, InvalidMessage) as error:
            return None, str(error)
        except OSError as error:
            return None, f"Innholdet kan ikke leses: {type(error).__name__}"

    async def _fetch(self, document_id: str | None) -> bytes:
        if document_id is None:
            raise Refusal.bad_request("Meldingen har ikke noe innhold")
        # The exchange itself has set the header, to a UUID.
        document = UUID(document_id)
        if self._documents.metadata(document).storrelse > LARGEST_ENVELOPE:
            raise Refusal.bad_request("Meldingen er for stor")
        return b"".join([chunk async for chunk in self._documents.read(document)])

    def _open(self, body: bytes) -> str | None:
        with open_envelope(io.BytesIO(body), keys=[self._credential.key]) as envelope:
            file = envelope.files.get(FILE)
            if file is None or file.size > LARGEST_BYTES:
                raise Refusal.bad_request(NO_FILE)
            data = file.read()
        parsed = parse_json(data, MessageType.FEILET)
        return parsed.melding if isinstance(parsed, Feilmelding) else None
