"""Recording a step: the journal first, then the log and whoever watches."""

import logging
import traceback
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from fiksmelding.clock import Clock
from fiksmelding.journal import Answer, Change, Entry, EventKind, Journal, Receipt, State
from fiksmelding.receiver.steps import Observer, Step
from fiksmelding.worker import Backoff

log = logging.getLogger("fiksmelding.receiver")


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes what happened to an entry, and decides when it goes on.

    Attributes:
        journal: Where it is written.
        clock: Where the time is read.
        backoff: How long a failure makes an entry wait.
        observe: Told of each step once it is recorded.
    """

    journal: Journal
    clock: Clock
    backoff: Backoff
    observe: Observer

    async def step(self, entry: Entry, change: Change, step: Step) -> Entry:
        """Record a step that was taken."""
        after = await self.journal.record(entry, change, at=self.clock.now())
        log.info("%s: %s", entry.id, step, extra={"event": step.value, "entry_id": entry.id})
        self.observe(step, entry.id)
        return after

    async def retry(
        self, entry: Entry, kind: EventKind, error: BaseException | None, change: Change | None = None
    ) -> Entry:
        """Record a failure at the present step; the entry comes again after a wait that grows with each.

        Args:
            entry: The entry that failed.
            kind: What failed.
            error: Why. Only its class and place are recorded: its text may hold what the report says.
            change: What else changes; its event, detail, due time and failures are set here.
        """
        failures = entry.failures + 1
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
            due_at=self._not_past_deadline(entry, wait),
            failures=failures,
        )
        return await self.journal.record(entry, full, at=self.clock.now())

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
        log.error(
            "%s (melding-id %s) is quarantined: %s The sealed original is kept; a person has to look at it before %s",
            entry.id,
            arrival.melding_id,
            reason if reason.endswith(".") else f"{reason}.",
            arrival.deadline_at.isoformat(),
            extra={"event": "quarantined", "entry_id": entry.id},
        )
        return await self.step(entry, change, Step.QUARANTINED)

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
            due_at=self.clock.now(),
            failures=0,
            reason=text,
            receipt=receipt or new_receipt(Answer.FEILET, text),
        )
        log.error("%s is rejected (%s); the sender gets feilet", entry.id, cause, extra={"event": "rejected"})
        return await self.step(entry, change, Step.REJECTED)

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
