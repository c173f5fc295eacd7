"""`fiksmelding receive`: from the queue into a folder."""

import asyncio
from pathlib import Path

from fiksmelding.cli.signals import on_stop_signal
from fiksmelding.config import Settings
from fiksmelding.receiver import FolderHandler, Receiver


async def receive_to_folder(settings: Settings, folder: Path, *, until_idle: float | None) -> None:
    """Receive reports into a folder until stopped by a signal, or until nothing has happened for a while.

    Args:
        settings: Account, platform, broker, journal and policies.
        folder: Where the reports go.
        until_idle: Stop after this many seconds without anything to do; None for never.

    Raises:
        FiksmeldingError: The receiver cannot be opened.
    """
    handler = FolderHandler(folder)
    async with Receiver(settings, handler, confirm=handler.confirm) as receiver:
        on_stop_signal(receiver.stop)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(receiver.run(), name="receiver")
            if until_idle is not None:
                await receiver.wait_until_idle(until_idle)
                receiver.stop()
