"""What holds on PostgreSQL only."""

import builtins
import tempfile
from pathlib import Path

import pytest

from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalUnavailable, SettingsError
from fiksmelding.journal import Journal
from support.arrivals import arrival
from support.journals import ask
from support.postgresql import run, started


async def test_a_commit_is_synced_even_where_the_server_is_told_not_to(postgresql_url: str) -> None:
    name = postgresql_url.rsplit("/", 1)[1]
    run(postgresql_url, f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    async with Journal(JournalSettings(url=postgresql_url)) as journal:
        assert await ask(journal, "select current_setting('synchronous_commit')") == "on"


async def test_a_server_that_is_not_there_is_told_without_its_password() -> None:
    with pytest.raises(JournalUnavailable) as caught:
        async with Journal(JournalSettings(url="postgresql://me:hemmelig@127.0.0.1:1/none")):
            pass
    assert "hemmelig" not in str(caught.value)


@pytest.mark.parametrize("url", ["postgresql://me:hemmelig@127.0.0.1:notaport/x", "postgresql://h/x?sslmode=hemmelig"])
async def test_a_url_that_makes_no_sense_is_told_without_what_it_says(url: str) -> None:
    with pytest.raises(JournalUnavailable, match=r"cannot be (reached|used)") as caught:
        async with Journal(JournalSettings(url=url)):
            pass
    assert "hemmelig" not in str(caught.value)


async def test_a_database_that_is_not_there_is_told(postgresql_url: str) -> None:
    with pytest.raises(JournalUnavailable, match="InvalidCatalogName"):
        async with Journal(JournalSettings(url=f"{postgresql_url}_not")):
            pass


async def test_without_its_package_the_journal_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    ordinary = builtins.__import__

    def without_asyncpg(name: str, *rest: object, **named: object) -> object:
        if name == "asyncpg":
            raise ImportError(name)
        return ordinary(name, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without_asyncpg)
    with pytest.raises(SettingsError, match=r"fiksmelding\[postgres\]"):
        async with Journal(JournalSettings(url="postgresql://127.0.0.1/none")):
            pass


async def test_a_server_that_crashes_costs_nothing_confirmed_and_heals_by_itself() -> None:
    with tempfile.TemporaryDirectory() as folder, started(Path(folder)) as server:
        port = int(server.url.rsplit(":", 1)[1].split("/", maxsplit=1)[0])
        async with Journal(JournalSettings(url=server.url)) as journal:
            first = await journal.keep(arrival(), b"before")
            server.crash()
            with pytest.raises(JournalUnavailable):
                await journal.keep(arrival(), b"meanwhile")
            with started(Path(folder), port):
                while True:
                    try:
                        second = await journal.keep(arrival(), b"after")
                        break
                    except JournalUnavailable:
                        continue  # the first call finds each connection dead
                assert [entry.id for entry in await journal.entries()] == [first.entry_id, second.entry_id]
                assert await journal.first_altered_event() is None
