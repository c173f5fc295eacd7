"""The road of a report once it is kept: open, register, confirm, receipt. Each step is durable before the next begins.

```
RECEIVED ──▶ OPENED ──▶ REGISTERED ──▶ CONFIRMED ──▶ RECEIPTED
   │            │                                        ▲
   ├────────────┴──▶ REJECTED ───────────────────────────┤
   └──▶ QUARANTINED (a person decides, or the deadline) ─┘
```
"""

from dataclasses import dataclass

from fiksmelding.journal import Entry, State
from fiksmelding.receiver.confirm_step import ConfirmStep
from fiksmelding.receiver.journey import Journey
from fiksmelding.receiver.open_step import OpenStep
from fiksmelding.receiver.opening import Opener
from fiksmelding.receiver.receipt_step import ReceiptStep
from fiksmelding.receiver.recording import Recorder
from fiksmelding.receiver.register_step import RegisterStep

DEADLINE_TEXT = "Meldingen ble ikke registrert i mottakerens fagsystem innen fristen."


@dataclass(frozen=True, slots=True)
class Road:
    """Takes kept messages as far as they can go.

    Attributes:
        recorder: Where each step is written.
        opener: Opens sealed payloads.
        open: RECEIVED → OPENED.
        register: OPENED → REGISTERED.
        confirm: REGISTERED → CONFIRMED.
        receipt: → RECEIPTED.
    """

    recorder: Recorder
    opener: Opener
    open: OpenStep
    register: RegisterStep
    confirm: ConfirmStep
    receipt: ReceiptStep

    async def walk(self, entry: Entry) -> None:
        """Take every step that `entry` can take now; what has to wait is due later, by the journal.

        Raises:
            JournalUnavailable: The last step is not recorded; it will be taken again.
        """
        async with Journey(self.opener) as journey:
            while entry.due_at is not None and entry.due_at <= self.recorder.clock.now():
                entry = await self._step(entry, journey)

    async def _step(self, entry: Entry, journey: Journey) -> Entry:
        if entry.receipt is not None:
            return await self.receipt(entry, entry.receipt)
        late = self.recorder.clock.now() >= entry.arrival.deadline_at
        match entry.state:
            case State.RECEIVED:
                # Even a late one: whether it can be answered at all shows here.
                return await self.open(entry, journey)
            case State.OPENED | State.REGISTERED | State.QUARANTINED if late:
                return await self.recorder.reject(entry, DEADLINE_TEXT, cause="deadline")
            case State.OPENED:
                return await self.register(entry, journey)
            case State.REGISTERED:
                return await self.confirm(entry, journey)
            case _:
                return await self.recorder.journal.postpone(entry, entry.arrival.deadline_at)
