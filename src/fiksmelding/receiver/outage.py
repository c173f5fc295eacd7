"""While the journal cannot write: consuming stops, one alarm is raised, and all goes on by itself when it can again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from fiksmelding.alarms import AlarmKind, Alarms
from fiksmelding.clock import Clock
from fiksmelding.errors import JournalUnavailable
from fiksmelding.journal import Journal
from fiksmelding.worker import Backoff

log = logging.getLogger("fiksmelding.receiver")


class Outage:
    """Knows whether the journal can write. Whoever could not waits here, while one look after the other is taken.

    Args:
        journal: The journal.
        clock: Where times and waits come from.
        backoff: How long to wait between two looks.
        alarms: Who is told, once.
        pause: Stops consuming: a delivery that waits unacknowledged for long counts as a failed attempt.
        resume: Starts it again.
    """

    def __init__(
        self,
        *,
        journal: Journal,
        clock: Clock,
        backoff: Backoff,
        alarms: Alarms,
        pause: Callable[[], Awaitable[None]],
        resume: Callable[[], Awaitable[None]],
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._backoff = backoff
        self._alarms = alarms
        self._pause = pause
        self._resume = resume
        self._looking: asyncio.Task[None] | None = None
        self._size = 0
        self._since: datetime | None = None
        self._closed = False

    @property
    def since(self) -> datetime | None:
        """Since when the journal cannot be used, aware UTC; None when it can."""
        return self._since

    async def wait(self, error: JournalUnavailable, *, size: int = 0) -> None:
        """Return when the journal takes what it just refused.

        Args:
            error: What it said.
            size: How much was to be written, in bytes: a disk may be too full for that and not for less.

        Raises:
            JournalUnavailable: `error`, for nobody looks any more.
        """
        if self._closed:
            raise error
        self._size = max(self._size, size)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_until_usable(error), name="journal outage")
        await asyncio.shield(self._looking)

    async def aclose(self) -> None:
        """Look no more; whoever waits is cancelled. Closing twice does nothing."""
        self._closed = True
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    async def _look_until_usable(self, error: JournalUnavailable) -> None:
        looks = 0
        while not await self._usable():
            if self._since is None:
                await self._begin(error)
            looks += 1
            await self._clock.sleep(self._backoff.after(looks).total_seconds())
        self._size = 0
        if self._since is not None:
            await self._end()

    async def _usable(self) -> bool:
        try:
            await self._journal.check_writable(self._size, at=self._clock.now())
        except JournalUnavailable as error:
            log.debug("the journal still cannot be used: %s", error)
            return False
        return True

    async def _begin(self, error: JournalUnavailable) -> None:
        self._since = self._clock.now()
        self._alarms.sound(
            AlarmKind.JOURNAL_DOWN,
            f"{error} Nothing is acknowledged and nothing more consumed until the journal can be used; "
            "what is not acknowledged stays with the broker. It goes on by itself.",
        )
        await self._pause()

    async def _end(self) -> None:
        self._since = None
        self._alarms.over(AlarmKind.JOURNAL_DOWN, "The journal can be used again; consuming goes on.")
        await self._resume()
