"""CONFIRMED, REGISTERED or REJECTED → RECEIPTED: the answer is sent until the platform has taken it."""

from dataclasses import dataclass, replace

from fiksmelding.alarms import AlarmKind
from fiksmelding.errors import FiksmeldingError, NotFound, RequestRefused
from fiksmelding.journal import Change, Entry, EventKind, Receipt, State
from fiksmelding.receiver.answering import Answering
from fiksmelding.receiver.recording import Recorder
from fiksmelding.receiver.steps import Step


@dataclass(frozen=True, slots=True)
class ReceiptStep:
    """Sends the answer.

    Attributes:
        recorder: Where the outcome is written.
        answering: Makes and sends it.
    """

    recorder: Recorder
    answering: Answering

    async def __call__(self, entry: Entry, receipt: Receipt) -> Entry:
        """Take the step."""
        try:
            melding_id = await self.answering.send(entry.arrival, receipt)
        except (NotFound, RequestRefused) as error:
            return await self._refused(entry, receipt, error)
        except FiksmeldingError as error:
            tried = replace(receipt, attempts=receipt.attempts + 1)
            again = Change(event=EventKind.RECEIPT_FAILED, due_at=None, receipt=tried)
            return await self.recorder.retry(entry, EventKind.RECEIPT_FAILED, error, again)
        self.recorder.observe(Step.RECEIPT_SENT, entry.id)
        now = self.recorder.clock.now()
        change = Change(
            event=EventKind.RECEIPTED,
            detail={"answer": receipt.answer.value, "klient_melding_id": receipt.klient_melding_id},
            state=State.RECEIPTED,
            due_at=None,
            failures=0,
            receipt=replace(receipt, attempts=receipt.attempts + 1, taken_at=now, melding_id=melding_id),
        )
        return await self.recorder.step(entry, change, Step.RECEIPTED)

    async def _refused(self, entry: Entry, receipt: Receipt, error: FiksmeldingError) -> Entry:
        """The platform will never take it as it stands: a person has to look."""
        self.recorder.alarms.sound(
            AlarmKind.RECEIPT_REFUSED,
            f"{entry.id}: the platform refuses the receipt {receipt.answer} for good: {error} "
            f"The report is {entry.state}; tell the sender another way.",
            entry_id=entry.id,
        )
        change = Change(
            event=EventKind.RECEIPT_REFUSED,
            detail={"error": error.__class__.__name__, "answer": receipt.answer.value},
            due_at=None,
            receipt=replace(receipt, attempts=receipt.attempts + 1),
        )
        return await self.recorder.record(entry, change)
