"""The case system gets as many calls at once as it bears."""

import heapq
import random
from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from fiksmelding.receiver.pace import FIRST_HOLD, Call, Condition, Outcome, Pace


@dataclass(order=True)
class Ending:
    at: float
    number: int
    call: Call = field(compare=False)
    outcome: Outcome = field(compare=False)


class CaseSystem:
    """A case system in virtual time: above so many calls at once it fails, or becomes slow."""

    def __init__(self, pace: Pace, bears: int, *, slows: bool = False, seed: int = 0) -> None:
        self.pace = pace
        self.bears = bears
        self.slows = slows
        self.now = 0.0
        self.under_way: list[Ending] = []
        self.registered = 0
        self.failures: list[float] = []
        self.most_since: list[tuple[float, int]] = []
        self.down = False
        self.calls = 0
        self._chance = random.Random(seed)

    def work(self, reports: int, until: float = float("inf")) -> None:
        """Register so many reports; a report that failed comes again."""
        waiting = [f"report {number}" for number in range(reports)]
        while (waiting or self.under_way) and self.now < until:
            while waiting and self.pace.take(self.now):
                self._call(waiting.pop(0))
            if not self.under_way:
                self.now += self.pace.pause(self.now)
                assert self.pace.free(self.now) > 0, "nothing runs, and nothing may begin"
                continue
            ended = heapq.heappop(self.under_way)
            self.now = ended.at
            self.pace.end(ended.call, ended.outcome, self.now)
            self.pace.leave()
            if ended.outcome is Outcome.FAILED:
                self.failures.append(self.now)
                waiting.append(ended.call.report)
            else:
                self.registered += 1

    def _call(self, report: str) -> None:
        self.calls += 1
        at_once = len(self.under_way) + 1
        self.most_since.append((self.now, at_once))
        fails = self.down or (at_once > self.bears and not self.slows)
        seconds = 0.5 * self._chance.uniform(0.9, 1.1)
        if self.slows and at_once > self.bears:
            seconds *= 8
        ending = Ending(
            self.now + seconds,
            self.calls,
            self.pace.begin(report, self.now),
            Outcome.FAILED if fails else Outcome.ANSWERED,
        )
        heapq.heappush(self.under_way, ending)

    def most(self, begin: float, end: float) -> int:
        """How many calls ran at once at most in that time."""
        return max((count for at, count in self.most_since if begin <= at < end), default=0)


@given(highest=st.integers(1, 32), bears=st.integers(1, 40), seed=st.integers(0, 1000))
@settings(max_examples=60, deadline=None)
def test_it_settles_at_what_the_case_system_bears_and_all_is_registered(highest: int, bears: int, seed: int) -> None:
    pace = Pace(highest)
    case_system = CaseSystem(pace, bears, seed=seed)
    case_system.work(600)
    assert case_system.registered == 600
    assert 1 <= pace.limit <= highest
    if bears >= highest:
        assert case_system.failures == []
        assert pace.limit == highest
        assert pace.condition is Condition.WELL
    else:
        # Once it has found out, it tries more than that only now and then, and ever more rarely.
        assert len(case_system.failures) <= 8 * highest
        found = case_system.failures[0] if case_system.failures else 0.0
        assert case_system.most(found + 20.0, found + FIRST_HOLD) <= bears


@given(highest=st.integers(2, 16), bears=st.integers(1, 8), seed=st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_what_becomes_slow_under_load_gets_less(highest: int, bears: int, seed: int) -> None:
    pace = Pace(highest)
    case_system = CaseSystem(pace, bears, slows=True, seed=seed)
    case_system.work(400)
    assert case_system.registered == 400
    if bears < highest:
        slow = sum(1 for _, count in case_system.most_since[100:] if count > bears)
        assert slow <= 30, "of 300 calls, few found the case system overloaded"


@given(
    highest=st.integers(1, 8),
    moves=st.lists(st.tuples(st.sampled_from(["take", *Outcome]), st.integers(0, 5), st.floats(0, 100)), max_size=200),
)
def test_there_is_always_a_place_sooner_or_later_and_never_one_too_many(
    highest: int, moves: list[tuple[str, int, float]]
) -> None:
    pace, now = Pace(highest), 0.0
    calls: list[Call] = []
    for move, report, seconds in moves:
        now += seconds
        if move == "take":
            free = pace.free(now)
            assert pace.take(now) == (free > 0)
            if free:
                calls.append(pace.begin(str(report), now))
        elif calls:
            pace.end(calls.pop(report % len(calls)), Outcome(move), now)
            pace.leave()
        assert pace.taken == len(calls) <= highest
        assert 1 <= pace.limit <= highest
        assert 0.0 <= pace.pause(now) <= 60.0
        if not calls:
            assert pace.free(now + pace.pause(now)) > 0


def test_it_begins_with_one_and_doubles() -> None:
    case_system = CaseSystem(Pace(16), 99)
    seen = []
    while case_system.pace.limit < 16:
        seen.append(case_system.pace.limit)
        case_system.work(1 if case_system.pace.limit == 1 else 2 * case_system.pace.limit)
    assert seen == [1, 2, 4, 8]


def test_when_everything_fails_one_is_tried_at_a_time_with_growing_pauses() -> None:
    pace = Pace(8, first_pause=1.0, longest_pause=30.0)
    case_system = CaseSystem(pace, 99)
    case_system.work(100)
    case_system.down = True
    began = case_system.now
    case_system.work(100, until=began + 600)
    assert pace.condition == "failing"
    tries = [at for at, _ in case_system.most_since if at > began + 60]
    assert 600 / 31 / 2 < len(tries) < 600 / 30
    assert case_system.most(began + 10, began + 600) == 1
    case_system.down = False
    case_system.work(50)
    assert pace.condition == "well"
    assert case_system.registered == 150


def test_one_report_that_always_fails_slows_nothing() -> None:
    pace = Pace(4)
    case_system = CaseSystem(pace, 99)
    case_system.work(50)
    for _ in range(30):
        assert pace.take(case_system.now)
        pace.end(pace.begin("the difficult one", case_system.now), Outcome.FAILED, case_system.now)
        pace.leave()
        case_system.work(3)
    assert pace.limit == 4
    assert pace.condition is Condition.WELL


def test_a_level_that_gave_trouble_is_tried_again_after_ever_longer() -> None:
    pace = Pace(4, longest_pause=1.0)
    case_system = CaseSystem(pace, 3)
    case_system.work(8000)
    tried = [at for at, count in case_system.most_since if count > 3]
    rounds = [tried[0]]
    for at in tried:
        if at - rounds[-1] > 20:
            rounds.append(at)
    gaps = [later - sooner for sooner, later in pairwise(rounds)]
    assert len(gaps) >= 2
    assert all(later > 1.5 * sooner for sooner, later in pairwise(gaps))
