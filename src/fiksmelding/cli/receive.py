"""`fiksmelding receive`: from the queue into a folder."""

import asyncio
import signal
from pathlib import Path

from fiksmelding.config import Settings
from fiksmelding.receiver import FolderHandler, Receiver

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


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
        _stop_on_signal(receiver)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(receiver.run(), name="receiver")
            if until_idle is not None:
                await receiver.wait_until_idle(until_idle)
                receiver.stop()


def _stop_on_signal(receiver: Receiver) -> None:
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        try:
            loop.add_signal_handler(number, receiver.stop)
        except NotImplementedError:  # Windows' event loop has no signal handlers
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(receiver.stop))
