"""A canary: a sealed message from the account to itself, through the whole road up to the case system.

An empty queue and a dead subscription look alike otherwise. It is sealed for the key that the catalog publishes, handed
to the platform, delivered by the broker, opened with our keys, and noted in the journal; then acknowledged. It never
becomes an entry, so that neither the case system nor any count of reports can ever meet it (decision 0012).
"""

import asyncio
import io
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from fiksmelding.alarms import AlarmKind, Alarms
from fiksmelding.broker import Delivery, Metadata
from fiksmelding.clock import Clock
from fiksmelding.envelope import DecryptionKey, Signer, Trust, open_envelope, seal
from fiksmelding.errors import BrokerUnavailable, ContainerInvalid, EnvelopeError
from fiksmelding.fiks import Catalog, Outbound
from fiksmelding.journal import Canary, Journal
from fiksmelding.monitoring import Telemetry
from fiksmelding.receiver.identity import as_uuid
from fiksmelding.receiver.notice_step import NOTICES

log = logging.getLogger("fiksmelding.receiver")

CANARY_TYPE: Final = "no.fiksmelding.canary.v1"
FILE_NAME: Final = "canary.txt"


@dataclass(frozen=True, slots=True)
class CanarySending:
    """Sends canaries.

    Attributes:
        konto_id: Our account.
        journal: Where each is noted before it goes.
        outbound: Hands it to the platform.
        catalog: Knows the key that others seal for when they write to us.
        signer: Signs it.
        clock: Where the time is read.
        telemetry: What measures.
        sender: Names this process.
    """

    konto_id: UUID
    journal: Journal
    outbound: Outbound
    catalog: Catalog
    signer: Signer
    clock: Clock
    telemetry: Telemetry
    sender: str = field(default_factory=lambda: str(uuid4()))

    async def send(self, *, lives: timedelta) -> Canary:
        """Send one.

        Args:
            lives: How long it may wait in the queue.

        Returns:
            It; when this returns, the platform has it.

        Raises:
            JournalUnavailable: It could not be noted, and was not sent.
            PlatformError: The platform did not take it.
            EnvelopeError: It cannot be sealed for the published key.
        """
        certificate = await self.catalog.public_key(self.konto_id)
        self.telemetry.certificate("published", certificate.not_valid_after_utc)
        canary = Canary(str(uuid4()), str(self.konto_id), self.sender, self.clock.now(), None, None)
        await self.journal.canaries.sent(canary)
        out = io.BytesIO()
        content = {FILE_NAME: canary.id.encode()}
        await asyncio.to_thread(seal, content, signer=self.signer, recipient=certificate, out=out)
        await self.outbound.send(
            melding_type=CANARY_TYPE,
            mottaker_konto_id=self.konto_id,
            ttl=lives,
            headers={"klientMeldingId": canary.id},
            body=out.getvalue(),
            repeatable=True,
        )
        self.telemetry.canary("sent")
        return canary


@dataclass(frozen=True, slots=True)
class CanaryPerch:
    """Takes canaries that came back, before anything else sees them.

    Attributes:
        konto_id: Our account.
        journal: Where it is noted that they did.
        keys: Our private keys.
        trust: Whose signature counts.
        alarms: Told of one that cannot be opened.
        clock: Where the time is read.
        telemetry: What measures.
        came: Called after each.
    """

    konto_id: str
    journal: Journal
    keys: Sequence[DecryptionKey]
    trust: Trust
    alarms: Alarms
    clock: Clock
    telemetry: Telemetry
    came: Callable[[], None]

    def expects(self, metadata: Metadata) -> bool:
        """Whether a delivery is a canary of our own account, or the platform's notice that one was not delivered.

        The platform vouches for the sender: from any other account, the same type is an unknown message.
        """
        if metadata.melding_type in NOTICES:
            return metadata.svar_til_type == CANARY_TYPE
        return metadata.melding_type == CANARY_TYPE and as_uuid(metadata.avsender_id) == self.konto_id

    async def take(self, delivery: Delivery) -> None:
        """Open a canary, note that it came, and acknowledge it.

        Raises:
            JournalUnavailable: It is not noted, and so not acknowledged.
        """
        if delivery.metadata.melding_type == CANARY_TYPE:
            await self._note(delivery)
        try:
            await delivery.ack()
        except BrokerUnavailable:
            log.info("a canary could not be acknowledged; it comes again", extra={"event": "ack_lost"})
        self.came()

    async def _note(self, delivery: Delivery) -> None:
        canary_id = as_uuid(delivery.metadata.klient_melding_id) or ""
        fault = await asyncio.to_thread(self._fault, delivery, canary_id)
        now = self.clock.now()
        canary = await self.journal.canaries.arrived(canary_id, self.konto_id, at=now, fault=fault)
        if fault is not None:
            self._sound(fault)
            return
        self.alarms.over_if_sounding(AlarmKind.CANARY_UNREADABLE, "A canary could be opened again.")
        if canary is not None and canary.arrived_at == now:
            self.telemetry.canary("arrived", seconds=(now - canary.sent_at).total_seconds(), at=now)
            log.info("canary %s came back", canary_id, extra={"event": "canary"})

    def _fault(self, delivery: Delivery, canary_id: str) -> str | None:
        """Why it cannot be opened; None when it can."""
        body = io.BytesIO(delivery.body)
        try:
            with open_envelope(body, keys=self.keys, trust=self.trust, received_at=delivery.received_at) as envelope:
                if FILE_NAME not in envelope.files or envelope.files[FILE_NAME].read() != canary_id.encode():
                    raise ContainerInvalid("It does not hold what was sent.")
        except EnvelopeError as error:
            return f"{error.__class__.__name__}: {error.text}"
        return None

    def _sound(self, fault: str) -> None:
        self.telemetry.canary("unreadable")
        self.alarms.sound(
            AlarmKind.CANARY_UNREADABLE,
            f"A message that was sealed for the account's published key came, and cannot be opened. {fault} "
            "Reports are sealed for that key too: see that its private key is among account.private_keys.",
        )
