"""Once more to the case system: what was registered there and is missing. The sender gets no second answer."""

from dataclasses import dataclass, replace

from fiksmelding.alarms import AlarmKind
from fiksmelding.errors import EnvelopeError, Reject
from fiksmelding.journal import Change, Entry, EventKind, Journal
from fiksmelding.receiver.calling import call_confirm, call_handler
from fiksmelding.receiver.journey import Journey, report_of
from fiksmelding.receiver.recording import Recorder
from fiksmelding.receiver.report import Confirm, Handler, Registered
from fiksmelding.receiver.steps import Step
from fiksmelding.receiver.turns import NoTurn, Turns


@dataclass(frozen=True, slots=True)
class RecoverStep:
    """Hands a kept original to the handler again, as a repeat under its old key.

    The case system is not asked first whether it has it: one that was emptied gives old references to new reports, and
    would say yes.

    Attributes:
        recorder: Where the outcome is written.
        journal: Where the original of a repetition is found.
        handler: The case system's side.
        confirm: Its read-back, or None where there is none.
        timeout: Time limit of one call, in seconds.
        turns: Whether the case system may be called now.
    """

    recorder: Recorder
    journal: Journal
    handler: Handler
    confirm: Confirm | None
    timeout: float
    turns: Turns

    async def __call__(self, entry: Entry, journey: Journey) -> Entry:
        """Take the step.

        Raises:
            NoTurn: The case system has enough to do.
        """
        self.turns.check()  # before the envelope is opened in vain
        try:
            opened = await journey.open(entry)
        except EnvelopeError as error:
            return await self._refused(entry, f"{error.__class__.__name__}: {error.text}")
        report = report_of(await self._named(entry), opened, repeat=True)
        try:
            with journey.call(self.turns, entry):
                registered = await call_handler(self.handler, report, self.timeout)
            with journey.call(self.turns, entry):
                there = await call_confirm(self.confirm, registered.reference, report, self.timeout)
        except Reject:
            return await self._refused(entry, "the case system refuses it")
        except NoTurn:
            raise
        except Exception as error:  # noqa: BLE001 - the case system's side may fail in any way
            return await self.recorder.retry(entry, EventKind.RECOVERY_FAILED, error)
        if not there:
            self.recorder.alarms.sound(
                AlarmKind.NOT_FOUND_AGAIN,
                f"{entry.id}: the case system does not have the report that it said it had registered again; it is "
                "handed over once more. Look at the case system.",
                entry_id=entry.id,
            )
            return await self.recorder.retry(entry, EventKind.RECOVERY_FAILED, None)
        return await self._recovered(entry, registered)

    async def _named(self, entry: Entry) -> Entry:
        """The entry with the key under which its report was registered: a repetition has that of its original."""
        if entry.duplicate_of is None:
            return entry
        original = await self.journal.entry(entry.duplicate_of)
        return replace(entry, report_id=original.report_id or original.id)

    async def _recovered(self, entry: Entry, registered: Registered) -> Entry:
        change = Change(
            event=EventKind.RECOVERED,
            detail={"reference": registered.reference, "before": entry.reference or ""},
            due_at=self.recorder.clock.now() if _has_answer_to_send(entry) else None,
            failures=0,
            reference=registered.reference,
            recovery=True,
        )
        return await self.recorder.step(entry, change, Step.RECOVERED)

    async def _refused(self, entry: Entry, why: str) -> Entry:
        self.recorder.alarms.sound(
            AlarmKind.RECOVERY_REFUSED,
            f"{entry.id} cannot be handed over again: {why.rstrip('.')}. The sender was told {_answer(entry)}; "
            "the sealed original is kept.",
            entry_id=entry.id,
        )
        change = Change(
            event=EventKind.RECOVERY_REFUSED,
            detail={"reason": why},
            due_at=self.recorder.clock.now() if _has_answer_to_send(entry) else None,
            failures=0,
            recovery=False,
        )
        return await self.recorder.step(entry, change, Step.RECOVERY_REFUSED)


def _has_answer_to_send(entry: Entry) -> bool:
    return entry.receipt is not None and entry.receipt.taken_at is None


def _answer(entry: Entry) -> str:
    return "nothing yet" if entry.receipt is None else entry.receipt.answer.value
