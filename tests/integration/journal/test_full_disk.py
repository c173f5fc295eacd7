"""A disk that is really full: a small file system in memory."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalUnavailable
from fiksmelding.journal import Change, EventKind, Journal, State
from support.arrivals import NOON, arrival
from support.journals import LEASE, stored

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux mounts a small disk so easily")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none", disk], check=False, capture_output=True)
    if mounted.returncode != 0:
        # Also in CI: a container without the right cannot get it by installing anything.
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", disk], check=True)


async def keep_until_full(journal: Journal, body: bytes, kept: list[str]) -> None:
    for _ in range(100):
        kept.append((await journal.keep(arrival(), body)).entry_id)  # noqa: PERF401 - what was kept counts


async def test_a_full_disk_costs_nothing_that_was_kept_and_space_heals_it(small_disk: Path) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(b"0" * 600_000)
    body = b"sealed" * 10_000
    kept: list[str] = []
    async with Journal(JournalSettings(url=f"sqlite:///{small_disk}/journal.db")) as journal:
        with pytest.raises(JournalUnavailable, match="full"):
            await keep_until_full(journal, body, kept)
        assert kept
        with pytest.raises(JournalUnavailable):
            await journal.keep(arrival(), body)
        assert [entry.id for entry in await journal.entries()] == kept

        filler.unlink()
        kept.append((await journal.keep(arrival(), body)).entry_id)
        [entry] = await journal.claim(NOON, owner="a", lease=LEASE, limit=1)
        await journal.record(entry, Change(event=EventKind.OPENED, state=State.OPENED, due_at=NOON), at=NOON)
    async with Journal(JournalSettings(url=f"sqlite:///{small_disk}/journal.db")) as journal:
        assert [entry.id for entry in await journal.entries()] == kept
        for entry_id in kept:
            assert await stored(journal, entry_id) == body
        assert await journal.first_altered_event() is None
