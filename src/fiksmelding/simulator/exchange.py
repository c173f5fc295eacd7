"""Fiks IO: from one account to another's queue, and word to the sender when a message dies (contract sections 5, 6)."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated
from uuid import UUID, uuid4

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from fiksmelding.messages import MessageType
from fiksmelding.simulator.accounts import Account, Integration, Register
from fiksmelding.simulator.answers import SentAnswer
from fiksmelding.simulator.broker import Broker
from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.documents import Body, Documents
from fiksmelding.simulator.faults import Faults
from fiksmelding.simulator.queues import MAX_HEADER_NAME_BYTES, DeathReason, QueuedMessage
from fiksmelding.simulator.refusals import Refusal
from fiksmelding.simulator.state import NOWHERE, State

__all__ = ["CUSTOM_HEADER", "Exchange", "SendMetadata", "TakenMessage"]

log = logging.getLogger(__name__)

CUSTOM_HEADER = "egendefinert-header."
KIND = "taken"
DEFAULT_TTL_MS = 7 * 24 * 3600 * 1000
LONGEST_TTL_MS = 2**32 - 1  # RabbitMQ, which the platform runs on, takes no longer one.
LARGEST_HEADERS_BYTES = 65_536
DOCUMENT_OUTLIVES = timedelta(hours=24)
PLATFORM_RECEIPTS = "no.ks.fiks.kvittering."
RECEIPT_OF = {
    DeathReason.DELIVERY_LIMIT: MessageType.SERVERFEIL,
    DeathReason.EXPIRED: MessageType.TIDSAVBRUDD,
}


def _fits_amqp(headers: dict[str, str]) -> dict[str, str]:
    if any(not name or len((CUSTOM_HEADER + name).encode()) > MAX_HEADER_NAME_BYTES for name in headers):
        raise ValueError("navnet på en header er tomt eller for langt")
    if sum(len(name.encode()) + len(value.encode()) for name, value in headers.items()) > LARGEST_HEADERS_BYTES:
        raise ValueError("headerne er for store")
    return headers


class SendMetadata(BaseModel):
    """The part `metadata` of a sending (contract section 5)."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    avsender_konto_id: UUID
    mottaker_konto_id: UUID
    melding_type: str = Field(min_length=1, max_length=255)
    svar_pa_melding: UUID | None = None
    ttl: int | None = Field(default=None, ge=1000, le=LONGEST_TTL_MS)
    headere: Annotated[dict[str, str], AfterValidator(_fits_amqp)] | None = None

    @classmethod
    def parse(cls, data: bytes) -> "SendMetadata":
        """Read the JSON.

        Raises:
            Refusal: 400, naming the members that are wrong.
        """
        try:
            return cls.model_validate_json(data)
        except ValidationError as error:
            mistakes = error.errors(include_url=False, include_input=False, include_context=False)
            named = sorted({f"{'.'.join(map(str, one['loc'][:1])) or 'metadata'}: {one['msg']}" for one in mistakes})
            raise Refusal.bad_request(f"Ugyldig metadata: {'; '.join(named)}") from None


@dataclass(frozen=True, slots=True)
class TakenMessage:
    """A message that Fiks IO took over HTTP, whatever became of it afterwards, and of the answer to the call.

    Attributes:
        melding_id: The platform's id of it.
        melding_type: Its type.
        avsender_konto_id: The account it was sent as.
        mottaker_konto_id: The account it is for.
        svar_pa_melding: The `melding-id` it answers, or None.
        klient_melding_id: The sender's id of it, the same on every resend; None when not given.
        taken_at: When; aware, in UTC, by the simulator's clock.
    """

    melding_id: UUID
    melding_type: str
    avsender_konto_id: UUID
    mottaker_konto_id: UUID
    svar_pa_melding: UUID | None
    klient_melding_id: str | None
    taken_at: datetime


TAKEN = TypeAdapter(TakenMessage)


class Exchange:
    """Takes messages and puts them on queues.

    Args:
        register: The accounts.
        broker: Who has the queues.
        documents: Where large bodies go.
        clock: The simulator's time.
        faults: What goes wrong on the way.
        state: Where it is kept what was taken.
    """

    def __init__(
        self,
        register: Register,
        broker: Broker,
        documents: Documents,
        clock: SimulatorClock,
        faults: Faults,
        *,
        state: State = NOWHERE,
    ) -> None:
        self._register = register
        self._broker = broker
        self._documents = documents
        self._clock = clock
        self._faults = faults
        self._state = state
        self._taken = [TAKEN.validate_json(item.data) for item in state.all(KIND)]

    @property
    def taken(self) -> tuple[TakenMessage, ...]:
        """Every message that integrations have sent, oldest first."""
        return tuple(self._taken)

    def send(self, integration: Integration, metadata: SendMetadata, body: Body | None) -> SentAnswer:
        """Send as one of an integration's accounts.

        Raises:
            Refusal: 403 without the right on the sending account; 400 when sender or recipient cannot be used.
        """
        if metadata.avsender_konto_id not in integration.accounts:
            raise Refusal.right(integration.id, f"konto {metadata.avsender_konto_id}")
        sender = self._register.accounts.get(metadata.avsender_konto_id)
        if sender is None or not sender.valid_sender:
            raise Refusal.bad_request(f"Konto {metadata.avsender_konto_id} er ikke en gyldig avsender")
        taken_at = self._clock.now()
        with self._state.together():
            answer = self.send_as(sender, metadata, body)
            taken = TakenMessage(
                melding_id=answer.melding_id,
                melding_type=metadata.melding_type,
                avsender_konto_id=sender.id,
                mottaker_konto_id=metadata.mottaker_konto_id,
                svar_pa_melding=metadata.svar_pa_melding,
                klient_melding_id=(metadata.headere or {}).get("klientMeldingId"),
                taken_at=taken_at,
            )
            self._taken.append(taken)
            self._state.put(KIND, str(taken.melding_id), TAKEN.dump_json(taken).decode())
        return answer

    def send_as(
        self, sender: Account, metadata: SendMetadata, body: Body | None, *, extra: dict[str, str] | None = None
    ) -> SentAnswer:
        """Send without asking for rights, with AMQP headers that only the platform's own services can set.

        Raises:
            Refusal: 400 when the recipient cannot be used.
        """
        recipient = self._register.accounts.get(metadata.mottaker_konto_id)
        if recipient is None or not recipient.valid_recipient:
            raise Refusal.bad_request(f"Konto {metadata.mottaker_konto_id} er ikke en gyldig mottaker")
        melding_id = uuid4()
        ttl = metadata.ttl or DEFAULT_TTL_MS
        document_id = None
        if body is not None and body.path is not None:
            expires_at = self._clock.now() + timedelta(milliseconds=ttl) + DOCUMENT_OUTLIVES
            document_id = self._documents.keep(body, recipient=recipient.id, expires_at=expires_at)
        headers = {
            "melding-id": str(melding_id),
            "type": metadata.melding_type,
            "avsender-id": str(sender.id),
            "avsender-navn": sender.name,
            **({"svar-til": str(metadata.svar_pa_melding)} if metadata.svar_pa_melding else {}),
            **({"dokumentlager-id": str(document_id)} if document_id else {}),
            **(extra or {}),
            **{CUSTOM_HEADER + name: value for name, value in (metadata.headere or {}).items()},
        }
        self.deliver(recipient, QueuedMessage(headers, body.data if body else b"", ttl))
        return SentAnswer(
            melding_id=melding_id,
            melding_type=metadata.melding_type,
            avsender_konto_id=sender.id,
            mottaker_konto_id=recipient.id,
            ttl=ttl,
            dokumentlager_id=document_id,
            svar_pa_melding=metadata.svar_pa_melding,
            headere=metadata.headere or {},
        )

    def deliver(self, recipient: Account, message: QueuedMessage) -> None:
        """Put a message, whatever it holds, on its recipient's queue."""
        log.info("message %s is on its way to account %s", message.headers.get("melding-id"), recipient.id)
        self._broker.declare(recipient.queue)
        self._faults.deliver(recipient.id, message, partial(self._broker.publish, recipient.queue))

    def on_dead(self, message: QueuedMessage, reason: DeathReason, queue: str) -> None:
        """Tell the sender that a message was given up: headers only, and never about such a word itself."""
        melding_id, kind = message.headers.get("melding-id", ""), message.headers.get("type", "")
        log.info("message %s died on %s: %s", melding_id, queue, reason.value)
        sender = self._account(message.headers.get("avsender-id", ""))
        died_at = next((one for one in self._register.accounts.values() if one.queue == queue), None)
        if sender is None or died_at is None or kind.startswith(PLATFORM_RECEIPTS):
            return
        headers = {
            "melding-id": str(uuid4()),
            "type": RECEIPT_OF[reason].value,
            "avsender-id": str(died_at.id),
            "avsender-navn": died_at.name,
            "svar-til": melding_id,
            "svar-til-type": kind,
        }
        self.deliver(sender, QueuedMessage(headers, b"", DEFAULT_TTL_MS))

    def _account(self, account_id: str) -> Account | None:
        try:
            return self._register.accounts.get(UUID(account_id))
        except ValueError:
            return None
