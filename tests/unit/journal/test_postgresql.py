"""What holds on PostgreSQL only."""

import asyncio
import builtins
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Connection, text

from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalUnavailable, SettingsError
from fiksmelding.journal import Journal, Kept, keeping, payloads, postgresql
from fiksmelding.journal.database import Database
from fiksmelding.journal.postgresql import PostgresqlDatabase
from support.arrivals import arrival
from support.journals import ask
from support.postgresql import run, started
from support.tcp_proxy import TcpProxy


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


@asynccontextmanager
async def proxy_before(url: str) -> AsyncIterator[tuple[TcpProxy, str]]:
    """A proxy, and the URL that leads through it."""
    address = urlsplit(url)
    assert address.port is not None
    async with TcpProxy(address.hostname or "", address.port) as proxy:
        yield proxy, url.replace(f":{address.port}/", f":{proxy.port}/")


async def test_a_link_that_falls_silent_costs_one_call_its_time_and_not_each_connection_one(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "CALL_SECONDS", 0.5)
    monkeypatch.setattr(postgresql, "CLOSE_SECONDS", 0.5)
    async with proxy_before(postgresql_url) as (proxy, url), Journal(JournalSettings(url=url)) as journal:
        await asyncio.gather(*(journal.keep(arrival(), b"sealed") for _ in range(8)))
        assert proxy.open > 1
        proxy.strand()
        with pytest.raises(JournalUnavailable):
            await journal.keep(arrival(), b"sealed")
        await journal.keep(arrival(), b"sealed")
        assert len(await journal.entries()) == 9


@pytest.mark.parametrize("hurried", [False, True])
async def test_no_connection_outlives_its_journal(postgresql_url: str, hurried: bool) -> None:
    async with proxy_before(postgresql_url) as (proxy, url):
        database = PostgresqlDatabase(url)
        await database.open()
        await asyncio.gather(
            *(database.read(lambda connection: connection.execute(text("SELECT 1"))) for _ in range(4))
        )
        assert proxy.open > 1
        proxy.hold()
        call = asyncio.create_task(database.read(lambda connection: connection.execute(text("SELECT 1"))))
        await asyncio.wait([call], timeout=0.05)
        call.cancel()
        closing = asyncio.create_task(database.close())
        if hurried:
            await asyncio.wait([closing], timeout=0.05)
            closing.cancel()
        await asyncio.wait([closing])
        assert closing.cancelled() == hurried
        proxy.pass_on()
        await proxy.until(lambda now_open: now_open == 0)


async def test_a_connection_that_is_lost_while_it_is_set_up_is_closed(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_: object) -> None:
        raise ConnectionResetError

    monkeypatch.setattr(postgresql, "_insist", broken)
    async with proxy_before(postgresql_url) as (proxy, url):
        with pytest.raises(JournalUnavailable):
            await PostgresqlDatabase(url).open()
        await proxy.until(lambda now_open: now_open == 0)


async def test_one_of_us_that_fell_silent_in_a_transaction_does_not_hold_the_others_for_long(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "IDLE_SECONDS", 1)
    delivery = arrival()

    def insert(connection: Connection) -> Kept:
        return keeping.insert_entry(connection, delivery, payloads.store(connection, b"sealed", 1024))

    async with (
        proxy_before(postgresql_url) as (proxy, url),
        Journal(JournalSettings(url=postgresql_url)) as living,
        Journal(JournalSettings(url=url)) as silent,
    ):
        database = silent._database
        assert isinstance(database, PostgresqlDatabase)
        connection = await database._opened().connect()
        await connection.run_sync(insert)
        proxy.strand()
        kept = await asyncio.wait_for(living.keep(delivery, b"sealed"), 10)
        assert not kept.repeated
        proxy.cut()
        await connection.invalidate()
        await connection.close()
