"""What the journal itself shows of the messages of a period: how many stand where, and which stand still. Pure."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from fiksmelding.journal import DECIDED, Answer, Standing, State
from fiksmelding.operations.findings import Findings
from fiksmelding.operations.reconciliation import Cause, Received

_UNREGISTERED: Final = frozenset({State.RECEIVED, State.OPENED})
_RECEIPTED: Final = frozenset({State.RECEIPTED, State.ERASED})


class ReceivedTally:
    """Counts messages, and tells which of them stand still.

    Args:
        findings: Where differences go.
        now: The present time.
        waiting: How long a message may wait.
    """

    def __init__(self, findings: Findings, now: datetime, waiting: timedelta) -> None:
        self._findings = findings
        self._now = now
        self._waiting = waiting
        self._counts: Counter[str] = Counter()

    def received(self) -> Received:
        """The counts."""
        return Received(**self._counts)

    def add(self, one: Standing) -> None:
        """Take in a message."""
        self._counts["kept"] += 1
        self._counts["erased"] += one.state is State.ERASED
        self._counts["settled"] += one.settled_at is not None
        if one.state is State.NOTED:
            self._counts["notices"] += 1
            return
        if one.duplicate_of is not None:
            self._counts["repetitions"] += 1
        else:
            self._counts["registered"] += one.registered
        self._counts["receipted"] += one.state in _RECEIPTED and one.answer is not None
        self._look(one)

    def _look(self, one: Standing) -> None:
        if one.state in _UNREGISTERED:
            self._unregistered(one)
        elif one.state is State.QUARANTINED:
            self._counts["quarantined"] += 1
            text = f"{(one.reason or '').rstrip('.')}. Look at it, then let it be tried again, or reject it."
            self._find(Cause.QUARANTINED, one, text, f"quarantine show {one.id}")
        elif one.state is State.REJECTED or one.answer is Answer.FEILET:
            self._rejected(one)
        if one.state in DECIDED and not (one.state is State.REJECTED and one.answer is None):
            self._unreceipted(one)

    def _unregistered(self, one: Standing) -> None:
        if not self._late(one):
            self._counts["under_way"] += 1
            return
        past = "; its deadline has passed" if one.deadline_at <= self._now else ""
        text = (
            f"It is {one.state} after {one.attempts} calls of the handler{past}. See whether a receiver runs, and what "
            "its log says of the case system."
        )
        self._find(Cause.NOT_REGISTERED, one, text, f"journal export {one.id}")

    def _unreceipted(self, one: Standing) -> None:
        answer = one.answer or Answer.MOTTATT
        if one.due_at is None:
            text = (
                f"It is {one.state}, and the platform refuses the receipt {answer}: tell the sender another way, or "
                "mend what it minds and let the receipt be sent again."
            )
            self._find(Cause.RECEIPT_REFUSED, one, text, f"receipt retry {one.id}")
        elif self._late(one):
            text = f"It is {one.state}, and the platform has no receipt {answer} yet. See whether a receiver runs."
            self._find(Cause.NOT_RECEIPTED, one, text, f"journal export {one.id}")
        else:
            self._counts["under_way"] += 1

    def _rejected(self, one: Standing) -> None:
        self._counts["rejected"] += 1
        told = "the platform sends it by letter" if one.answer is not None else "nobody could be told"
        self._find(Cause.REJECTED, one, f"It was not registered; {told}.", f"journal export {one.id}")

    def _late(self, one: Standing) -> bool:
        return self._now - one.received_at > self._waiting

    def _find(self, cause: Cause, one: Standing, text: str, command: str) -> None:
        self._findings.add(cause, text, command=command, id=one.id, reference=one.reference, since=one.received_at)
