"""Keep, then acknowledge: a delivery becomes an entry in the journal, and only then does the broker hear of it."""

import logging
from collections.abc import Callable

from fiksmelding.alarms import AlarmKind, Alarms
from fiksmelding.broker import Delivery
from fiksmelding.clock import Clock
from fiksmelding.errors import BrokerUnavailable, JournalUnavailable, PlatformError
from fiksmelding.journal import Arrival, Journal, Kept, deadline
from fiksmelding.monitoring import UNMEASURED, Telemetry
from fiksmelding.receiver.documents import DocumentKeeper, DocumentStore
from fiksmelding.receiver.identity import short
from fiksmelding.receiver.outage import Outage
from fiksmelding.receiver.steps import Observer, Step
from fiksmelding.worker import Backoff

log = logging.getLogger("fiksmelding.receiver")

FAILURES_TO_TELL = 5
"""So many attempts to keep one delivery fail before a person hears of it."""
DOCUMENT_SHARE = 0.5
"""How much of the time until the deadline goes by before a document is given up; the rest is for a person."""


class Keeper:
    """Puts deliveries into the journal.

    Args:
        journal: Where they are kept.
        documents: Where bodies are that did not come with the delivery.
        konto_id: Our account.
        deadline_hours: From keeping to the final decision, in hours.
        backoff: How long a failure makes a delivery wait, unacknowledged.
        clock: Where the time is read.
        observe: Told of each step.
        alarms: Told of what a person has to look at.
        outage: Where to wait while the journal cannot write.
        telemetry: What measures.
        kept: Called after each delivery: there is work to do.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        documents: DocumentStore,
        konto_id: str,
        deadline_hours: float,
        backoff: Backoff,
        clock: Clock,
        observe: Observer,
        alarms: Alarms,
        outage: Outage,
        telemetry: Telemetry = UNMEASURED,
        kept: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._documents = DocumentKeeper(journal=journal, documents=documents, clock=clock, alarms=alarms)
        self._konto_id = konto_id
        self._deadline_hours = deadline_hours
        self._backoff = backoff
        self._clock = clock
        self._observe = observe
        self._alarms = alarms
        self._outage = outage
        self._telemetry = telemetry
        self._kept = kept
        self._latest: dict[tuple[str | None, str | None], Arrival] = {}

    async def keep(self, delivery: Delivery) -> None:
        """Keep a delivery and acknowledge it.

        While the journal cannot write, or a document cannot be fetched, it waits and tries again; the delivery stays
        unacknowledged meanwhile, so the broker still has it whatever happens to us. A document that has not come when
        half of the time until the deadline is over is given up.
        """
        arrival = self._arrival(delivery)
        start = self._clock.now()
        kept = await self._until_kept(arrival, delivery)
        self._telemetry.kept(
            kept.entry_id, arrival.melding_id, repeated=kept.repeated, start=start, end=self._clock.now()
        )
        if not kept.repeated:
            self._observe(Step.KEPT, kept.entry_id)
        try:
            await delivery.ack()
        except BrokerUnavailable:
            # It will be delivered again, and found to be kept.
            log.info("%s: the acknowledgement did not get through", kept.entry_id, extra={"event": "ack_lost"})
        else:
            self._observe(Step.ACKNOWLEDGED, kept.entry_id)
        self._kept()

    async def _until_kept(self, arrival: Arrival, delivery: Delivery) -> Kept:
        message = _message(arrival)
        self._latest[message] = arrival
        try:
            return await self._store_patiently(arrival, delivery)
        finally:
            if self._latest.get(message) is arrival:
                del self._latest[message]

    async def _store_patiently(self, arrival: Arrival, delivery: Delivery) -> Kept:
        failures = 0
        give_up_at = self._clock.monotonic() + self._deadline_hours * DOCUMENT_SHARE * 3600
        while True:
            try:
                return await self._store(arrival, delivery, give_up_at)
            except (JournalUnavailable, PlatformError) as error:
                failures += 1
                log.warning(
                    "melding-id %s is not kept and not acknowledged: %s It is tried again",
                    arrival.melding_id,
                    error,
                    extra={"event": "not_kept"},
                )
                self._stop_if_delivered_again(arrival, delivery)
                if failures == FAILURES_TO_TELL:
                    self._alarms.sound(
                        AlarmKind.NOT_KEPT,
                        f"melding-id {arrival.melding_id} cannot be kept: {error} It stays with the broker, "
                        "and is tried again until the platform gives it up.",
                    )
                if isinstance(error, JournalUnavailable):
                    await self._outage.wait(error, size=len(delivery.body))
                await self._clock.sleep(self._backoff.after(failures).total_seconds())

    def _stop_if_delivered_again(self, arrival: Arrival, delivery: Delivery) -> None:
        """Each that tries again takes the place of another delivery: one is enough for one message.

        Of a message by document the latest delivery goes on, even when it can no longer be acknowledged either: after
        three the broker gives the message up, and then it is here or nowhere.
        """
        if (
            arrival.dokumentlager_id is not None
            and not delivery.alive()
            and self._latest.get(_message(arrival)) is not arrival
        ):
            raise BrokerUnavailable(
                "This delivery is not waited for any more: the message came again.", message_id=arrival.melding_id
            )

    async def _store(self, arrival: Arrival, delivery: Delivery, give_up_at: float) -> Kept:
        if arrival.dokumentlager_id is None:
            return await self._journal.keep(arrival, delivery.body)
        return await self._documents.keep(arrival, give_up_at=give_up_at)

    def _arrival(self, delivery: Delivery) -> Arrival:
        metadata = delivery.metadata
        return Arrival(
            konto_id=self._konto_id,
            melding_id=None if "melding-id" in metadata.missing else metadata.melding_id,
            melding_type=metadata.melding_type,
            avsender_id=None if "avsender-id" in metadata.missing else metadata.avsender_id,
            klient_melding_id=short(metadata.klient_melding_id),
            klient_korrelasjons_id=metadata.klient_korrelasjons_id,
            bekymringsmelding_id=short(metadata.bekymringsmelding_id),
            dokumentlager_id=metadata.dokumentlager_id,
            headers=metadata.headers,
            missing=metadata.missing,
            received_at=delivery.received_at,
            deadline_at=deadline(delivery.received_at, self._deadline_hours),
        )


def _message(arrival: Arrival) -> tuple[str | None, str | None]:
    return arrival.melding_id, arrival.dokumentlager_id
