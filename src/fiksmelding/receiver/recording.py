"""Recording a step: the journal first, then the log and whoever watches."""

import logging
import traceback
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from fiksmelding.alarms import AlarmKind, Alarms
from fiksmelding.clock import Clock
from fiksmelding.errors import JournalUnavailable
from fiksmelding.journal import Answer, Change, Entry, EventKind, Journal, Receipt, State
from fiksmelding.monitoring import UNMEASURED, Telemetry
from fiksmelding.receiver.outage import Outage
from fiksmelding.receiver.steps import Observer, Step
from fiksmelding.worker import Backoff

log = logging.getLogger("fiksmelding.receiver")

DEADLINE_TEXT = "Meldingen ble ikke registrert i mottakerens fagsystem innen fristen."


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes what happened to an entry, and decides when it goes on.

    Attributes:
        journal: Where it is written.
        clock: Where the time is read.
        backoff: How long a failure makes an entry wait.
        observe: Told of each step once it is recorded.
        alarms: Told of what a person has to hear of.
        outage: Where to wait while the journal cannot write.
        telemetry: What measures.
    """

    journal: Journal
    clock: Clock
    backoff: Backoff
    observe: Observer
    alarms: Alarms
    outage: Outage
    telemetry: Telemetry = UNMEASURED

    async def record(self, entry: Entry, change: Change) -> Entry:
        """Record what has happened, however long the journal cannot write: it must not have to happen again.

        Raises:
            JournalError: Another process has taken over the entry meanwhile, or a person decided.
        """
        refusals = 0
        while True:
            try:
                return await self.journal.record(entry, change, at=self.clock.now())
            except JournalUnavailable as error:
                refusals += 1
                log.warning("%s: %s is not recorded yet: %s", entry.id, change.event, error)
                await self.outage.wait(error)
                await self.clock.sleep(self.backoff.after(refusals).total_seconds())

    async def step(self, entry: Entry, change: Change, step: Step) -> Entry:
        """Record a step that was taken."""
        after = await self.record(entry, change)
        log.info("%s: %s", entry.id, step, extra={"event": step.value, "entry_id": entry.id})
        self.telemetry.taken(step.value, received_at=entry.arrival.received_at, at=self.clock.now())
        self.observe(step, entry.id)
        return after

    def at_once(self, entry: Entry) -> datetime:
        """When an entry that can go on is due: as long ago as before.

        So it keeps its place. After a restart in the middle of a backlog, what had been begun would otherwise stand
        behind everything that came later, and miss its deadline first.
        """
        now = self.clock.now()
        return now if entry.due_at is None else min(entry.due_at, now)

    async def retry(
        self, entry: Entry, kind: EventKind, error: BaseException | None, change: Change | None = None
    ) -> Entry:
        """Record a failure at the present step; the entry comes again after a wait that grows with each.

        Past the deadline, what is not decided yet is rejected instead: this was its last chance.

        Args:
            entry: The entry that failed.
            kind: What failed.
            error: Why. Only its class and place are recorded: its text may hold what the report says.
            change: What else changes; its event, detail, due time and failures are set here.
        """
        failures, late = entry.failures + 1, self.is_late(entry)
        wait = self.backoff.after(failures)
        why = "none" if error is None else _place_of(error)
        log.warning(
            "%s: %s (%s), failure %d; again in %.1f s",
            entry.id,
            kind,
            why,
            failures,
            wait.total_seconds(),
            extra={"event": kind.value, "entry_id": entry.id},
        )
        base = change or Change(event=kind, due_at=None)
        full = replace(
            base,
            event=kind,
            detail={"error": why, "failures": failures},
            due_at=self.clock.now() if late and entry.receipt is None else self._not_past_deadline(entry, wait),
            failures=failures,
        )
        self.telemetry.failed(kind.value)
        after = await self.record(entry, full)
        return await self.reject_late(after) if after.receipt is None and late else after

    async def quarantine(self, entry: Entry, reason: str) -> Entry:
        """Set an entry aside for a person; its deadline still holds if it can be answered at all."""
        arrival = entry.arrival
        change = Change(
            event=EventKind.QUARANTINED,
            detail={"reason": reason},
            state=State.QUARANTINED,
            due_at=arrival.deadline_at if can_be_answered(entry) else None,
            reason=reason,
        )
        after = await self.step(entry, change, Step.QUARANTINED)
        self.alarms.sound(
            AlarmKind.QUARANTINED,
            f"{entry.id} (melding-id {arrival.melding_id}) is quarantined: {reason.rstrip('.')}. The sealed "
            f"original is kept; look at it with `fiksmelding quarantine` before {arrival.deadline_at.isoformat()}.",
            entry_id=entry.id,
        )
        return after

    async def reject(self, entry: Entry, text: str, *, cause: str, receipt: Receipt | None = None) -> Entry:
        """Decide for `feilet`.

        Args:
            entry: The entry.
            text: Why, for the one who reads the receipt.
            cause: Who decided: `handler`, `deadline`, `unstructured` or `repetition`. Recorded and logged.
            receipt: The answer, when it is that of an earlier sending.
        """
        change = Change(
            event=EventKind.REJECTED,
            detail={"cause": cause},
            state=State.REJECTED,
            due_at=self.at_once(entry),
            failures=0,
            reason=text,
            receipt=receipt or new_receipt(Answer.FEILET, text),
        )
        log.error("%s is rejected (%s); the sender gets feilet", entry.id, cause, extra={"event": "rejected"})
        return await self.step(entry, change, Step.REJECTED)

    async def reject_late(self, entry: Entry) -> Entry:
        """Decide for `feilet`, since the deadline has passed."""
        after = await self.reject(entry, DEADLINE_TEXT, cause="deadline")
        self.alarms.sound(
            AlarmKind.DEADLINE_PASSED,
            f"{entry.id} was not registered by its deadline. The sender gets feilet, and the report goes by letter.",
            entry_id=entry.id,
        )
        return after

    def is_late(self, entry: Entry) -> bool:
        """Whether the deadline has passed."""
        return self.clock.now() >= entry.arrival.deadline_at

    def _not_past_deadline(self, entry: Entry, wait: timedelta) -> datetime:
        """When to try again: the deadline itself is an occasion too."""
        now, deadline = self.clock.now(), entry.arrival.deadline_at
        return deadline if now < deadline < now + wait else now + wait


def new_receipt(answer: Answer, reason: str | None = None) -> Receipt:
    """An answer not sent yet, with the id that all its sendings will carry."""
    return Receipt(answer, str(uuid4()), reason)


def can_be_answered(entry: Entry) -> bool:
    """Whether there is someone to answer, in a protocol that has answers."""
    arrival = entry.arrival
    return not arrival.missing and (arrival.melding_type or "").startswith("no.ks.fiks.bekymringsmelding.")


def _place_of(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    name = error.__class__.__name__
    return f"{name} at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else name
