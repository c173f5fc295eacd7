"""Canaries at an interval: when none comes back for a while, a person hears of it."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from fiksmelding.alarms import SILENCE, AlarmKind, Alarms
from fiksmelding.broker import ConsumerState
from fiksmelding.clock import Clock, woken
from fiksmelding.config import CanarySettings
from fiksmelding.errors import FiksmeldingError, JournalUnavailable
from fiksmelding.receiver.canary import CanarySending
from fiksmelding.receiver.status import ReceiverStatus

log = logging.getLogger("fiksmelding.receiver")

LOOK_SECONDS: Final = 30.0
"""How often is looked whether one came back to another process, in seconds."""
UNSUBSCRIBED_SECONDS: Final = 1.0
"""How often is looked whether we are subscribed, before one that is due is sent, in seconds."""


class CanaryWatch:
    """Sends canaries and waits for them.

    Args:
        settings: How often, and how long a silence may be.
        sending: Sends one.
        alarms: Told of a silence, and of its end.
        clock: Where times and waits come from.
        status: How we stand with everything around us.
    """

    def __init__(
        self,
        settings: CanarySettings,
        sending: CanarySending,
        *,
        alarms: Alarms,
        clock: Clock,
        status: Callable[[], ReceiverStatus],
    ) -> None:
        self._every = timedelta(minutes=settings.every_minutes or 0)
        self._silence = timedelta(minutes=settings.silent_minutes)
        self._sending = sending
        self._alarms = alarms
        self._clock = clock
        self._status = status
        self._came = asyncio.Event()
        self._heard_at = clock.now()
        self._told_at: datetime | None = None
        self._trouble = ""

    def came(self) -> None:
        """A canary came back; it may be ours."""
        self._came.set()

    async def run(self) -> None:
        """Send canaries until cancelled."""
        self._heard_at = self._clock.now()
        next_at = self._clock.monotonic()
        while True:
            rest = min(LOOK_SECONDS, self._every.total_seconds())
            if self._clock.monotonic() >= next_at:
                if self._status().broker.state is ConsumerState.CONSUMING:
                    await self._send()
                    next_at = self._clock.monotonic() + self._every.total_seconds()
                else:
                    rest = min(UNSUBSCRIBED_SECONDS, rest)
            await woken(self._came, self._clock, rest)
            self._came.clear()
            await self._look()

    async def _send(self) -> None:
        try:
            await self._sending.send(lives=max(self._silence, timedelta(seconds=60)))
            self._trouble = ""
        except FiksmeldingError as error:
            self._sending.telemetry.canary("failed")
            self._trouble = f" The last one could not be sent: {error}"
            log.warning("a canary could not be sent: %s", error, extra={"event": "canary_failed"})

    async def _look(self) -> None:
        """See whether one came back, and tell when none has for too long."""
        try:
            heard = await self._sending.journal.canaries.last_arrival(self._sending.sender)
        except JournalUnavailable:
            return  # that is told already
        if heard is not None and heard > self._heard_at:
            self._heard_at = heard
            if self._told_at is not None:
                self._told_at = None
                self._alarms.over(AlarmKind.CANARY_SILENT, "A canary came back: messages arrive again.")
        now = self._clock.now()
        if now - self._heard_at < self._silence or self._status().journal_down_since is not None:
            return
        if self._told_at is None or now - self._told_at >= SILENCE:
            self._told_at = now
            self._alarms.sound(AlarmKind.CANARY_SILENT, self._text())

    def _text(self) -> str:
        broker = self._status().broker
        return (
            f"No message that we sent to our own account has come back since "
            f"{self._heard_at.isoformat(timespec='minutes')}. Reports may be waiting at the platform without reaching "
            f"us. We stand with the queue as: {broker.state}. {broker.reason}".rstrip()
            + self._trouble
        )
