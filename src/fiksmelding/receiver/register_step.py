"""OPENED → REGISTERED: the handler stores the report in the case system."""

from dataclasses import dataclass
from datetime import timedelta

from fiksmelding.errors import EnvelopeError, Reject
from fiksmelding.journal import Answer, Change, Entry, EventKind, Journal, State
from fiksmelding.receiver.calling import call_handler
from fiksmelding.receiver.journey import Journey, report_of
from fiksmelding.receiver.recording import Recorder, new_receipt
from fiksmelding.receiver.report import Handler, Registered
from fiksmelding.receiver.steps import Step
from fiksmelding.receiver.turns import NoTurn, Turns


@dataclass(frozen=True, slots=True)
class RegisterStep:
    """Calls the handler, or answers a repetition as its original was answered.

    Attributes:
        recorder: Where the outcome is written.
        journal: Where the original of a repetition is found.
        handler: The case system's side.
        timeout: Time limit of one call, in seconds.
        turns: Whether the case system may be called now.
        read_back: Whether the case system is asked afterwards; if so, the receipt waits for that.
        opened_within: How long after its registration somebody must have opened it; None when nobody is asked.
    """

    recorder: Recorder
    journal: Journal
    handler: Handler
    timeout: float
    turns: Turns
    read_back: bool
    opened_within: timedelta | None = None

    async def __call__(self, entry: Entry, journey: Journey) -> Entry:
        """Take the step.

        Raises:
            NoTurn: The case system has enough to do.
        """
        if entry.duplicate_of is not None:
            return await self._repeat(entry, await self.journal.entry(entry.duplicate_of))
        self.turns.check()  # before the envelope is opened in vain
        repeat = journey.began_sealed or entry.attempts > 1
        try:
            opened = await journey.open(entry)
        except EnvelopeError as error:  # it did open before: a key was taken away, or the journal was damaged
            return await self.recorder.quarantine(entry, f"{error.__class__.__name__}: {error.text}")
        try:
            with journey.call(self.turns, entry):
                report = report_of(entry, opened, repeat=repeat)
                registered = await call_handler(self.handler, report, self.timeout)
        except Reject as refusal:
            return await self.recorder.reject(entry, refusal.reason, cause="handler")
        except NoTurn:
            raise
        except Exception as error:  # noqa: BLE001 - a handler may fail in any way; the report must outlive it
            again = Change(event=EventKind.HANDLER_FAILED, due_at=None, attempts=entry.attempts + 1)
            return await self.recorder.retry(entry, EventKind.HANDLER_FAILED, error, again)
        self.recorder.observe(Step.HANDLED, entry.id)
        return await self._registered(entry, registered)

    async def _registered(self, entry: Entry, registered: Registered) -> Entry:
        within, now = self.opened_within, self.recorder.clock.now()
        change = Change(
            event=EventKind.REGISTERED,
            detail={"reference": registered.reference, "attempt": entry.attempts},
            state=State.REGISTERED,
            due_at=self.recorder.at_once(entry),
            failures=0,
            reference=registered.reference,
            receipt=None if self.read_back else new_receipt(Answer.MOTTATT),
            ask_at=None if within is None else now + within,
        )
        return await self.recorder.step(entry, change, Step.REGISTERED)

    async def _repeat(self, entry: Entry, original: Entry) -> Entry:
        """Answer as `original` was answered, once it is."""
        if original.receipt is None and self.recorder.is_late(entry):
            return await self.recorder.reject_late(entry)
        if original.receipt is None:
            due_at = self.recorder.clock.now() + self.recorder.backoff.after(1)
            return await self.journal.postpone(entry, min(due_at, entry.arrival.deadline_at))
        receipt = new_receipt(original.receipt.answer, original.receipt.reason)
        if receipt.answer is Answer.FEILET:
            return await self.recorder.reject(entry, receipt.reason or "", cause="repetition", receipt=receipt)
        change = Change(
            event=EventKind.DUPLICATE,
            detail={"original": original.id},
            state=State.REGISTERED,
            due_at=self.recorder.at_once(entry),
            failures=0,
            reference=original.reference,
            receipt=receipt,
        )
        return await self.recorder.step(entry, change, Step.REGISTERED)
