"""Keeps one message by document in a journal, and tells by how much that made the process grow, in bytes.

Usage: python keeping_process.py URL-OF-THE-STORE FOLDER-WITH-KEYS JOURNAL-URL
"""

import asyncio
import resource
import sys
from pathlib import Path
from uuid import uuid4

from fiksmelding.alarms import Alarms
from fiksmelding.clock import SystemClock
from fiksmelding.config import JournalSettings, Settings
from fiksmelding.fiks import Documents, FiksSession
from fiksmelding.journal import Journal
from fiksmelding.receiver.documents import DocumentKeeper
from support.arrivals import arrival


def largest_yet() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


async def main(settings: Settings, journal_url: str) -> None:
    clock = SystemClock()
    async with (
        FiksSession(settings) as session,
        Journal(JournalSettings(url=journal_url, chunk_bytes=1_048_576)) as journal,
    ):
        keeper = DocumentKeeper(journal=journal, documents=Documents(session), clock=clock, alarms=Alarms(clock))
        await keeper.keep(arrival(dokumentlager_id=str(uuid4())), give_up_at=clock.monotonic() + 3600)
        before = largest_yet()
        kept = await keeper.keep(arrival(dokumentlager_id=str(uuid4())), give_up_at=clock.monotonic() + 3600)
        grown = largest_yet() - before
        sys.stdout.write(f"{(await journal.entry(kept.entry_id)).size} {grown}\n")


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    tables = {
        "account": {"id": str(uuid4()), "private_keys": ["key.pem"]},
        "integration": {"id": str(uuid4()), "password": "p"},
        "maskinporten": {"issuer": f"{sys.argv[1]}/", "client_id": "c", "private_key": "key.pem", "key_id": "k"},
        "platform": {"api_url": sys.argv[1]},
    }
    asyncio.run(main(Settings.of(tables, folder=folder, environment={}), sys.argv[3]))
