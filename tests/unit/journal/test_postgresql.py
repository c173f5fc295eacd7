"""What holds on PostgreSQL only."""

import asyncio
import builtins
import tempfile
from pathlib import Path

import pytest
from sqlalchemy import Connection

from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalUnavailable, SettingsError
from fiksmelding.journal import Journal, Kept, keeping, payloads
from fiksmelding.journal.database import Database
from fiksmelding.journal.postgresql import PostgresqlDatabase
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


async def test_a_report_and_its_resend_kept_at_the_same_moment_see_each_other_in_order(postgresql_url: str) -> None:
    settings = JournalSettings(url=postgresql_url)
    inserted, go_on = asyncio.Event(), asyncio.Event()
    delivery = arrival(klient_melding_id="k-1")

    def insert(connection: Connection) -> Kept:
        return keeping.insert_entry(connection, delivery, payloads.store(connection, b"first", 1024))

    async def keep_slowly(database: Database) -> Kept:
        assert isinstance(database, PostgresqlDatabase)
        async with database._opened().begin() as connection:
            kept = await connection.run_sync(insert)
            inserted.set()
            await go_on.wait()
            return kept

    async with Journal(settings) as one, Journal(settings) as other:
        first = asyncio.create_task(keep_slowly(one._database))
        await asyncio.wait_for(inserted.wait(), 5)
        resent = asyncio.create_task(other.keep(arrival(klient_melding_id="k-1"), b"second"))
        await other.keep(arrival(klient_melding_id="k-2"), b"somebody else's need not wait")
        assert not resent.done(), "it could have looked for an original before there was one to see"
        go_on.set()
        entry = await other.entry((await resent).entry_id)
        assert [earlier.id for earlier in await other.earlier_like(entry)] == [(await first).entry_id]
