"""How many calls the case system bears at once. Pure: it is told what happened and when, and says what may be done.

Additive increase, multiplicative decrease, as TCP avoids congestion (RFC 5681), with three differences: failures of one
report alone are that report's own, not a sign of load; rising latency counts as a sign too; and a level at which there
was trouble is avoided for a while that grows each time it is tried again and there is trouble again. When everything
fails, calls are made one at a time, with growing pauses, until one succeeds.
"""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

FIRST_HOLD: Final = 60.0
"""How long a level that gave trouble is avoided at first, in seconds."""
LONGEST_HOLD: Final = 3600.0
FAILURES_OF_ALL: Final = 3
"""So many calls in a row have to fail, for more than one report, before everything counts as failing."""
SLOWER: Final = 3.0
"""Calls that take so many times as long as they did at best are a sign of load..."""
SLOW_SECONDS: Final = 1.0
"""...unless that is less than this, in seconds."""
SMOOTHING: Final = 0.2
"""Weight of the newest call in the mean latency."""
FORGETTING: Final = 0.1
"""How far the best latency moves towards the mean with each call that was alone: then it is not load that is slow."""


class Outcome(StrEnum):
    """How a call of the case system ended."""

    ANSWERED = "answered"
    """It did its work, be it by refusing the report."""
    FAILED = "failed"
    """It raised, or took too long."""
    CANCELLED = "cancelled"
    """We ended it: it says nothing about the case system."""


class Condition(StrEnum):
    """How the case system is doing."""

    WELL = "well"
    """It gets as many calls at once as the settings allow, or is on the way there without any sign of trouble."""
    SLOWED = "slowed"
    """It gets fewer, because it failed or became slow at more."""
    FAILING = "failing"
    """Every call fails: one is made at a time, with pauses, until one succeeds."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call under way.

    Attributes:
        report: Whose.
        began: When, on the caller's monotonic clock, in seconds.
        level: How many places were taken when it began, its own included.
        epoch: How often the limit had been lowered before it began.
    """

    report: str
    began: float
    level: int
    epoch: int


class Pace:
    """Decides how many reports may be with the case system at once.

    Each needs a place, for as many calls as are made for it one after the other.

    Args:
        highest: The most there may ever be.
        first_pause: Pause after the failure that made everything count as failing, in seconds; it doubles from there.
        longest_pause: The longest pause, in seconds.
    """

    def __init__(self, highest: int, *, first_pause: float = 1.0, longest_pause: float = 60.0) -> None:
        self._highest = highest
        self._first_pause = first_pause
        self._longest_pause = longest_pause
        self._limit = 1
        self._taken = 0
        self._epoch = 0
        self._clean = 0  # answered with every place taken, since the limit last changed
        self._fast_until = highest  # below it the limit doubles, from there on it grows by one
        self._trouble_at: int | None = None  # the level at which there was trouble
        self._hold = FIRST_HOLD
        self._held_until = 0.0
        self._recent: deque[str] = deque(maxlen=max(5, 2 * highest))  # reports that failed; "" for each answer
        self._failed_in_a_row: list[str] = []
        self._probes = 0  # failed since everything failed; 0 while not everything does
        self._closed_until = 0.0
        self._mean: float | None = None
        self._best: float | None = None

    @property
    def limit(self) -> int:
        """How many places there are now."""
        return 1 if self._probes else self._limit

    @property
    def taken(self) -> int:
        """How many places are taken now."""
        return self._taken

    @property
    def condition(self) -> Condition:
        """How the case system is doing."""
        if self._probes:
            return Condition.FAILING
        return Condition.WELL if self._trouble_at is None else Condition.SLOWED

    def free(self, now: float) -> int:
        """How many places may be taken at `now`."""
        return 0 if self.pause(now) > 0 else max(0, self.limit - self._taken)

    def pause(self, now: float) -> float:
        """How long no place may be taken, even if all are free, in seconds."""
        return max(0.0, self._closed_until - now) if self._probes else 0.0

    def take(self, now: float) -> bool:
        """Take a place, or be told that there is none."""
        if self.free(now) == 0:
            return False
        self._taken += 1
        return True

    def leave(self) -> None:
        """Give a place back."""
        self._taken -= 1

    def begin(self, report: str, now: float) -> Call:
        """A call begins, for a report that has a place."""
        return Call(report, now, self._taken, self._epoch)

    def end(self, call: Call, outcome: Outcome, now: float) -> None:
        """Tell how a call ended."""
        match outcome:
            case Outcome.ANSWERED:
                self._answered(call, now)
            case Outcome.FAILED:
                self._failed(call, now)
            case Outcome.CANCELLED:
                pass

    def _answered(self, call: Call, now: float) -> None:
        self._recent.append("")
        self._failed_in_a_row.clear()
        level = max(call.level, self._taken)
        slow = self._slow(now - call.began, level)
        if self._probes:
            self._probes = 0
            self._change_to(1)
        elif call.epoch != self._epoch:
            return  # it tells of the load there was before the limit was lowered
        elif slow:
            self._trouble(level, level * 3 // 4, now)
        elif level >= self._limit:  # fewer at once prove nothing about as many as that
            self._clean += 1
            if self._clean >= self._limit:
                self._grow(now)

    def _failed(self, call: Call, now: float) -> None:
        self._clean = 0
        self._recent.append(call.report)
        self._failed_in_a_row.append(call.report)
        del self._failed_in_a_row[:-FAILURES_OF_ALL]
        if self._probes:
            self._close(now)
            return
        if call.epoch == self._epoch and len(set(self._recent) - {""}) > 1:
            level = max(call.level, self._taken)
            self._trouble(level, level // 2, now)
        of_all = len(self._failed_in_a_row) == FAILURES_OF_ALL and len(set(self._failed_in_a_row)) > 1
        if of_all and self._limit == 1:
            self._close(now)

    def _close(self, now: float) -> None:
        pause: float = self._first_pause * 2.0 ** min(self._probes, 63)
        self._closed_until = now + min(self._longest_pause, pause)
        self._probes += 1

    def _trouble(self, level: int, limit: int, now: float) -> None:
        again = self._trouble_at is not None and level >= self._trouble_at
        self._hold = min(LONGEST_HOLD, self._hold * 2) if again else FIRST_HOLD
        self._trouble_at = level
        self._held_until = now + self._hold
        self._fast_until = max(1, level // 2)
        self._epoch += 1
        self._recent.clear()
        self._mean = self._best
        self._change_to(max(1, min(limit, self._limit)))

    def _grow(self, now: float) -> None:
        higher = min(self._highest, self._limit * 2 if self._limit < self._fast_until else self._limit + 1)
        avoided = self._trouble_at
        if avoided is not None and self._limit >= avoided:
            self._trouble_at = None  # a whole round of calls at that level, without trouble
        elif avoided is not None and higher >= avoided:
            higher = avoided if now >= self._held_until else max(self._limit, avoided - 1)
        self._change_to(higher)

    def _change_to(self, limit: int) -> None:
        self._limit = limit
        self._clean = 0

    def _slow(self, seconds: float, level: int) -> bool:
        """Whether calls have become slow, this one included."""
        self._mean = seconds if self._mean is None else self._mean + SMOOTHING * (seconds - self._mean)
        self._best = self._mean if self._best is None else min(self._best, self._mean)
        if level == 1:
            self._best += FORGETTING * (self._mean - self._best)
        return level > 1 and self._mean > max(SLOW_SECONDS, SLOWER * self._best)
