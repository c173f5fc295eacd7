"""A clock whose waits take no time."""

import asyncio
from datetime import UTC, datetime, timedelta


class FakeClock:
    """Stands still unless told otherwise; a sleep moves it and is remembered."""

    def __init__(self) -> None:
        self.start = datetime.now(UTC)
        self.elapsed = 0.0
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.elapsed)

    def monotonic(self) -> float:
        return 1000.0 + self.elapsed

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)
        await asyncio.sleep(0)

    def advance(self, seconds: float) -> None:
        self.elapsed += max(0.0, seconds)
