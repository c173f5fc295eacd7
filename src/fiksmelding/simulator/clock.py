"""The simulator's time: real, but it can be pushed forward."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

__all__ = ["SimulatorClock"]


class SimulatorClock:
    """Runs like the machine's clock, and jumps forward when told to.

    It never goes back, also when the machine's clock is corrected. Use it from one event loop only.

    Args:
        offset: How far ahead of the machine's clock it starts: what an earlier run was pushed forward.
        on_advance: Told the new offset when it is pushed forward.
    """

    def __init__(
        self, *, offset: timedelta = timedelta(0), on_advance: Callable[[timedelta], None] | None = None
    ) -> None:
        self._on_advance = on_advance
        self._offset = offset
        self._started_at = datetime.now(UTC)
        self._started = time.monotonic()
        self._advanced = asyncio.Event()

    @property
    def offset(self) -> timedelta:
        """How far it has been pushed forward in all."""
        return self._offset

    def now(self) -> datetime:
        """The simulated time of day: aware, in UTC."""
        return self._started_at + timedelta(seconds=time.monotonic() - self._started) + self._offset

    def advance(self, by: timedelta) -> None:
        """Jump forward; whoever waits for a moment now past goes on.

        Raises:
            ValueError: `by` is negative.
        """
        if by < timedelta(0):
            raise ValueError("The simulator's clock cannot go back.")
        self._offset += by
        if self._on_advance:
            self._on_advance(self._offset)
        self._advanced.set()
        self._advanced = asyncio.Event()

    async def wait_until(self, moment: datetime) -> None:
        """Return when the clock shows `moment` (aware) or later; at once when it already does."""
        while (seconds := (moment - self.now()).total_seconds()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):  # wait_for of Python 3.11 may swallow a cancellation.
                    await self._advanced.wait()
