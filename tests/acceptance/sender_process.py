"""A sender in a process of its own, which can be told to kill itself right after a step.

Usage: python sender_process.py SETTINGS REPORT [STEP]
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from fiksmelding import Sender, Settings
from fiksmelding.journal.outbox import OutgoingState
from fiksmelding.messages import MessageType, PrivatBekymringsmelding, parse_json
from fiksmelding.sender import SendStep


async def send(settings: Path, file: Path, fatal: SendStep | None) -> None:
    report = parse_json(file.read_bytes(), MessageType.PRIVAT_V2)
    assert isinstance(report, PrivatBekymringsmelding)

    def observe(step: SendStep, _sent_id: str) -> None:
        if step is fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    async with Sender(Settings.load(settings), observe=observe) as sender:
        sent = await sender.send(report, to="Bergen", key="case-17")
        await sent.until(OutgoingState.ERASED)


if __name__ == "__main__":
    asyncio.run(send(Path(sys.argv[1]), Path(sys.argv[2]), SendStep(sys.argv[3]) if len(sys.argv) > 3 else None))
