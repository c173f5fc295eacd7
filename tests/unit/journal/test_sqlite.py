"""What holds on SQLite only."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalUnavailable
from fiksmelding.journal import Journal, State
from support.arrivals import NOON, arrival
from support.journals import LEASE, ask, kept


@pytest.fixture
def at(tmp_path: Path) -> JournalSettings:
    return JournalSettings(url=f"sqlite:///{tmp_path}/journal.db")


@pytest.fixture
async def journal(at: JournalSettings) -> AsyncIterator[Journal]:
    async with Journal(at) as opened:
        yield opened


async def test_a_commit_is_synced_before_keep_returns(journal: Journal) -> None:
    modes = [await ask(journal, f"PRAGMA {name}") for name in ("journal_mode", "synchronous", "secure_delete")]
    assert modes == ["wal", 2, 1]


async def test_a_journal_that_is_no_database_says_so(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"this is not a database" * 100)
    with pytest.raises(JournalUnavailable, match="not a database"):
        async with Journal(JournalSettings(url=f"sqlite:///{tmp_path}/journal.db")):
            pass


async def test_a_full_disk_keeps_nothing_and_says_so(journal: Journal) -> None:
    await journal.keep(arrival(), b"first")
    pages = await ask(journal, "PRAGMA page_count")
    # The only connection so far, so that the next to write has this limit.
    await ask(journal, f"PRAGMA max_page_count = {pages}")
    with pytest.raises(JournalUnavailable, match="full"):
        await journal.keep(arrival(), b"x" * 1_000_000)
    assert len(await journal.entries()) == 1


async def test_only_one_process_claims_and_others_may_read(at: JournalSettings, journal: Journal) -> None:
    entry = await kept(journal)
    [claimed] = await journal.claim(NOON, owner="a", lease=LEASE, limit=1)
    async with Journal(at) as other:
        with pytest.raises(JournalUnavailable, match="another receiver"):
            await other.claim(NOON, owner="b", lease=LEASE, limit=1)
        assert [found.id for found in await other.entries(State.RECEIVED)] == [entry.id]
    assert claimed.id == entry.id


async def test_whoever_starts_after_a_killed_receiver_need_not_wait_for_its_leases(at: JournalSettings) -> None:
    async with Journal(at) as dead:
        entry = await kept(dead)
        await dead.claim(NOON, owner="dead", lease=LEASE, limit=1)
    async with Journal(at) as again:
        [claimed] = await again.claim(NOON, owner="again", lease=LEASE, limit=1)
        assert claimed.id == entry.id
