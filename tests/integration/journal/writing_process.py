"""Keeps messages and takes steps as fast as it can, and tells each only once the journal has confirmed it.

Usage: python writing_process.py URL
"""

import asyncio
import sys
from itertools import count
from uuid import uuid4

from fiksmelding.config import JournalSettings
from fiksmelding.journal import Change, EventKind, Journal, State
from support.arrivals import NOON, arrival
from support.journals import LEASE


def tell(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


async def keep(journal: Journal) -> None:
    for number in count():
        kept = await journal.keep(arrival(), b"x" * (number % 5000))
        tell("kept", kept.entry_id, str(number % 5000))


async def walk(journal: Journal, owner: str) -> None:
    while True:
        for entry in await journal.claim(NOON, owner=owner, lease=LEASE, limit=3):
            change = Change(event=EventKind.QUARANTINED, state=State.QUARANTINED, due_at=None)
            await journal.record(entry, change, at=NOON)
            tell("walked", entry.id)
        await asyncio.sleep(0)


async def main(url: str) -> None:
    async with Journal(JournalSettings(url=url, chunk_bytes=1024)) as journal, asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(keep(journal))
            tasks.create_task(walk(journal, str(uuid4())))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
