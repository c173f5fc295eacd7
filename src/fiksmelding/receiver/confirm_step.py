"""REGISTERED → CONFIRMED: the case system is asked whether it really has the report, before anyone is told so.

Between 2020 and 2023 a case system answered success for reports that it had not stored. This step would have shown it.
"""

from dataclasses import dataclass

from fiksmelding.alarms import AlarmKind
from fiksmelding.journal import Answer, Change, Entry, EventKind, State
from fiksmelding.receiver.calling import call_confirm
from fiksmelding.receiver.journey import Journey, report_of
from fiksmelding.receiver.recording import Recorder, new_receipt
from fiksmelding.receiver.report import Confirm
from fiksmelding.receiver.steps import Step
from fiksmelding.receiver.turns import NoTurn, Turns


@dataclass(frozen=True, slots=True)
class ConfirmStep:
    """Reads back.

    Attributes:
        recorder: Where the outcome is written.
        confirm: The case system's read-back, or None where there is none.
        timeout: Time limit of one call, in seconds.
        turns: Whether the case system may be called now.
    """

    recorder: Recorder
    confirm: Confirm | None
    timeout: float
    turns: Turns

    async def __call__(self, entry: Entry, journey: Journey) -> Entry:
        """Take the step.

        Raises:
            NoTurn: The case system has enough to do.
        """
        if self.confirm is None:  # there was one when the report was registered
            return await self._confirmed(entry, read_back=False)
        try:
            opened = await journey.open(entry)
            report = report_of(entry, opened, repeat=True)
            with journey.call(self.turns, entry):
                found = await call_confirm(self.confirm, entry.reference or "", report, self.timeout)
        except NoTurn:
            raise
        except Exception as error:  # noqa: BLE001 - the case system's side may fail in any way
            return await self.recorder.retry(entry, EventKind.CONFIRM_FAILED, error)
        if found:
            return await self._confirmed(entry, read_back=True)
        self.recorder.alarms.sound(
            AlarmKind.NOT_FOUND_AGAIN,
            f"{entry.id}: the case system does not have the report that it said it had registered; it is handed over "
            "again. Look at the case system: others may be missing there.",
            entry_id=entry.id,
        )
        again = Change(event=EventKind.NOT_FOUND_AGAIN, state=State.OPENED, due_at=None, attempts=entry.attempts + 1)
        return await self.recorder.retry(entry, EventKind.NOT_FOUND_AGAIN, None, again)

    async def _confirmed(self, entry: Entry, *, read_back: bool) -> Entry:
        change = Change(
            event=EventKind.CONFIRMED,
            detail={"read_back": int(read_back)},
            state=State.CONFIRMED,
            due_at=self.recorder.at_once(entry),
            failures=0,
            receipt=new_receipt(Answer.MOTTATT),
        )
        return await self.recorder.step(entry, change, Step.CONFIRMED)
