"""`fiksmelding receive`: from the queue into a folder, or to a webhook."""

import asyncio

from fiksmelding.cli.handlers import HandlerChoice, opened_handler
from fiksmelding.cli.signals import on_stop_signal
from fiksmelding.config import Settings
from fiksmelding.errors import SettingsError
from fiksmelding.receiver import Confirm, Handler, Receiver


async def receive(settings: Settings, choice: HandlerChoice, *, until_idle: float | None) -> None:
    """Receive reports until stopped by a signal, or until nothing has happened for a while.

    Args:
        settings: Account, platform, broker, journal and policies.
        choice: Where reports go; `webhook.url` of the settings when it does not say.
        until_idle: Stop after this many seconds without anything to do; None for never.

    Raises:
        SettingsError: Nothing says where reports go, or two things do.
        FiksmeldingError: The receiver cannot be opened, or, when waiting for idleness, the broker refuses us.
    """
    async with opened_handler(settings, choice) as side:
        if side is None:
            raise SettingsError(
                "Say where reports go: --to-folder, --to-webhook, --handler, or webhook.url in the settings."
            )
        await _receive(settings, *side, until_idle)


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
