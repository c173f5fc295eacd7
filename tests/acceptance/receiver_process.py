"""A receiver in a process of its own, which can be told to kill itself right after a step.

Usage: python receiver_process.py SETTINGS FOLDER STEP
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from fiksmelding.config import Settings
from fiksmelding.receiver import FolderHandler, Receiver, Step


async def receive(settings: Path, folder: Path, fatal: Step) -> None:
    handler = FolderHandler(folder)

    def observe(step: Step, _entry_id: str) -> None:
        if step is fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    async with Receiver(Settings.load(settings), handler, confirm=handler.confirm, observe=observe) as receiver:
        await receiver.run()


if __name__ == "__main__":
    asyncio.run(receive(Path(sys.argv[1]), Path(sys.argv[2]), Step(sys.argv[3])))
