"""Where alarms go besides the log: each way has a lane of its own, and none keeps a report waiting."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Self

from fiksmelding.alarms.kinds import Alarm, AlarmKind, AlarmObserver
from fiksmelding.alarms.lane import Lane, NotTaken, Route
from fiksmelding.alarms.sounding import Alarms
from fiksmelding.clock import Clock, SystemClock
from fiksmelding.config import AlarmsSettings


class AlarmRoutes:
    """An observer of alarms that sends them on by webhook and e-mail, as the settings say.

    ```python
    async with AlarmRoutes(settings.alarms) as routes:
        alarms = Alarms(clock, routes)
    ```

    What cannot be told now waits, within a bound, and is told when it can; closing sends what waits, for
    `alarms.stop_seconds` at most.

    Args:
        settings: Who is told, and how.
        clock: Where times and waits come from.
    """

    def __init__(self, settings: AlarmsSettings, clock: Clock | None = None) -> None:
        self._settings = settings
        self._clock: Clock = clock or SystemClock()
        self._stack = AsyncExitStack()
        self._lanes: tuple[Lane, ...] = ()

    async def __aenter__(self) -> Self:
        """Make ready to send.

        Raises:
            SettingsError: A way is described in half, or a file of it cannot be used.
        """
        async with AsyncExitStack() as stack:
            lanes = [
                Lane(route, level=level, room=self._settings.room, clock=self._clock)
                for route, level in await self._open_routes(stack)
            ]
            for lane in lanes:
                lane.start()
            self._lanes = tuple(lanes)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Send what waits, within `alarms.stop_seconds`, and let go of everything. Closing twice does nothing."""
        lanes, self._lanes = self._lanes, ()
        await asyncio.gather(*(lane.finish(self._settings.stop_seconds) for lane in lanes))
        await self._stack.aclose()

    @property
    def lanes(self) -> Sequence[Lane]:
        """The ways that there are, and how much waits in each."""
        return self._lanes

    def __call__(self, alarm: Alarm) -> None:
        """Send an alarm every way that wants it. Returns at once."""
        for lane in self._lanes:
            lane.put(alarm)

    async def try_each(self, text: str) -> dict[str, str | None]:
        """Send a trial alarm each way, at once and whatever its level.

        Args:
            text: What it says.

        Returns:
            For each way, by its name, what went wrong; None where nothing did.
        """
        trial = Alarm(kind=AlarmKind.TEST, text=text, at=self._clock.now())
        return {lane.route.name: await _tried(lane.route, trial) for lane in self._lanes}

    async def _open_routes(self, stack: AsyncExitStack) -> list[tuple[Route, int]]:
        """Every way that the settings describe, with the level that it begins at."""
        settings, routes = self._settings, list[tuple[Route, int]]()
        # What a way needs is loaded only where there is one.
        if settings.webhook_url is not None:
            from fiksmelding.alarms.webhook import WebhookRoute  # noqa: PLC0415

            webhook = await stack.enter_async_context(WebhookRoute(settings.webhook_url, settings, self._clock))
            routes.append((webhook, _level(settings.webhook_level)))
        if settings.mail_to:
            from fiksmelding.alarms.mail import MailRoute, mail_tls  # noqa: PLC0415

            tls = await asyncio.to_thread(mail_tls, settings)
            routes.append((MailRoute(settings, self._clock, tls), _level(settings.mail_level)))
        return routes


@asynccontextmanager
async def open_alarms(
    settings: AlarmsSettings, *observers: AlarmObserver, clock: Clock | None = None
) -> AsyncIterator[Alarms]:
    """Alarms that are logged and go wherever the settings say, for a command that has to raise one.

    Args:
        settings: Who is told, and how.
        observers: Who else hears of them.
        clock: Where the time is read.

    Raises:
        SettingsError: As for `AlarmRoutes`.
    """
    chosen = clock or SystemClock()
    async with AlarmRoutes(settings, chosen) as routes:
        yield Alarms(chosen, routes, *observers)


async def _tried(route: Route, trial: Alarm) -> str | None:
    try:
        await route.send([trial])
    except NotTaken as error:
        return str(error)
    return None


def _level(name: str) -> int:
    return logging.getLevelNamesMapping()[name.upper()]
