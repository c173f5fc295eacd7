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
        FiksmeldingError: The receiver cannot be opened, or, when waiting for idleness, the broker refuses us.
    """
    handler = FolderHandler(folder)
    async with Receiver(settings, handler, confirm=handler.confirm) as receiver:
        on_stop_signal(receiver.stop)
        if until_idle is None:
            await receiver.run()
        else:
            await _run_until_idle(receiver, until_idle)


async def _run_until_idle(receiver: Receiver, seconds: float) -> None:
    running = asyncio.create_task(receiver.run(), name="receiver")
    idle = asyncio.create_task(receiver.wait_until_idle(seconds), name="idle")
    try:
        await asyncio.wait({running, idle}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        idle.cancel()
        receiver.stop()
        await asyncio.wait({running, idle})
    for task in (running, idle):
        if not task.cancelled():
            task.result()
