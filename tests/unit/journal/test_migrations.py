import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, MetaData, inspect

from fiksmelding.config import JournalSettings
from fiksmelding.errors import JournalError
from fiksmelding.journal import EventKind, Journal, State, migrations
from fiksmelding.journal.chain import START, link
from fiksmelding.journal.databases import database_at
from fiksmelding.journal.tables import metadata
from support.arrivals import KONTO, NOON
from support.journals import LEASE, ask, kept, stored, tamper
from support.postgresql import Databases

ENTRY = "3d7c3a52-0001-4000-8000-000000000001"
PAYLOAD = "3d7c3a52-0002-4000-8000-000000000002"


@pytest.fixture
def empty(request: pytest.FixtureRequest, at: JournalSettings) -> Iterator[JournalSettings]:
    """A database without any table."""
    if at.url.startswith("sqlite"):
        yield at
        return
    databases: Databases = request.getfixturevalue("databases")
    url = databases.make()
    yield JournalSettings(url=url)
    databases.drop(url)


async def test_the_tables_are_those_that_the_code_uses(at: JournalSettings) -> None:
    def differences(connection: Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)

    def indexes(connection: Connection) -> dict[str, object]:
        found = inspect(connection)
        return {
            index["name"] or "": index["column_names"]
            for table in metadata.tables
            for index in found.get_indexes(table)
            if not index.get("duplicates_constraint")
        }

    async with Journal(at) as journal:
        assert await journal._database.read(differences) == []
        declared = {
            index.name: [column.name for column in index.columns]
            for table in metadata.sorted_tables
            for index in table.indexes
        }
        assert await journal._database.read(indexes) == declared
        assert await journal.version() == migrations.head()


async def test_an_empty_database_is_made_ready_once_however_many_open_it_at_once(empty: JournalSettings) -> None:
    async def opened() -> str:
        async with Journal(empty) as journal:
            return await journal.version()

    assert set(await asyncio.gather(*(opened() for _ in range(4)))) == {migrations.head()}


async def test_processes_that_start_at_once_make_the_tables_once(empty: JournalSettings) -> None:
    program = (
        "import asyncio, sys\n"
        "from fiksmelding.config import JournalSettings\n"
        "from fiksmelding.journal import Journal\n"
        "async def main():\n"
        "    async with Journal(JournalSettings(url=sys.argv[1])) as journal:\n"
        "        print(await journal.version())\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-c", program, empty.url]
    processes = [
        await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(3)
    ]
    for process in processes:
        out, complaints = await process.communicate()
        assert out.decode().strip() == migrations.head(), complaints.decode()


async def make_unversioned(settings: JournalSettings) -> None:
    """A journal as the first version made it, by `create_all`, with an entry on its way and a download given up."""

    kept_hash = link(START, entry_id=ENTRY, number=1, at=NOON, kind=EventKind.KEPT, detail={})
    opened_hash = link(kept_hash, entry_id=ENTRY, number=2, at=NOON, kind=EventKind.OPENED, detail={})
    entry = {
        "id": ENTRY, "konto_id": KONTO, "delivery_key": "m/sha256/x", "headers": {}, "missing": [], "size": 3,
        "payload_id": PAYLOAD, "received_at": NOON, "deadline_at": NOON, "due_at": NOON, "state": "OPENED",
        "attempts": 1, "failures": 0,
    }  # fmt: skip
    event = {"entry_id": ENTRY, "at": NOON, "detail": {}}

    def fill(connection: Connection) -> None:
        migrations.upgrade(connection, migrations.UNVERSIONED)
        connection.exec_driver_sql("DROP TABLE alembic_version")
        tables = MetaData()
        tables.reflect(connection)
        connection.execute(tables.tables["entries"].insert().values(entry))
        for payload_id in (PAYLOAD, ENTRY):  # no entry names the second
            values = {"payload_id": payload_id, "number": 0, "data": b"abc"}
            connection.execute(tables.tables["chunks"].insert().values(values))
        for number, (kind, told) in enumerate([("kept", kept_hash), ("opened", opened_hash)], start=1):
            values = {**event, "number": number, "kind": kind, "hash": told}
            connection.execute(tables.tables["events"].insert().values(values))

    database = database_at(settings.url)
    await database.connect()
    await database.write(fill)
    await database.close()


async def test_a_journal_of_the_first_version_is_taken_over_with_what_it_holds(empty: JournalSettings) -> None:
    await make_unversioned(empty)
    async with Journal(empty) as journal:
        assert await journal.version() == migrations.head()
        assert await stored(journal, ENTRY) == b"abc"
        assert await ask(journal, "select count(*) from chunks") == 1
        assert await journal.first_altered_event() is None
        [entry] = await journal.claim(NOON, owner="a", lease=LEASE, limit=1)
        assert (entry.id, entry.state) == (ENTRY, State.OPENED)
        assert (await kept(journal)).sequence > entry.sequence
        assert await journal.checkpoint(NOON + timedelta(hours=1)) is not None
        assert await journal.first_altered_event() is None


async def test_the_first_version_is_the_one_that_create_all_made(tmp_path: Path) -> None:
    """What `create_all` of the unversioned library made, written down then."""
    await make_unversioned(JournalSettings(url=f"sqlite:///{tmp_path}/old.db"))
    with sqlite3.connect(tmp_path / "old.db") as raw:
        tables = {name: [row[1] for row in raw.execute(f"pragma table_info({name})")] for name in ("entries", "events")}
    raw.close()
    assert tables == {
        "entries": [
            "sequence", "id", "konto_id", "delivery_key", "melding_id", "melding_type", "avsender_id",
            "klient_melding_id", "klient_korrelasjons_id", "bekymringsmelding_id", "dokumentlager_id", "headers",
            "missing", "payload_id", "size", "received_at", "deadline_at", "state", "due_at", "attempts", "failures",
            "report_id", "duplicate_of", "reference", "reason",
        ],
        "events": ["sequence", "entry_id", "number", "at", "kind", "detail", "hash"],
    }  # fmt: skip


async def test_a_journal_of_a_newer_version_is_left_alone(at: JournalSettings) -> None:
    async with Journal(at) as journal:
        await tamper(journal, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(JournalError, match=r"newer version of fiksmelding .*9999"):
        async with Journal(at):
            pass
