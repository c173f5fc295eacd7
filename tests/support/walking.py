"""The steps of a receiver without envelopes, case system or platform: how each ends is chosen by the test."""

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import uuid4

from fiksmelding.alarms import Alarms
from fiksmelding.clock import Clock
from fiksmelding.journal import Answer, Change, Entry, EventKind, Journal, Receipt, State
from fiksmelding.receiver.notice_step import NOTICES, NoticeStep
from fiksmelding.receiver.recording import Recorder, new_receipt
from fiksmelding.worker import Backoff
from support.roads import never_out

PRIVAT_V2 = "no.ks.fiks.bekymringsmelding.privat.v2"
OF_ANOTHER_PROTOCOL = "no.ks.fiks.arkiv.v1"
RESENDS = 2


class Way(StrEnum):
    """How an attempt at a step may end."""

    GOES_ON = "goes on"
    FAILS = "fails"
    REFUSED = "refused"  # by the case system, or not found there again
    UNREADABLE = "unreadable"


@dataclass
class Walker:
    """Takes steps. Notices, setting aside, waiting and rejecting are the receiver's own."""

    clock: Clock

    def recorder(self, journal: Journal) -> Recorder:
        alarms = Alarms(self.clock, lambda _: None)
        outage = never_out(journal, self.clock, alarms)
        return Recorder(journal, self.clock, Backoff(1.0, 30.0), lambda *_: None, alarms, outage)

    async def step(self, journal: Journal, entry: Entry, way: Way) -> Entry:
        """What the receiver does with an entry that is due."""
        recorder = self.recorder(journal)
        if entry.receipt is not None:
            return await self.answer(recorder, entry, entry.receipt, way)
        match entry.state:
            case State.OPENED | State.REGISTERED | State.QUARANTINED if recorder.is_late(entry):
                return await recorder.reject_late(entry)
            case State.RECEIVED:
                return await self.open_it(recorder, entry, way)
            case State.OPENED:
                return await self.register(recorder, entry, way)
            case State.REGISTERED:
                return await self.confirm(recorder, entry, way)
            case _:
                return await journal.postpone(entry, entry.arrival.deadline_at)

    async def open_it(self, recorder: Recorder, entry: Entry, way: Way) -> Entry:
        if entry.arrival.melding_type in NOTICES:
            return await NoticeStep(recorder, recorder.journal, RESENDS)(entry)
        if entry.size == 0 or entry.arrival.melding_type == OF_ANOTHER_PROTOCOL or way is Way.UNREADABLE:
            return await recorder.quarantine(entry, "cannot be opened")
        opened = Change(event=EventKind.OPENED, state=State.OPENED, due_at=self.clock.now(), attempts=1)
        return await recorder.record(entry, opened)

    async def register(self, recorder: Recorder, entry: Entry, way: Way) -> Entry:
        if way is Way.UNREADABLE:  # though it was read before: a key was taken away
            return await recorder.quarantine(entry, "cannot be opened any more")
        if way is Way.FAILS:
            return await recorder.retry(entry, EventKind.HANDLER_FAILED, None)
        if way is Way.REFUSED:
            return await recorder.reject(entry, "not ours", cause="handler")
        receipt = None if reads_back(entry) else new_receipt(Answer.MOTTATT)
        registered = Change(
            event=EventKind.REGISTERED, state=State.REGISTERED, due_at=self.clock.now(), receipt=receipt
        )
        return await recorder.record(entry, registered)

    async def confirm(self, recorder: Recorder, entry: Entry, way: Way) -> Entry:
        if way is Way.FAILS:
            return await recorder.retry(entry, EventKind.CONFIRM_FAILED, None)
        if way is Way.REFUSED:
            gone = Change(event=EventKind.NOT_FOUND_AGAIN, state=State.OPENED, due_at=None)
            return await recorder.retry(entry, EventKind.NOT_FOUND_AGAIN, None, gone)
        receipt = new_receipt(Answer.MOTTATT)
        confirmed = Change(event=EventKind.CONFIRMED, state=State.CONFIRMED, due_at=self.clock.now(), receipt=receipt)
        return await recorder.record(entry, confirmed)

    async def answer(self, recorder: Recorder, entry: Entry, receipt: Receipt, way: Way) -> Entry:
        tried = replace(receipt, attempts=receipt.attempts + 1)
        if way is Way.FAILS:
            again = Change(event=EventKind.RECEIPT_FAILED, due_at=None, receipt=tried)
            return await recorder.retry(entry, EventKind.RECEIPT_FAILED, None, again)
        taken = replace(tried, taken_at=self.clock.now(), melding_id=str(uuid4()))
        receipted = Change(event=EventKind.RECEIPTED, state=State.RECEIPTED, due_at=None, receipt=taken)
        return await recorder.record(entry, receipted)


def reads_back(entry: Entry) -> bool:
    """Whether the case system is asked again about it: so it is for every other one."""
    return entry.size % 2 == 0
