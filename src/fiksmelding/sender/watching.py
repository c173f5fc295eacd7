"""Waiting for what happens to a report."""

import asyncio

from fiksmelding.clock import Clock, woken

LONGEST_REST = 1.0
"""Another process may take the steps: the outbox is looked at this often at least, in seconds."""


class Watch:
    """Wakes those who wait for a change.

    Args:
        clock: Where waits come from.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = asyncio.Event()

    def notify(self) -> None:
        """Something happened to some report."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def change(self) -> None:
        """Return when something may have happened."""
        await woken(self._changed, self._clock, LONGEST_REST)
