"""A school's system in small: it keeps its own list of reports, sends them, follows them, and shows how they stand.

Usage: python school.py SETTINGS REPORT.json...

Run it again at any time, also after it was killed: what was sent is not sent again, for each report has a key.
"""

import asyncio
import logging
import sys
from pathlib import Path

from fiksmelding import Alarm, FiksmeldingError, NotSendable, Progress, Sender, Settings
from fiksmelding.messages import Bekymringsmelding, Feilmelding, MessageType, parse_json


class School:
    """The part of a school's system that has to do with reports.

    Args:
        sender: Sends them.
    """

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    async def report(self, file: Path) -> str:
        """Send one, follow it until it has arrived, and say how it went."""
        try:
            # The key is ours: a case number would do as well. It makes asking twice safe.
            sent = await self._sender.send(await asyncio.to_thread(read, file), key=file.name)
        except NotSendable as error:
            return f"{file.name}: not sent. {error}"  # a person has to act: the text says how
        except FiksmeldingError as error:
            return f"{file.name}: not sent, try again. {error}"
        # Your own system notes sent.id with the case, and shows it whenever someone asks.
        async for progress in sent.progress():
            show(file.name, progress)
        now = await sent.now()
        doubt = " It may be there twice." if now.uncertain else ""
        return f"{file.name}: {now.tilstand} at {now.order.receiver}, report {now.report_id}.{doubt}"


def read(file: Path) -> Bekymringsmelding:
    """A report out of a file; your own system makes it of what is in its database."""
    message_type = MessageType.OFFENTLIG_V2 if "offentlig" in file.name else MessageType.PRIVAT_V2
    message = parse_json(file.read_bytes(), message_type)
    if isinstance(message, Feilmelding):
        raise FiksmeldingError(f"{file.name} is no report.")
    return message


def show(name: str, progress: Progress) -> None:
    """What the one who reported sees in the system."""
    print(f"{progress.at:%Y-%m-%d %H:%M:%S} {name}: {progress.tilstand or progress.kind.value}", flush=True)


def call_someone(alarm: Alarm) -> None:
    """What must reach a person: here it is printed; yours sends a message to whoever is on watch."""
    print(f"ALARM ({logging.getLevelName(alarm.level)}): {alarm.text}", flush=True)


async def main(settings: Path, files: list[Path]) -> None:
    async with Sender(Settings.load(settings), on_alarm=call_someone) as sender:
        school = School(sender)
        for told in await asyncio.gather(*(school.report(file) for file in files)):
            print(told)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), [Path(name) for name in sys.argv[2:]]))
