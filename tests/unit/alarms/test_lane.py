"""One way to a person: order, bounds, and never in anybody's way."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from fiksmelding.alarms import Alarm, AlarmKind
from fiksmelding.alarms.lane import REFUSALS, STALE, Lane, NotTaken, Refused
from support.clocks import StillClock


@dataclass
class Way:
    """A route that takes what it is told to, and remembers it."""

    name: str = "mail"
    at_once: int = 1
    pause_seconds: float = 0.0
    troubles: list[Exception] = field(default_factory=list)
    told: list[tuple[list[str], int]] = field(default_factory=list)
    tries: int = 0
    stuck: bool = False

    async def send(self, alarms: Sequence[Alarm], *, lost: int = 0) -> None:
        self.tries += 1
        if self.stuck:
            await asyncio.Event().wait()
        if self.troubles:
            raise self.troubles.pop(0)
        self.told.append(([alarm.text for alarm in alarms], lost))


def alarm(clock: StillClock, text: str, kind: AlarmKind = AlarmKind.JOURNAL_DOWN) -> Alarm:
    return Alarm(kind=kind, text=text, at=clock.now())


@asynccontextmanager
async def lane_of(way: Way, clock: StillClock, *, room: int = 10, level: int = logging.WARNING) -> AsyncIterator[Lane]:
    lane = Lane(way, level=level, room=room, clock=clock)
    lane.start()
    try:
        yield lane
    finally:
        await lane.finish(0.0)


async def settle() -> None:
    """Let every task run as far as it can without the clock."""
    for _ in range(30):
        await asyncio.sleep(0)


async def test_alarms_go_out_in_their_order() -> None:
    clock, way = StillClock(), Way()
    async with lane_of(way, clock) as lane:
        for text in "abc":
            lane.put(alarm(clock, text))
        assert way.told == []  # whoever raises an alarm waits for nobody
        await settle()
    assert way.told == [(["a"], 0), (["b"], 0), (["c"], 0)]


async def test_what_is_not_grave_enough_is_not_sent_and_the_end_of_what_was_is() -> None:
    clock, way = StillClock(), Way()
    async with lane_of(way, clock, level=logging.ERROR) as lane:
        lane.put(alarm(clock, "little", AlarmKind.ODD_STATUS))
        lane.put(alarm(clock, "grave", AlarmKind.QUARANTINED))
        lane.put(Alarm(kind=AlarmKind.JOURNAL_DOWN, text="over", at=clock.now(), over=True))
        await settle()
    assert [texts for texts, _ in way.told] == [["grave"], ["over"]]


async def test_while_nobody_answers_it_is_tried_again_with_growing_waits_and_nothing_is_forgotten() -> None:
    clock, way = StillClock(), Way(troubles=[NotTaken("down")] * 3)
    async with lane_of(way, clock) as lane:
        lane.put(alarm(clock, "a"))
        lane.put(alarm(clock, "b"))
        tries = []
        for seconds in (0, 5, 10, 20):
            clock.advance(timedelta(seconds=seconds))
            await settle()
            tries.append(way.tries)
    assert tries[:3] == [1, 2, 3]
    assert [texts for texts, _ in way.told] == [["a"], ["b"]]


async def test_what_happens_during_a_pause_goes_into_one_message() -> None:
    clock, way = StillClock(), Way(at_once=50, pause_seconds=60)
    async with lane_of(way, clock, room=50) as lane:
        for number in range(20):
            lane.put(alarm(clock, str(number)))
            await settle()
        assert len(way.told) == 1
        clock.advance(timedelta(seconds=60))
        await settle()
    assert [len(texts) for texts, _ in way.told] == [1, 19]


async def test_more_than_the_room_gives_the_oldest_up_and_says_how_many(caplog: pytest.LogCaptureFixture) -> None:
    clock, way = StillClock(), Way(at_once=50, troubles=[NotTaken("down")])
    async with lane_of(way, clock, room=3) as lane:
        for number in range(10):
            lane.put(alarm(clock, str(number)))
        await settle()
        assert (lane.waiting, lane.undelivered) == (3, 7)
        clock.advance(timedelta(seconds=5))
        await settle()
    assert way.told == [(["7", "8", "9"], 7)]
    assert "1 alarms are not told by mail" in caplog.text


async def test_what_gives_way_while_it_is_sent_is_not_taken_for_another() -> None:
    clock, way = StillClock(), Way(stuck=True)
    async with lane_of(way, clock, room=2) as lane:
        lane.put(alarm(clock, "a"))
        await settle()
        for text in "bc":
            lane.put(alarm(clock, text))
        assert lane.waiting == 2
        way.stuck = False
    assert lane.waiting == 0


async def test_an_alarm_that_is_refused_makes_way_for_the_next() -> None:
    clock, way = StillClock(), Way(troubles=[Refused("400")] * REFUSALS)
    async with lane_of(way, clock) as lane:
        lane.put(alarm(clock, "refused"))
        lane.put(alarm(clock, "next"))
        for _ in range(REFUSALS):
            await settle()
            clock.advance(timedelta(minutes=5))
        await settle()
    assert way.told == [(["next"], 1)]


async def test_after_a_day_an_alarm_is_stale() -> None:
    clock, way = StillClock(), Way(troubles=[NotTaken("down")])
    async with lane_of(way, clock) as lane:
        lane.put(alarm(clock, "old"))
        await settle()
        clock.advance(STALE + timedelta(minutes=1))
        lane.put(alarm(clock, "new"))
        await settle()
    assert way.told == [(["new"], 1)]


async def test_a_fault_of_a_way_does_not_end_it_and_is_told_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    clock, way = StillClock(), Way(troubles=[RuntimeError("Lille Testesen")])
    async with lane_of(way, clock) as lane:
        lane.put(alarm(clock, "a"))
        await settle()
        clock.advance(timedelta(seconds=5))
        await settle()
    assert way.told == [(["a"], 0)]
    assert "Testesen" not in caplog.text


async def test_a_stop_sends_what_waits_without_a_pause() -> None:
    clock, way = StillClock(), Way(at_once=2, pause_seconds=3600)
    async with lane_of(way, clock) as lane:
        for text in "abcde":
            lane.put(alarm(clock, text))
        await lane.finish(20.0)
    assert [texts for texts, _ in way.told] == [["a", "b"], ["c", "d"], ["e"]]


async def test_a_stop_tries_once_when_nobody_answers(caplog: pytest.LogCaptureFixture) -> None:
    clock, way = StillClock(), Way(troubles=[NotTaken("down")] * 9)
    async with lane_of(way, clock) as lane:
        lane.put(alarm(clock, "a"))
        lane.put(alarm(clock, "b"))
        await settle()
        assert way.tries == 1
        await lane.finish(20.0)
    assert way.tries == 2
    assert "2 alarms are not told by mail, for it was time to stop" in caplog.text


async def test_a_stop_waits_no_longer_than_it_may() -> None:
    clock, way = StillClock(), Way(stuck=True)
    async with lane_of(way, clock) as lane:
        lane.put(alarm(clock, "a"))
        await settle()
        async with asyncio.timeout(10):
            await lane.finish(0.01)
    assert way.told == []
