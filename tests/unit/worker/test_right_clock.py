"""Waits that a wrong clock set are looked for again and again, also after the journal was away."""

import asyncio
from datetime import datetime, timedelta

from fiksmelding.errors import JournalUnavailable
from fiksmelding.worker import watch_clock
from support.fake_clock import FakeClock


async def test_those_who_were_asleep_are_woken_and_a_journal_that_is_away_is_asked_again() -> None:
    clock, looked, woken = FakeClock(), list[datetime](), list[int]()
    answers: list[int | JournalUnavailable] = [0, JournalUnavailable("away"), 2]

    async def end_waits(at: datetime) -> int:
        looked.append(at)
        answer = answers.pop(0) if answers else 0
        if isinstance(answer, JournalUnavailable):
            raise answer
        return answer

    def wake() -> None:
        woken.append(len(looked))
        done.set()

    done = asyncio.Event()
    watching = asyncio.create_task(watch_clock(end_waits, clock, wake))
    async with asyncio.timeout(5):
        await done.wait()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert woken == [3]
    assert looked[1] - looked[0] == timedelta(seconds=5)
