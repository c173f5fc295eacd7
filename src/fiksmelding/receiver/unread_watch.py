"""Registered reports that nobody opens: a person hears of each, once, until somebody has."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import timedelta
from typing import Final

from fiksmelding.alarms import AlarmKind, Alarms
from fiksmelding.clock import Clock
from fiksmelding.config import UnreadSettings
from fiksmelding.errors import JournalError
from fiksmelding.journal import Journal, Reading
from fiksmelding.monitoring import Telemetry

log = logging.getLogger("fiksmelding.receiver")

AT_ONCE: Final = 100
"""How many references the case system is asked about in one call."""
LOOK_SECONDS: Final = 60.0
"""How often is looked whether there is one to ask about, in seconds."""

Read = Callable[[Sequence[str]], Awaitable[Collection[str]]]
"""Tells which of some references, at most a hundred, somebody has opened in the case system."""


class UnreadWatch:
    """Asks the case system about reports that have been registered for a while.

    Args:
        settings: After how long, how often, and for how long a call may take.
        konto_id: Our account.
        journal: Where it is noted which were read, and which were told of.
        read: Asks the case system.
        alarms: Told of each that nobody has opened.
        clock: Where times and waits come from.
        telemetry: What measures.
    """

    def __init__(
        self,
        settings: UnreadSettings,
        konto_id: str,
        journal: Journal,
        read: Read,
        *,
        alarms: Alarms,
        clock: Clock,
        telemetry: Telemetry,
    ) -> None:
        self._settings = settings
        self._konto_id = konto_id
        self._journal = journal
        self._read = read
        self._alarms = alarms
        self._clock = clock
        self._telemetry = telemetry

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            try:
                more = await self.round()
            except JournalError as error:
                log.warning("whether reports were opened is not asked now: %s", error)
                more = False
            if not more:
                await self._clock.sleep(LOOK_SECONDS)

    async def round(self) -> bool:
        """Ask about the next reports; returns whether there may be more to ask about at once.

        Raises:
            JournalError: The journal cannot be used; what was not noted is asked again.
        """
        now = self._clock.now()
        again_at = now + timedelta(minutes=self._settings.again_minutes)
        due = await self._journal.readings.take_due(self._konto_id, now, again_at=again_at, limit=AT_ONCE)
        if not due:
            return False
        opened = await self._ask([reading.reference for reading in due])
        if opened is None:
            return False
        for reading in due:
            if reading.reference in opened:
                await self._journal.readings.read(reading, at=now)
            elif reading.alarmed_at is None:
                # First told, then noted: after a crash in between it is told twice rather than never.
                self._sound(reading)
                await self._journal.readings.alarmed(reading, at=now)
        return len(due) == AT_ONCE

    async def _ask(self, references: Sequence[str]) -> frozenset[str] | None:
        try:
            async with asyncio.timeout(self._settings.timeout_seconds):
                return frozenset(await self._read(references))
        except Exception as error:  # noqa: BLE001 - whatever it raises, the reports that were asked about are asked again
            self._telemetry.failed("unread_question")
            log.error(  # noqa: TRY400 - its text may hold what a report says
                "The case system does not tell which of %d reports were opened: %s. It is asked again",
                len(references),
                error.__class__.__name__,
                extra={"event": "unread_question"},
            )
            return None

    def _sound(self, reading: Reading) -> None:
        self._alarms.sound(
            AlarmKind.UNREAD,
            f"{reading.entry_id} (reference {reading.reference}) was registered at "
            f"{reading.registered_at.isoformat(timespec='minutes')}, and the case system says that nobody has opened "
            "it. See that somebody does.",
            entry_id=reading.entry_id,
        )
