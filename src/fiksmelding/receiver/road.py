"""The road of a report once it is kept: open, register, confirm, receipt. Each step is durable before the next begins.

```
RECEIVED ──▶ OPENED ──▶ REGISTERED ──▶ CONFIRMED ──▶ RECEIPTED
   │            │                                        ▲
   │            ├──▶ REJECTED ───────────────────────────┤
   ├──▶ QUARANTINED (a person decides, or the deadline) ─┘
   └──▶ NOTED (a notice that a receipt did not arrive: from RECEIPTED it is sent again)
```
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from fiksmelding.errors import JournalUnavailable
from fiksmelding.journal import Entry, State
from fiksmelding.receiver.confirm_step import ConfirmStep
from fiksmelding.receiver.journey import Journey
from fiksmelding.receiver.notice_step import NOTICES, NoticeStep
from fiksmelding.receiver.open_step import OpenStep
from fiksmelding.receiver.opening import Opener
from fiksmelding.receiver.pace import Condition
from fiksmelding.receiver.receipt_step import ReceiptStep
from fiksmelding.receiver.recording import Recorder
from fiksmelding.receiver.recover_step import RecoverStep
from fiksmelding.receiver.register_step import RegisterStep
from fiksmelding.receiver.turns import NoTurn, Turns

STEP_NAMES: Final = {State.RECEIVED: "open", State.OPENED: "register", State.REGISTERED: "confirm"}


@dataclass(frozen=True, slots=True)
class Road:
    """Takes kept messages as far as they can go.

    Attributes:
        recorder: Where each step is written.
        opener: Opens sealed payloads.
        turns: Whether the case system may be called now.
        open: RECEIVED → OPENED.
        register: OPENED → REGISTERED.
        confirm: REGISTERED → CONFIRMED.
        receipt: → RECEIPTED.
        notice: RECEIVED → NOTED.
        recover: Once more to the case system, in whatever state.
    """

    recorder: Recorder
    opener: Opener
    turns: Turns
    open: OpenStep
    register: RegisterStep
    confirm: ConfirmStep
    receipt: ReceiptStep
    notice: NoticeStep
    recover: RecoverStep

    async def walk(self, entry: Entry) -> None:
        """Take every step that `entry` can take now; what has to wait is due later, by the journal.

        Raises:
            JournalUnavailable: It could not be read; it can be used again by now.
        """
        try:
            await self._walk(entry)
        except JournalUnavailable as error:
            await self.recorder.outage.wait(error)
            raise

    async def _walk(self, entry: Entry) -> None:
        async with Journey(self.opener) as journey:
            while entry.due_at is not None and entry.due_at <= self.recorder.clock.now():
                try:
                    with self.recorder.telemetry.span(
                        _name_of_step(entry), entry.id, entry.arrival.melding_id, expected=NoTurn
                    ):
                        again = entry.recovery_at is not None
                        entry = await (self.recover(entry, journey) if again else self._step(entry, journey))
                except NoTurn:
                    await self._wait(entry)
                    return

    async def _step(self, entry: Entry, journey: Journey) -> Entry:
        if entry.receipt is not None:
            journey.end_turn()
            return await self.receipt(entry, entry.receipt)
        match entry.state:
            case State.RECEIVED:
                # Even a late one: whether it can be answered at all shows here.
                is_notice = entry.arrival.melding_type in NOTICES
                return await self.notice(entry) if is_notice else await self.open(entry, journey)
            case State.OPENED | State.REGISTERED | State.QUARANTINED if self._is_too_late(entry):
                return await self.recorder.reject_late(entry)
            case State.OPENED:
                return await self.register(entry, journey)
            case State.REGISTERED:
                return await self.confirm(entry, journey)
            case _:
                return await self.recorder.journal.postpone(entry, entry.arrival.deadline_at)

    def _is_too_late(self, entry: Entry) -> bool:
        """Whether nothing more is tried: the deadline has passed, and another try would be in vain."""
        if not self.recorder.is_late(entry):
            return False
        return entry.state is State.QUARANTINED or self.turns.status.condition is Condition.FAILING

    async def _wait(self, entry: Entry) -> None:
        """Leave an entry for when the case system has time."""
        journal = self.recorder.journal
        waits_for_a_turn = entry.state is State.OPENED and not self.recorder.is_late(entry)
        if waits_for_a_turn or entry.recovery_at is not None:
            await journal.release(entry)  # claimed again as soon as there is a turn
            return
        wait = max(self.recorder.backoff.after(1), timedelta(seconds=self.turns.pause()))
        await journal.postpone(entry, self.recorder.clock.now() + wait)


def _name_of_step(entry: Entry) -> str:
    """What is about to be done with an entry, in a word for a trace."""
    if entry.recovery_at is not None:
        return "recover"
    return "receipt" if entry.receipt is not None else STEP_NAMES.get(entry.state, "decide")
