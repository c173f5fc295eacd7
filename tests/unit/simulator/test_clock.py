"""The simulator's clock."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from fiksmelding.simulator.clock import SimulatorClock

DAY = timedelta(days=1)


def test_it_shows_aware_utc_near_the_machines_clock() -> None:
    now = SimulatorClock().now()
    assert now.tzinfo is UTC
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)


def test_it_can_be_pushed_forward_and_started_ahead() -> None:
    clock = SimulatorClock(offset=DAY)
    before = clock.now()
    clock.advance(2 * DAY)
    assert 2 * DAY <= clock.now() - before < 2 * DAY + timedelta(minutes=1)
    assert clock.offset == 3 * DAY


def test_it_never_goes_back() -> None:
    clock = SimulatorClock()
    with pytest.raises(ValueError, match="back"):
        clock.advance(timedelta(microseconds=-1))


async def test_whoever_waits_wakes_when_the_moment_is_passed_and_not_before() -> None:
    clock = SimulatorClock()
    start = clock.now()
    waits = [asyncio.create_task(clock.wait_until(start + days * DAY)) for days in (1, 2, 3)]
    await asyncio.sleep(0)
    clock.advance(2 * DAY)
    await asyncio.wait_for(asyncio.gather(*waits[:2]), 10)
    assert not waits[2].done()
    clock.advance(DAY)
    await asyncio.wait_for(waits[2], 10)


async def test_a_moment_that_is_past_is_not_waited_for() -> None:
    clock = SimulatorClock()
    await asyncio.wait_for(clock.wait_until(clock.now() - DAY), 10)


async def test_real_time_passes_too() -> None:
    clock = SimulatorClock()
    moment = clock.now() + timedelta(milliseconds=20)
    await asyncio.wait_for(clock.wait_until(moment), 10)
    assert clock.now() >= moment
