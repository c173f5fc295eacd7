"""After a clock that was wrong: what it put to sleep is found, and goes on."""

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

from fiksmelding.clock import Clock
from fiksmelding.errors import JournalUnavailable

log = logging.getLogger("fiksmelding.worker")

CLOCK_SECONDS: Final = 5.0
"""How often is looked for waits that cannot be, in seconds."""
CLOCKS_DIFFER_SECONDS: Final = 60.0
"""How far the clocks of processes may be apart before one takes another's waits for impossible, in seconds."""
LONGEST_LEASE: Final = 10
"""How many of our leases the lease of another process may be long."""


async def watch_clock(end_waits: Callable[[datetime], Awaitable[int]], clock: Clock, wake: Callable[[], None]) -> None:
    """Wake reports that a wrong clock has put to sleep, here or on another machine, once it is right again.

    Runs until it is cancelled.

    Args:
        end_waits: Ends waits that are longer than can be, by the time given; returns how many.
        clock: Where the time is read.
        wake: Called when some were ended.
    """
    while True:
        try:
            count = await end_waits(clock.now())
        except JournalUnavailable as error:
            log.warning("what waits is not looked through now: %s", error)
        else:
            if count:
                log.warning("%d reports were to wait until a time set by a wrong clock; they go on now", count)
                wake()
        await clock.sleep(CLOCK_SECONDS)
