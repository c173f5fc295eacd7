"""How the consumer is doing."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fiksmelding.clock import Clock

log = logging.getLogger(__name__)


class ConsumerState(StrEnum):
    """What the consumer is doing."""

    CONNECTING = "connecting"
    """Not connected; trying."""
    CONSUMING = "consuming"
    """The broker confirmed the consumer on the present connection."""
    PAUSED = "paused"
    """Takes no deliveries because it was told so."""
    REFUSED = "refused"
    """The broker, or who gives the credentials, refuses us; tried again slowly, since a token may come right."""
    CLOSED = "closed"
    """Ended."""


LEVELS = {ConsumerState.CONNECTING: logging.WARNING, ConsumerState.REFUSED: logging.ERROR}


@dataclass(frozen=True, slots=True)
class ConsumerStatus:
    """A state, since when, and why.

    Attributes:
        state: What the consumer is doing.
        since: When it began to: aware, UTC.
        reason: Why, in a sentence; "" when it is as it should be.
    """

    state: ConsumerState
    since: datetime
    reason: str = ""


class StatusBoard:
    """Holds the status, logs each change once, and wakes who waits for one."""

    def __init__(self, queue: str, clock: Clock) -> None:
        self._queue = queue
        self._clock = clock
        self._status = ConsumerStatus(ConsumerState.CONNECTING, clock.now())
        self._changed = asyncio.Event()

    @property
    def status(self) -> ConsumerStatus:
        """The present status."""
        return self._status

    def show(self, state: ConsumerState, reason: str = "") -> None:
        """Change the status, if it is a change."""
        if (state, reason) == (self._status.state, self._status.reason):
            return
        since = self._status.since if state is self._status.state else self._clock.now()
        self._status = ConsumerStatus(state, since, reason)
        log.log(LEVELS.get(state, logging.INFO), "queue %s: %s %s", self._queue, state.value, reason)
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, *states: ConsumerState) -> ConsumerStatus:
        """Wait for one of `states`."""
        while self._status.state not in states:
            await self._changed.wait()
        return self._status
