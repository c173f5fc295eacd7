"""A copy made while others write is whole, and a receiver goes on from it."""

import asyncio
import os
import stat
import subprocess
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalError, JournalUnavailable
from fiksmelding.journal import Change, EventKind, Journal, State, back_up
from support.arrivals import NOON, arrival
from support.journals import LEASE, ask, kept, stored
from support.postgresql import Databases, program

WRITER = Path(__file__).with_name("writing_process.py")
TESTS = Path(__file__).parents[2]
OPENED = Change(event=EventKind.OPENED, state=State.OPENED, due_at=NOON)


async def whole(journal: Journal) -> int:
    """How many entries a copy holds, each with all of its original."""
    entries = await journal.entries()
    for entry in entries:
        assert len(await stored(journal, entry.id)) == entry.size
    assert await journal.first_altered_event() is None
    return len(entries)


async def written_until(url: str, lines: int) -> asyncio.subprocess.Process:
    """A process that writes, and has confirmed that many steps."""
    environment = {**os.environ, "PYTHONPATH": str(TESTS)}
    process = await asyncio.create_subprocess_exec(sys.executable, str(WRITER), url, stdout=PIPE, env=environment)
    assert process.stdout is not None
    for _ in range(lines):
        assert await process.stdout.readline()
    return process


async def test_copies_made_while_a_receiver_writes_are_whole_and_each_holds_what_the_one_before_held(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path}/journal.db"
    process = await written_until(url, 20)
    try:
        for number in range(3):
            await asyncio.to_thread(back_up, url, tmp_path / f"copy-{number}.db")
            assert process.stdout is not None
            await process.stdout.readline()
    finally:
        process.kill()
        await process.communicate()
    sizes = []
    for number in range(3):
        async with Journal(JournalSettings(url=f"sqlite:///{tmp_path}/copy-{number}.db")) as copy:
            sizes.append(await whole(copy))
            assert await ask(copy, "PRAGMA integrity_check") == "ok"
    assert 1 <= sizes[0] <= sizes[1] <= sizes[2]


async def test_a_receiver_goes_on_from_a_restored_copy(tmp_path: Path) -> None:
    settings, copy = JournalSettings(url=f"sqlite:///{tmp_path}/journal.db"), tmp_path / "copy.db"
    waiting, later = arrival(), arrival()
    async with Journal(settings) as journal:
        entry = await kept(journal, waiting)
        await journal.claim(NOON, owner="lost", lease=LEASE, limit=1)
        await asyncio.to_thread(back_up, settings.url, copy)
        await journal.keep(later, b"after the copy")
    for file in tmp_path.glob("journal.db*"):
        file.unlink()
    copy.rename(tmp_path / "journal.db")
    async with Journal(settings) as journal:
        assert [found.id for found in await journal.entries()] == [entry.id]
        assert (await journal.keep(waiting, b"sealed")).repeated, "a redelivery of what the copy holds changes nothing"
        assert not (await journal.keep(later, b"after the copy")).repeated, "what it does not hold is kept anew"
        [again, _] = await journal.claim(NOON, owner="next", lease=LEASE, limit=2)
        assert (await journal.record(again, OPENED, at=NOON)).state is State.OPENED
        assert await whole(journal) == 2


async def test_a_copy_replaces_nothing_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    url, copy = f"sqlite:///{tmp_path}/journal.db", tmp_path / "copy.db"
    async with Journal(JournalSettings(url=url)):
        assert back_up(url, copy) == copy.stat().st_size
        with pytest.raises(JournalError, match="already"):
            back_up(url, copy)
    if sys.platform != "win32":
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert not list(tmp_path.glob("*.part"))


def test_a_copy_that_cannot_be_made_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(JournalUnavailable, match="unable to open"):
        back_up(f"sqlite:///{tmp_path}/none.db", tmp_path / "copy.db")
    with pytest.raises(JournalUnavailable, match="No such file"):
        back_up(f"sqlite:///{tmp_path}/none.db", tmp_path / "none" / "copy.db")
    with pytest.raises(JournalError, match="pg_dump"):
        back_up("postgresql://localhost/journal", tmp_path / "copy.db")
    assert not list(tmp_path.iterdir())


async def test_postgresqls_own_programs_copy_and_restore_a_journal_that_is_written_to(
    postgresql_url: str, databases: Databases, tmp_path: Path
) -> None:
    dump, restored = tmp_path / "journal.dump", databases.make()
    process = await written_until(postgresql_url, 20)
    try:
        command = [program("pg_dump"), "--format=custom", f"--file={dump}", f"--dbname={postgresql_url}"]
        await asyncio.to_thread(subprocess.run, command, check=True)
    finally:
        process.kill()
        await process.communicate()
    command = [program("pg_restore"), "--exit-on-error", "--no-owner", f"--dbname={restored}", str(dump)]
    await asyncio.to_thread(subprocess.run, command, check=True)
    try:
        async with Journal(JournalSettings(url=restored)) as journal:
            assert await whole(journal) >= 1
            last = (await journal.entries())[-1]
            entry = await kept(journal)
            assert entry.sequence > last.sequence
            assert (await journal.record(entry, OPENED, at=NOON)).state is State.OPENED
            assert await journal.checkpoint(NOON) is not None
            assert await journal.first_altered_event() is None
    finally:
        databases.drop(restored)
