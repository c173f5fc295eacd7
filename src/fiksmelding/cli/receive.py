"""`fiksmelding receive`: from the queue into a folder, or to a webhook."""

import asyncio
from pathlib import Path

from fiksmelding.cli.signals import on_stop_signal
from fiksmelding.config import Settings
from fiksmelding.errors import SettingsError
from fiksmelding.receiver import Confirm, FolderHandler, Handler, Receiver, WebhookHandler


async def receive(settings: Settings, *, folder: Path | None, webhook: str | None, until_idle: float | None) -> None:
    """Receive reports until stopped by a signal, or until nothing has happened for a while.

    Args:
        settings: Account, platform, broker, journal and policies.
        folder: Where each report becomes a folder.
        webhook: Where each report is posted; `webhook.url` of the settings when there is neither.
        until_idle: Stop after this many seconds without anything to do; None for never.

    Raises:
        SettingsError: Both are given, or neither.
        FiksmeldingError: The receiver cannot be opened, or, when waiting for idleness, the broker refuses us.
    """
    if folder is not None and webhook is not None:
        raise SettingsError("Reports go to a folder or to a webhook, not both.")
    if folder is not None:
        folders = FolderHandler(folder)
        await _receive(settings, folders, folders.confirm, until_idle)
        return
    if webhook is None and settings.webhook.url is None:
        raise SettingsError("Say where reports go: --to-folder, --to-webhook, or webhook.url in the settings.")
    posted = settings.webhook if webhook is None else settings.webhook.model_copy(update={"url": webhook})
    async with WebhookHandler(posted) as handler:
        await _receive(settings, handler, handler.confirm if posted.confirm else None, until_idle)


async def _receive(settings: Settings, handler: Handler, confirm: Confirm | None, until_idle: float | None) -> None:
    async with Receiver(settings, handler, confirm=confirm) as receiver:
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
