"""Waiting for a word, but not for ever."""

import asyncio

from fiksmelding.clock import Clock


async def woken(event: asyncio.Event, clock: Clock, seconds: float) -> None:
    """Return when `event` is set, or after `seconds`."""
    waiting = asyncio.create_task(event.wait(), name="woken")
    resting = asyncio.create_task(clock.sleep(seconds), name="rest")
    try:
        await asyncio.wait({waiting, resting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        resting.cancel()
        await asyncio.gather(waiting, resting, return_exceptions=True)
