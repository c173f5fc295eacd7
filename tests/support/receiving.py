"""A receiver that runs for the length of a block, and the steps it takes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fiksmelding.alarms import Alarm
from fiksmelding.config import Settings
from fiksmelding.receiver import Confirm, FolderHandler, Handler, Receiver, Step

PATIENCE_SECONDS = 20


class Receiving:
    """A running receiver and the steps it has taken."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.steps: list[tuple[Step, str]] = []
        self.alarms: list[Alarm] = []
        self._happened = asyncio.Event()
        self._receiver: Receiver | None = None

    @property
    def receiver(self) -> Receiver:
        assert self._receiver is not None
        return self._receiver

    def begins(self, receiver: Receiver) -> None:
        self._receiver = receiver

    def observe(self, step: Step, entry_id: str) -> None:
        self.steps.append((step, entry_id))
        self._happened.set()

    def alarm(self, alarm: Alarm) -> None:
        self.alarms.append(alarm)
        self._happened.set()

    async def until(self, step: Step, count: int = 1) -> None:
        """Wait until `step` was taken for so many entries."""
        while len({entry_id for taken, entry_id in self.steps if taken is step}) < count:
            await self._something()

    async def until_alarms(self, count: int) -> None:
        """Wait until so many alarms were raised, or ended."""
        while len(self.alarms) < count:
            await self._something()

    def stored(self) -> set[str]:
        return {path.name for path in self.folder.iterdir()} if self.folder.exists() else set()

    async def _something(self) -> None:
        self._happened.clear()
        await asyncio.wait_for(self._happened.wait(), PATIENCE_SECONDS)


@asynccontextmanager
async def receiving(
    settings: Settings, folder: Path, *, handler: Handler | None = None, confirm: Confirm | None = None
) -> AsyncIterator[Receiving]:
    """A running receiver; without a handler of its own it stores folders, and reads them back."""
    folders = FolderHandler(folder)
    work = Receiving(folder)
    chosen = (handler, confirm) if handler is not None else (folders, folders.confirm)
    async with Receiver(settings, chosen[0], confirm=chosen[1], observe=work.observe, alarm=work.alarm) as receiver:
        work.begins(receiver)
        running = asyncio.create_task(receiver.run())
        try:
            yield work
        finally:
            receiver.stop()
            await asyncio.wait_for(running, 30)


def with_receiver(settings: Settings, **changes: float) -> Settings:
    """The settings, with others for the receiver."""
    return settings.model_copy(update={"receiver": settings.receiver.model_copy(update=changes)})
