import asyncio
from datetime import timedelta

import pytest

from fiksmelding.simulator import SimulatorClock
from fiksmelding.simulator.background import Agenda, Background


async def fail() -> None:
    raise LookupError("broken")


async def fail_beside(background: Background) -> None:
    async with background:
        background.start(fail(), name="failing")
        with pytest.raises(LookupError, match="broken"):
            await background.failed()


async def fail_both() -> None:
    async with Background() as background:
        background.start(fail(), name="failing")
        await asyncio.sleep(0)
        raise KeyError("body")


async def test_the_failure_of_a_task_is_raised_at_the_end_and_to_those_who_wait() -> None:
    with pytest.raises(LookupError, match="broken"):
        await fail_beside(Background())


async def test_what_the_body_raises_is_not_hidden_by_a_failing_task() -> None:
    with pytest.raises(KeyError, match="body"):
        await fail_both()


async def test_tasks_end_with_the_body() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with Background() as background:
        background.start(work(), name="waiting")
        await asyncio.sleep(0)

    assert ended.is_set()


async def test_what_is_due_is_done_in_order_as_the_clock_is_pushed_forward() -> None:
    clock, done = SimulatorClock(), asyncio.Event()
    agenda, happened = Agenda(clock), list[str]()
    start = clock.now()
    agenda.at(start + timedelta(days=3), lambda: happened.append("third"))
    async with Background() as background:
        background.start(agenda.run(), name="agenda")
        await asyncio.sleep(0)
        agenda.at(start + timedelta(days=1), lambda: happened.append("first"))
        agenda.at(start + timedelta(days=2), lambda: happened.append("second"))
        agenda.at(start + timedelta(days=2), done.set)

        clock.advance(timedelta(days=2, hours=1))
        await asyncio.wait_for(done.wait(), 5)

        assert happened == ["first", "second"]
        clock.advance(timedelta(days=2))
        agenda.do_due()
        assert happened == ["first", "second", "third"]


@pytest.mark.parametrize("turns", range(6))
async def test_an_agenda_that_is_stopped_just_as_it_wakes_does_stop(turns: int) -> None:
    clock = SimulatorClock()
    agenda = Agenda(clock)
    agenda.at(clock.now() + timedelta(days=1), lambda: None)
    task = asyncio.create_task(agenda.run())
    await asyncio.sleep(0)
    agenda.at(clock.now() + timedelta(days=2), lambda: None)
    for _ in range(turns):
        await asyncio.sleep(0)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
