"""RECEIVED → NOTED: the platform tells that something of ours was not delivered. If it was a receipt, it is sent again.

Notices are `tidsavbrudd` and `serverfeil` (contract sections 6 and 9). They are no reports, and nobody is answered.
"""

from dataclasses import dataclass, replace

from fiksmelding.alarms import AlarmKind
from fiksmelding.journal import Answer, Change, Entry, EventKind, Journal, Receipt, State
from fiksmelding.messages import MessageType
from fiksmelding.receiver.identity import as_uuid
from fiksmelding.receiver.recording import Recorder
from fiksmelding.receiver.steps import Step

NOTICES = frozenset({MessageType.TIDSAVBRUDD, MessageType.SERVERFEIL})


@dataclass(frozen=True, slots=True)
class NoticeStep:
    """Deals with a notice.

    Attributes:
        recorder: Where the outcome is written.
        journal: Where the receipt is found that it is about.
        resends: How often a receipt that comes back is sent again.
    """

    recorder: Recorder
    journal: Journal
    resends: int

    async def __call__(self, notice: Entry) -> Entry:
        """Take the step."""
        about = await self._about(notice)
        if about is None:
            self._unknown(notice)
        elif about.state is State.RECEIPTED and about.receipt is not None:
            await self._returned(about, about.receipt, notice)
        elif about.state is State.ERASED:
            self._give_up(about, "its sealed original is erased, so long ago was it")
        # Else the receipt is on its way again: a notice of it was dealt with before.
        detail: dict[str, str | int] = {"about": "" if about is None else about.id}
        change = Change(event=EventKind.NOTICE, detail=detail, state=State.NOTED, due_at=None)
        return await self.recorder.step(notice, change, Step.NOTED)

    async def _about(self, notice: Entry) -> Entry | None:
        melding_id = as_uuid(notice.arrival.headers.get("svar-til"))
        return None if melding_id is None else await self.journal.entry_answered_by(melding_id)

    async def _returned(self, entry: Entry, receipt: Receipt, notice: Entry) -> None:
        events = await self.journal.events(entry.id)
        returns = sum(event.kind is EventKind.RECEIPT_RETURNED for event in events)
        if returns >= self.resends:
            self._give_up(entry, f"it has come back {returns + 1} times")
            return
        change = Change(
            event=EventKind.RECEIPT_RETURNED,
            detail={"notice": notice.arrival.melding_type or "", "melding_id": receipt.melding_id or ""},
            state=State.REGISTERED if receipt.answer is Answer.MOTTATT else State.REJECTED,
            due_at=self.recorder.clock.now() + self.recorder.backoff.after(returns + 1),
            failures=0,
            receipt=replace(receipt, taken_at=None),
        )
        await self.recorder.record(entry, change)

    def _give_up(self, entry: Entry, why: str) -> None:
        self.recorder.alarms.sound(
            AlarmKind.RECEIPT_UNDELIVERABLE,
            f"{entry.id}: the platform could not deliver the receipt, and it is not sent again: {why}. "
            f"Tell the sender {entry.arrival.avsender_id} another way.",
            entry_id=entry.id,
        )

    def _unknown(self, notice: Entry) -> None:
        arrival = notice.arrival
        self.recorder.alarms.sound(
            AlarmKind.UNKNOWN_NOTICE,
            f"{notice.id}: the platform says by {arrival.melding_type} that it did not deliver "
            f"{as_uuid(arrival.headers.get('svar-til')) or 'a message it does not name'}, which is no receipt of ours. "
            "Find out who else sends from this account.",
            entry_id=notice.id,
        )
