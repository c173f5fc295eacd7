"""Time as a part that can be exchanged, so that no test waits and no duration is measured on a clock that jumps."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Final, Protocol
from zoneinfo import ZoneInfo

NORWAY: Final = ZoneInfo("Europe/Oslo")
"""The time zone of everybody who reads a time of ours."""


class Clock(Protocol):
    """Where the client side reads the time.

    Records carry `now()`, durations are differences of `monotonic()`.
    """

    def now(self) -> datetime:
        """The time of day: aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`; at once for zero or less."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The time of day: aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds`; at once for zero or less."""
        await asyncio.sleep(max(0.0, seconds))


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
