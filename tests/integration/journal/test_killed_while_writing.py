"""Whatever was confirmed is there after `kill -9`, and what is there is whole."""

import asyncio
import os
import random
import sys
from asyncio.subprocess import PIPE, Process
from collections import Counter
from pathlib import Path

import pytest

from fiksmelding.config import JournalSettings
from fiksmelding.journal import Journal, State
from support.arrivals import NOON
from support.journals import LEASE, ask, stored

PROGRAM = Path(__file__).with_name("writing_process.py")
TESTS = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")


async def start(url: str) -> Process:
    # The command of a process of its own has the tests' own help at hand.
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    return await asyncio.create_subprocess_exec(sys.executable, str(PROGRAM), url, stdout=PIPE, env=environment)


async def killed_after(process: Process, lines: int) -> list[list[str]]:
    """What the process told until it was killed; the last line may be cut off."""
    assert process.stdout is not None
    told = [await process.stdout.readline() for _ in range(lines)]
    process.kill()
    rest, _ = await process.communicate()
    told += rest.splitlines(keepends=True)
    return [line.decode().split() for line in told if line.endswith(b"\n")]


async def test_all_that_was_confirmed_is_there_after_kill_9_and_the_log_is_whole(at: JournalSettings) -> None:
    chance = random.Random(20260302)
    kept: dict[str, int] = {}
    walked: Counter[str] = Counter()
    for _ in range(3):
        for kind, entry_id, *size in await killed_after(await start(at.url), chance.randint(1, 120)):
            if kind == "kept":
                kept[entry_id] = int(size[0])
            else:
                walked[entry_id] += 1
    assert kept
    assert max(walked.values(), default=1) == 1, "an entry was walked twice"
    async with Journal(at) as journal:
        entries = {entry.id: entry for entry in await journal.entries()}
        assert set(kept) <= set(entries)
        assert all(entries[entry_id].state is State.QUARANTINED for entry_id in walked)
        assert {entry_id: entries[entry_id].size for entry_id in kept} == kept
        for entry_id in chance.sample(sorted(kept), min(10, len(kept))):
            assert len(await stored(journal, entry_id)) == kept[entry_id]
        assert await journal.first_altered_event() is None
        assert await journal.checkpoint(NOON) is not None
        assert await journal.first_altered_event() is None
        unfinished = [entry for entry in entries.values() if entry.state is State.RECEIVED]
        when = NOON + LEASE if journal.shared else NOON  # on SQLite nobody waits for the dead
        claimed = await journal.claim(when, owner="next", lease=LEASE, limit=len(entries))
        assert {entry.id for entry in claimed} == {entry.id for entry in unfinished}
        if not journal.shared:
            assert await ask(journal, "PRAGMA integrity_check") == "ok"


async def test_processes_that_share_a_journal_walk_each_entry_once(postgresql_url: str) -> None:
    first, second, third = [await start(postgresql_url) for _ in range(3)]
    told = await asyncio.gather(*(killed_after(process, 80) for process in (first, second, third)))
    walked = Counter(entry_id for lines in told for kind, entry_id, *_ in lines if kind == "walked")
    walkers = sum(any(kind == "walked" for kind, *_ in lines) for lines in told)
    assert walkers >= 2
    assert max(walked.values()) == 1
    async with Journal(JournalSettings(url=postgresql_url)) as journal:
        for entry_id in walked:
            assert len(await journal.events(entry_id)) == 2
        assert await journal.first_altered_event() is None
