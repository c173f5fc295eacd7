"""A journal in which something is wrong, and what is found. Whatever is found, nothing is changed."""

import sqlite3
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from fiksmelding.clock import SystemClock
from fiksmelding.config import JournalSettings, Settings
from fiksmelding.doctor import Condition
from fiksmelding.doctor.examining import CHECKS, diagnose
from fiksmelding.doctor.patient import Patient
from fiksmelding.errors import JournalUnavailable
from fiksmelding.journal import Journal, State, migrations
from fiksmelding.journal.databases import database_at, sqlite_file
from fiksmelding.journal.outbox import Order, Outbox, OutgoingState, SealedCopies, Step
from fiksmelding.journal.states import EventKind
from fiksmelding.journal.tables import entries
from support.arrivals import NOON, arrival
from support.examining import changed, conditions, examined, text_of
from support.journals import kept, tamper, walked_to
from support.small_disk import small_disk

NOW = SystemClock().now()


@pytest.fixture
def settings(settings: Settings, at: JournalSettings) -> Settings:
    return settings.model_copy(update={"journal": at})


def looked_at(settings: Settings, url: str) -> Settings:
    return changed(settings, "journal", url=url)


async def test_a_journal_that_is_not_there_is_not_made(settings: Settings, tmp_path: Path) -> None:
    absent = looked_at(settings, f"sqlite:///{tmp_path}/nothing.db")
    assert conditions(await examined(absent, "journal")) == {Condition.JOURNAL_ABSENT}
    assert conditions(await examined(absent, "event log", "backlog")) == set()
    assert not (tmp_path / "nothing.db").exists()


async def test_a_journal_that_works(settings: Settings, journal: Journal) -> None:
    await walked_to(journal, State.RECEIPTED)
    found = conditions(await examined(settings, "journal", "event log", "backlog", role="both"))
    assert found == {Condition.JOURNAL_READ, Condition.JOURNAL_WHOLE, Condition.NOTHING_STUCK}


@pytest.mark.parametrize("damage", [b"", b"no database at all, but a file of some length" * 100])
async def test_a_file_that_is_no_journal(damage: bytes, settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "damaged.db"
    file.write_bytes(damage)
    found = conditions(await examined(looked_at(settings, f"sqlite:///{file}"), "journal"))
    assert found == {Condition.JOURNAL_UNREADABLE if damage else Condition.JOURNAL_ABSENT}
    assert file.read_bytes() == damage


async def test_a_database_server_that_does_not_answer(settings: Settings) -> None:
    gone = looked_at(settings, "postgresql://me:hemmelig@127.0.0.1:1/none")
    diagnosis = await examined(gone, "journal", "event log", "disk")
    assert conditions(diagnosis) == {
        Condition.JOURNAL_UNREADABLE,
        Condition.NOT_EXAMINED,
        Condition.DISK_ELSEWHERE,
    }
    assert "hemmelig" not in str(diagnosis)


async def test_tables_of_another_version_are_left_as_they_are(settings: Settings, journal: Journal) -> None:
    await tamper(journal, "UPDATE alembic_version SET version_num = '0001'")
    diagnosis = await examined(settings, "journal", "event log", "backlog")
    assert conditions(diagnosis) == {Condition.JOURNAL_OLDER, Condition.NOT_EXAMINED}
    assert diagnosis.healthy
    assert await journal.version() == "0001"
    await tamper(journal, "UPDATE alembic_version SET version_num = '9999'")
    assert Condition.JOURNAL_NEWER in conditions(await examined(settings, "journal", "event log", "backlog"))


@pytest.mark.parametrize("thorough", [True, False])
async def test_an_event_log_that_somebody_altered(thorough: bool, settings: Settings, journal: Journal) -> None:
    entry = await walked_to(journal, State.RECEIPTED)
    await tamper(journal, f"UPDATE events SET kind = 'confirmed' WHERE entry_id = '{entry.id}' AND number = 2")  # noqa: S608 - ids of our own
    diagnosis = await examined(settings, "event log", thorough=thorough)
    assert conditions(diagnosis) == {Condition.JOURNAL_ALTERED}
    assert entry.id in text_of(diagnosis, Condition.JOURNAL_ALTERED)


async def test_what_was_altered_long_ago_is_found_by_looking_at_all(
    settings: Settings, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fiksmelding.doctor.journal.NEWEST", 1)
    first = await walked_to(journal, State.OPENED)
    await walked_to(journal, State.OPENED)
    await tamper(journal, f"UPDATE events SET kind = 'confirmed' WHERE entry_id = '{first.id}'")  # noqa: S608 - ids of our own
    assert conditions(await examined(settings, "event log")) == {Condition.JOURNAL_WHOLE}
    assert conditions(await examined(settings, "event log", thorough=True)) == {Condition.JOURNAL_ALTERED}


async def test_what_stands_still_in_the_journal(settings: Settings, journal: Journal) -> None:
    ours = str(settings.account.id)
    await kept(journal, arrival(konto_id=ours, received_at=NOW - timedelta(hours=1)))
    assert conditions(await examined(settings, "backlog")) == {Condition.ENTRIES_UNATTENDED}
    await kept(journal, arrival(konto_id=ours, received_at=NOW - timedelta(hours=30)))
    await tamper(journal, f"UPDATE entries SET konto_id = '{ours}'")  # noqa: S608 - ids of our own
    assert Condition.DEADLINES_PASSED in conditions(await examined(settings, "backlog"))
    await walked_to(journal, State.QUARANTINED)
    await tamper(journal, f"UPDATE entries SET konto_id = '{ours}', due_at = NULL")  # noqa: S608 - ids of our own
    assert conditions(await examined(settings, "backlog")) == {Condition.QUARANTINE_WAITS}
    await tamper(journal, "UPDATE entries SET konto_id = 'another'")
    assert conditions(await examined(settings, "backlog")) == {Condition.NOTHING_STUCK}


async def test_what_stands_still_in_the_outbox(settings: Settings, at: JournalSettings) -> None:
    async with Outbox(at) as outbox:
        sent, _ = await outbox.keep(order(), SealedCopies(b"sealed", b"for print"))
        found = conditions(await examined(settings, "backlog", role="sender"))
        assert found == {Condition.REPORTS_UNSENT}
        await outbox.record(
            sent, Step(event=EventKind.SUBMIT_REFUSED, state=OutgoingState.REFUSED, due_at=None), at=NOW
        )
        found = conditions(await examined(settings, "backlog", role="sender"))
        assert found == {Condition.REPORTS_UNDECIDED}
        await outbox.keep(order(keys_days=0), SealedCopies(b"sealed", b"for print"))
        assert Condition.REPORTS_OUTLIVED in conditions(await examined(settings, "backlog", role="sender"))
    assert conditions(await examined(settings, "backlog")) == {Condition.NOTHING_STUCK}  # who only receives


async def test_a_server_that_does_not_sync(
    settings: Settings, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no(_: object) -> bool:
        return False

    monkeypatch.setattr("fiksmelding.journal.postgresql.PostgresqlDatabase.keeps_its_word", no)
    found = conditions(await examined(looked_at(settings, postgresql_url), "journal"))
    assert found == {Condition.JOURNAL_READ, Condition.JOURNAL_NOT_SYNCED}


async def test_whoever_only_looks_cannot_write(settings: Settings, journal: Journal, at: JournalSettings) -> None:
    await kept(journal)
    database = database_at(at.url, read_only=True)
    await database.connect()
    try:
        with pytest.raises(JournalUnavailable):
            await database.write(lambda connection: connection.execute(entries.delete()))
    finally:
        await database.close()
    assert await journal.version() == migrations.head()


@pytest.mark.parametrize(
    ("free", "condition"),
    [(10**12, Condition.DISK_SPACE), (10**9, Condition.DISK_LOW), (10**6, Condition.DISK_FULL)],
)
async def test_a_disk_by_its_room(free: int, condition: Condition, settings: Settings, tmp_path: Path) -> None:
    here = looked_at(settings, f"sqlite:///{tmp_path}/journal.db")
    patient = Patient(here, SystemClock(), free_bytes=lambda _: free)
    assert conditions(await diagnose(patient, {"disk": CHECKS["disk"]})) == {condition}


async def test_a_disk_that_is_really_full(settings: Settings, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk:
        full = looked_at(settings, f"sqlite:///{disk.folder}/below/journal.db")
        found = conditions(await examined(full, "disk"))
        # Where none may be mounted, it is the disk that this test is on.
        room = {Condition.DISK_SPACE, Condition.DISK_LOW, Condition.DISK_FULL}
        assert found == {Condition.DISK_FULL} if disk.mounted else len(found & room) == 1


async def test_a_folder_that_cannot_be(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    found = conditions(await examined(looked_at(settings, f"sqlite:///{tmp_path}/file/journal.db"), "disk"))
    assert found == {Condition.FOLDER_NOT_WRITABLE}


async def test_a_journal_of_old_sqlite_makes_is_not_turned_to_another_mode(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE entries (id)")
    connection.close()
    before = file.read_bytes()
    found = conditions(await examined(looked_at(settings, f"sqlite:///{file}"), "journal"))
    assert found == {Condition.JOURNAL_OLDER}
    assert sqlite_file(f"sqlite:///{file}").read_bytes() == before


def order(*, keys_days: int = 3000) -> Order:
    return Order(
        organisation_id=str(uuid4()),
        message_type="no.ks.fiks.bekymringsmelding.privat.v2",
        kommunenummer="4601",
        bydelsnummer="02",
        receiver="Bergen, Bergenhus",
        kept_at=NOON,
        keys_until=NOON + timedelta(days=keys_days),
        key_sha256="aa" * 32,
        print_key_sha256="bb" * 32,
    )
