"""Turns with the case system: a handler is called only when there is a place, and how it answers decides how many."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from fiksmelding.alarms import AlarmKind, Alarms
from fiksmelding.clock import Clock
from fiksmelding.errors import Reject
from fiksmelding.receiver.pace import Condition, Outcome, Pace

log = logging.getLogger("fiksmelding.receiver")


class NoTurn(Exception):
    """The case system has enough to do: the report waits in the journal, where it is."""


@dataclass(frozen=True, slots=True)
class CaseSystemStatus:
    """How we deal with the case system now.

    Attributes:
        condition: How it is doing, by its answers.
        at_once: How many reports it gets at once.
        with_it: How many are with it.
    """

    condition: Condition
    at_once: int
    with_it: int


class Turns:
    """Gives turns, and tells of each change once.

    Args:
        pace: Decides how many.
        clock: Where durations are read.
        alarms: Told when everything fails, and when that is over.
        changed: Called when a turn may have become free.
    """

    def __init__(self, pace: Pace, clock: Clock, alarms: Alarms, changed: Callable[[], None]) -> None:
        self._pace = pace
        self._clock = clock
        self._alarms = alarms
        self._changed = changed

    @property
    def status(self) -> CaseSystemStatus:
        """How we deal with the case system now."""
        return CaseSystemStatus(self._pace.condition, self._pace.limit, self._pace.taken)

    def free(self) -> int:
        """How many turns may begin now."""
        return self._pace.free(self._clock.monotonic())

    def pause(self) -> float:
        """How long none may begin, even if nobody has one, in seconds."""
        return self._pace.pause(self._clock.monotonic())

    def check(self) -> None:
        """See whether a turn may begin.

        Raises:
            NoTurn: None may now.
        """
        if self.free() == 0:
            raise NoTurn

    def take(self, report: str) -> "Turn":
        """A turn for a report, to be given back.

        Raises:
            NoTurn: There is none now.
        """
        if not self._pace.take(self._clock.monotonic()):
            raise NoTurn
        return Turn(self, report)

    def leave(self) -> None:
        """A turn is given back."""
        self._pace.leave()
        self._changed()

    @contextmanager
    def call(self, report: str) -> Iterator[None]:
        """One call of the case system, which is what the block does."""
        call = self._pace.begin(report, self._clock.monotonic())
        outcome = Outcome.FAILED
        try:
            yield
            outcome = Outcome.ANSWERED
        except Reject:
            outcome = Outcome.ANSWERED
            raise
        except asyncio.CancelledError:
            outcome = Outcome.CANCELLED
            raise
        finally:
            before = self.status
            self._pace.end(call, outcome, self._clock.monotonic())
            self._tell(before, self.status)

    def _tell(self, before: CaseSystemStatus, after: CaseSystemStatus) -> None:
        if (before.condition, before.at_once) == (after.condition, after.at_once):
            return
        if after.condition is Condition.FAILING:
            self._alarms.sound(
                AlarmKind.CASE_SYSTEM_DOWN,
                "Every call of the handler fails. Reports wait in the journal; one at a time is tried, with pauses, "
                "until the case system takes one. Look at the case system.",
            )
        elif before.condition is Condition.FAILING:
            self._alarms.over(AlarmKind.CASE_SYSTEM_DOWN, "The case system has taken a report again.")
        else:
            lowered = after.at_once < before.at_once
            log.log(
                logging.WARNING if lowered else logging.INFO,
                "the case system %s; it gets at most %d reports at once",
                "is slow or fails" if lowered else "does well",
                after.at_once,
                extra={"event": "pace"},
            )
        self._changed()


class Turn:
    """A report's turn with the case system: one or more calls, one after the other."""

    def __init__(self, turns: Turns, report: str) -> None:
        self._turns = turns
        self._report = report

    def call(self) -> AbstractContextManager[None]:
        """One call of the case system, which is what the block does."""
        return self._turns.call(self._report)

    def end(self) -> None:
        """Give it back, once."""
        self._turns.leave()
