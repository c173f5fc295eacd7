"""Stopping in order: Ctrl-C and a service manager's stop, on every platform."""

import asyncio
import signal
from collections.abc import Callable

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def on_stop_signal(stop: Callable[[], None]) -> None:
    """Call `stop` in the running loop when the process is asked to stop."""
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows' event loop has no signal handlers
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))


async def stop_requested() -> None:
    """Return when the process is asked to stop."""
    stopped = asyncio.Event()
    on_stop_signal(stopped.set)
    await stopped.wait()
