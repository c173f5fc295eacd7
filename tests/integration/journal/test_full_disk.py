"""A disk that is really full."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalUnavailable
from fiksmelding.journal import Change, EventKind, Journal, State
from support.arrivals import NOON, arrival
from support.journals import LEASE, stored

if sys.platform == "win32":
    pytest.skip("Windows has neither such disks nor such limits", allow_module_level=True)
from support.small_disk import small_disk

if TYPE_CHECKING:
    from support.small_disk import SmallDisk


@pytest.fixture(params=["a disk of its own where allowed", "a limit"])
def disk(request: pytest.FixtureRequest, tmp_path: Path) -> "Iterator[SmallDisk]":
    with small_disk(tmp_path / "disk", may_mount=request.param != "a limit") as made:
        yield made


async def keep_until_full(journal: Journal, body: bytes, kept: list[str]) -> None:
    for _ in range(100):
        kept.append((await journal.keep(arrival(), body)).entry_id)  # noqa: PERF401 - what was kept counts


async def test_a_full_disk_costs_nothing_that_was_kept_and_space_heals_it(disk: "SmallDisk") -> None:
    body = b"sealed" * 10_000
    kept: list[str] = []
    settings = JournalSettings(url=f"sqlite:///{disk.folder}/journal.db")
    async with Journal(settings) as journal:
        with pytest.raises(JournalUnavailable, match=r"full|I/O error"):
            await keep_until_full(journal, body, kept)
        assert kept
        with pytest.raises(JournalUnavailable):
            await journal.keep(arrival(), body)
        with pytest.raises(JournalUnavailable):
            await journal.check_writable(len(body), at=NOON)
        assert [entry.id for entry in await journal.entries()] == kept

        disk.make_room()
        await journal.check_writable(len(body), at=NOON)
        kept.append((await journal.keep(arrival(), body)).entry_id)
        [entry] = await journal.claim(NOON, owner="a", lease=LEASE, limit=1)
        await journal.record(entry, Change(event=EventKind.OPENED, state=State.OPENED, due_at=NOON), at=NOON)
    async with Journal(settings) as journal:
        assert [entry.id for entry in await journal.entries()] == kept
        for entry_id in kept:
            assert await stored(journal, entry_id) == body
        assert await journal.first_altered_event() is None
