"""A clock that only moves when told."""

import asyncio
from datetime import datetime, timedelta

from support.arrivals import NOON


class StillClock:
    """Stands still until `advance`; sleepers wake when their time has come."""

    def __init__(self, start: datetime = NOON) -> None:
        self._now = start
        self._elapsed = 0.0
        self._moved = asyncio.Event()

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._elapsed

    def advance(self, wait: timedelta) -> None:
        self._now += wait
        self._elapsed += wait.total_seconds()
        self._moved.set()
        self._moved = asyncio.Event()

    def set_back(self, by: timedelta) -> None:
        """Let the time of day go back; what has elapsed stays."""
        self._now -= by

    async def sleep(self, seconds: float) -> None:
        until = self._elapsed + seconds
        while self._elapsed < until:
            await self._moved.wait()
