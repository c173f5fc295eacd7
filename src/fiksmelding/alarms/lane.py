"""One way to a person: alarms wait here, within a bound, until the other side takes them."""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice
from typing import Protocol

from fiksmelding.alarms.kinds import Alarm
from fiksmelding.clock import Clock, woken

log = logging.getLogger("fiksmelding.alarms")

FIRST_WAIT = 5.0
LONGEST_WAIT = 300.0
"""The longest wait between two attempts, in seconds."""
REFUSALS = 3
"""How often what was refused is offered again: settings at the other side may be wrong for a moment."""
STALE = timedelta(hours=24)
"""An alarm that nobody could be told of for so long is given up; the log has it."""


class NotTaken(Exception):
    """The other side could not be told now."""


class Refused(NotTaken):
    """The other side will not take it as it is."""


class Route(Protocol):
    """A way by which people hear of alarms."""

    @property
    def name(self) -> str:
        """What it is called: `webhook` or `mail`."""
        ...

    @property
    def at_once(self) -> int:
        """How many alarms fit into one message."""
        ...

    @property
    def pause_seconds(self) -> float:
        """How long it rests after a message, so that nobody gets hundreds, in seconds."""
        ...

    async def send(self, alarms: Sequence[Alarm], *, lost: int = 0) -> None:
        """Tell of alarms; when this returns, the other side has them.

        Args:
            alarms: What to tell, at least one.
            lost: How many before them could not be told, for there were too many.

        Raises:
            NotTaken: It has not.
        """
        ...


class Lane:
    """Sends alarms one way, in their order, in a task of its own.

    Args:
        route: The way.
        level: The least grave ones to send, as the levels of `logging`.
        room: How many may wait; beyond that the oldest give way.
        clock: Where times and waits come from.
    """

    def __init__(self, route: Route, *, level: int, room: int, clock: Clock) -> None:
        self.route = route
        self._level = level
        self._room = room
        self._clock = clock
        self._waiting: deque[Alarm] = deque()
        self._lost = 0
        self._lost_in_all = 0
        self._failures = 0
        self._changed = asyncio.Event()
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many have not been told yet."""
        return len(self._waiting)

    @property
    def undelivered(self) -> int:
        """How many were given up since the start."""
        return self._lost_in_all

    def put(self, alarm: Alarm) -> None:
        """Send an alarm soon. Returns at once."""
        if alarm.gravity < self._level:
            return
        if len(self._waiting) >= self._room:
            self._waiting.popleft()
            self._give_up(1, "there are too many")
        self._waiting.append(alarm)
        self._changed.set()

    def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._run(), name=f"alarms by {self.route.name}")

    async def finish(self, seconds: float) -> None:
        """Send what waits, with one attempt for each message, for at most `seconds`."""
        self._closing.set()
        self._changed.set()
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=seconds)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._waiting:
            self._give_up(len(self._waiting), "it was time to stop")
            self._waiting.clear()

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            await self._send_all()
            if self._closing.is_set():
                return

    async def _send_all(self) -> None:
        while self._waiting:
            last = self._closing.is_set()
            taken = await self._attempt()
            if last and not taken:
                return
            wait = self.route.pause_seconds if taken else min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** (self._failures - 1))
            await woken(self._closing, self._clock, wait)

    async def _attempt(self) -> bool:
        """Send one message; returns whether to go on at once."""
        self._drop_stale()
        batch = list(islice(self._waiting, self.route.at_once))
        if not batch:
            return True
        lost = self._lost
        try:
            await self.route.send(batch, lost=lost)
        except Exception as error:  # noqa: BLE001 - no fault of one way may end it: the next alarm matters
            self._failures = min(self._failures + 1, 30)
            told = str(error) if isinstance(error, NotTaken) else error.__class__.__name__
            log.error("Alarms are not told by %s now: %s. %d wait", self.route.name, told, len(self._waiting))  # noqa: TRY400
            if not isinstance(error, Refused) or self._failures < REFUSALS:
                return False
            self._give_up(len(batch), "they are refused")
            lost = 0
        self._failures = 0
        self._lost -= lost
        for alarm in batch:
            # While it was sent, the oldest may have given way.
            if self._waiting and self._waiting[0] is alarm:
                self._waiting.popleft()
        return True

    def _drop_stale(self) -> None:
        before = self._clock.now() - STALE
        count = 0
        while self._waiting and self._waiting[0].at < before:
            self._waiting.popleft()
            count += 1
        if count:
            self._give_up(count, f"they are older than {STALE // timedelta(hours=1)} hours")

    def _give_up(self, count: int, why: str) -> None:
        self._lost += count
        self._lost_in_all += count
        log.error(
            "%d alarms are not told by %s, for %s; the log has them",
            count,
            self.route.name,
            why,
            extra={"event": "alarm_lost"},
        )
