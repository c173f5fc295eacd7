"""Counting a journal, of either kind."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Connection, MetaData

from fiksmelding.config import JournalSettings, Settings
from fiksmelding.errors import JournalError
from fiksmelding.journal import Answer, Change, Entry, EventKind, Facts, Journal, Receipt, State, counting, migrations
from fiksmelding.journal.databases import database_at
from fiksmelding.journal.outbox import Order, Outbox, OutgoingState, SealedCopies, SeenStatus, Step
from fiksmelding.operations import Period
from fiksmelding.simulator.pki import Credential
from fiksmelding.statistics import Tally, count
from support.arrivals import OTHER_KONTO, arrival
from support.journals import kept, tamper
from support.platform import ACCOUNT, settings_for

YEAR = Period.of_days(date(2026, 1, 1), date(2027, 1, 1))
MARCH = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
FACTS = Facts("4601", "02", "Nasjonal portal")


@pytest.fixture
def settings(tmp_path: Path, sender_credential: Credential, at: JournalSettings) -> Settings:
    made = settings_for("http://127.0.0.1:1", tmp_path, sender_credential)
    return made.model_copy(update={"journal": at})


async def received(
    journal: Journal,
    *,
    when: datetime = MARCH,
    konto_id: str = str(ACCOUNT),
    melding_type: str = "no.ks.fiks.bekymringsmelding.offentlig.v2",
    facts: Facts | None = FACTS,
    answer: Answer = Answer.MOTTATT,
    duplicate_of: str | None = None,
) -> Entry:
    """A report that was answered: registered a minute after it came, its receipt taken after two."""
    entry = await kept(journal, arrival(konto_id=konto_id, melding_type=melding_type, received_at=when))
    opened = Change(event=EventKind.OPENED, state=State.OPENED, due_at=when, facts=facts, duplicate_of=duplicate_of)
    entry = await journal.record(entry, opened, at=when)
    receipt = Receipt(answer, "mine", taken_at=when + timedelta(minutes=2))
    decided = (
        Change(event=EventKind.REGISTERED, state=State.REGISTERED, due_at=when)
        if answer is Answer.MOTTATT
        else Change(event=EventKind.REJECTED, state=State.REJECTED, due_at=when)
    )
    entry = await journal.record(entry, decided, at=when + timedelta(minutes=1))
    done = Change(event=EventKind.RECEIPTED, state=State.RECEIPTED, due_at=None, receipt=receipt)
    return await journal.record(entry, done, at=when + timedelta(minutes=2))


def values(tally: Tally, dimension: str) -> dict[str, int]:
    return {value: cell.count for value, cell in tally.sources["received"][dimension].items()}


async def test_a_report_is_counted_by_where_and_what_and_when_and_how(settings: Settings, journal: Journal) -> None:
    await received(journal)
    tally = await count(settings, YEAR)
    for dimension, value in {
        "kommune": "4601",
        "bydel": "4601-02",
        "slag": "offentlig",
        "maned": "2026-03",
        "kanal": "Nasjonal portal",
    }.items():
        assert values(tally, dimension) == {value: 1}
    total = tally.sources["received"]["total"][""]
    assert (total.count, total.letters) == (1, 0)
    assert total.registered.quantile(0.5) == pytest.approx(60, rel=0.03)
    assert total.receipted.quantile(0.5) == pytest.approx(120, rel=0.03)


async def test_what_is_counted_outlives_the_original(settings: Settings, journal: Journal) -> None:
    before = await received(journal)
    counted = await count(settings, YEAR)
    await journal.erase(before, at=MARCH + timedelta(days=100))
    assert await count(settings, YEAR) == counted


async def test_the_month_is_that_of_norway(settings: Settings, journal: Journal) -> None:
    await received(journal, when=datetime(2026, 1, 31, 23, 30, tzinfo=UTC))  # half past midnight in Norway
    await received(journal, when=datetime(2026, 6, 30, 22, 30, tzinfo=UTC))  # and so in summer
    await received(journal, when=datetime(2025, 12, 31, 22, 59, tzinfo=UTC))
    await received(journal, when=datetime(2026, 12, 31, 23, 0, tzinfo=UTC))
    assert values(await count(settings, YEAR), "maned") == {"2026-02": 1, "2026-07": 1}


async def test_a_report_that_came_twice_is_one_and_a_notice_is_none(settings: Settings, journal: Journal) -> None:
    first = await received(journal)
    await received(journal, duplicate_of=first.id)
    await received(journal, melding_type="no.ks.fiks.kvittering.serverfeil.v1")
    await received(journal, konto_id=OTHER_KONTO)
    assert values(await count(settings, YEAR), "kommune") == {"4601": 1}
    assert values(await count(settings, YEAR, all_accounts=True), "kommune") == {"4601": 2}


async def test_a_report_that_was_answered_feilet_went_by_letter(settings: Settings, journal: Journal) -> None:
    await received(journal, answer=Answer.FEILET)
    total = (await count(settings, YEAR)).sources["received"]["total"][""]
    assert (total.letters, total.registered.known, total.receipted.known) == (1, 0, 1)


async def test_what_is_not_known_is_told_so_or_put_where_the_account_is(settings: Settings, journal: Journal) -> None:
    await received(journal, facts=None)
    await received(journal, facts=Facts("0301", "01", None))
    assert values(await count(settings, YEAR), "bydel") == {"ukjent-ukjent": 1, "0301-01": 1}
    assert values(await count(settings, YEAR), "kanal") == {"ukjent": 2}
    filled = await count(settings, YEAR, kommunenummer="0301")
    assert values(filled, "kommune") == {"0301": 2}


async def test_more_than_a_page_is_counted_once_each(
    settings: Settings, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fiksmelding.journal.counting._RECEIVED", counting._RECEIVED.limit(2))
    for minutes in (0, 0, 0, 1, 2):
        await received(journal, when=MARCH + timedelta(minutes=minutes))
    assert values(await count(settings, YEAR), "kommune") == {"4601": 5}


async def test_reports_sent_are_counted_when_the_platform_took_them(settings: Settings, at: JournalSettings) -> None:
    async with Outbox(at) as outbox:
        for states in (["AKSEPTERT", "SENDT_FAGSYSTEM", "LEVERT"], ["AVVIST_FAGSYSTEM", "SENDT_PRINT", "LEVERT"], None):
            outgoing, _ = await outbox.keep(_order(), SealedCopies(b"sealed", b"for print"))
            if states is None:
                continue
            outgoing = await outbox.accept(outgoing.id, str(uuid4()), due_at=MARCH, at=MARCH)
            later = (MARCH + timedelta(hours=1)).astimezone().isoformat()
            statuses = tuple(SeenStatus(state, later) for state in states)
            step = Step(event=EventKind.DELIVERED, state=OutgoingState.DELIVERED, due_at=None, statuses=statuses)
            await outbox.record(outgoing, step, at=MARCH)
    sent = (await count(settings, YEAR)).sources["sent"]
    assert {value: cell.count for value, cell in sent["bydel"].items()} == {"4601-03": 2}
    total = sent["total"][""]
    assert (total.count, total.letters) == (2, 1)
    assert total.registered.quantile(0.5) == pytest.approx(3600, rel=0.03)


async def test_a_journal_of_another_version_or_none_is_told(settings: Settings, journal: Journal) -> None:
    await tamper(journal, "UPDATE alembic_version SET version_num = '0008'")
    with pytest.raises(JournalError, match="present version"):
        await count(settings, YEAR)


async def test_times_of_older_entries_come_from_their_events(settings: Settings, tmp_path: Path) -> None:
    old = JournalSettings(url=f"sqlite:///{tmp_path}/old.db")
    database = database_at(old.url)
    await database.connect()
    await database.write(_older_entry)
    await database.close()
    async with Journal(old):  # brings it up
        tally = await count(settings.model_copy(update={"journal": old}), YEAR)
    total = tally.sources["received"]["total"][""]
    assert total.registered.quantile(0.5) == pytest.approx(60, rel=0.03)


def _older_entry(connection: Connection) -> None:
    """Tables of the version before, with an entry that was registered a minute after it came."""
    migrations.upgrade(connection, "0008")
    tables = MetaData()
    tables.reflect(connection)
    came = MARCH.replace(tzinfo=None)
    entry = {
        "id": "e", "konto_id": str(ACCOUNT), "delivery_key": "k", "headers": {}, "missing": [], "size": 3,
        "payload_id": "p", "received_at": came, "deadline_at": came, "state": "REGISTERED", "attempts": 1,
        "failures": 0, "melding_type": "no.ks.fiks.bekymringsmelding.privat.v2",
    }  # fmt: skip
    event = {"entry_id": "e", "number": 1, "at": came + timedelta(minutes=1), "kind": "registered", "detail": {}}
    connection.execute(tables.tables["entries"].insert().values(entry))
    connection.execute(tables.tables["events"].insert().values({**event, "hash": "h"}))


def _order() -> Order:
    return Order(
        organisation_id="3a0d8f0e-1c54-4f0e-8f2e-5a5c4f0b8f22",
        message_type="no.ks.fiks.bekymringsmelding.privat.v2",
        kommunenummer="4601",
        bydelsnummer="03",
        receiver="Bergen, Fana",
        kept_at=MARCH,
        keys_until=MARCH + timedelta(days=300),
        key_sha256="aa" * 32,
        print_key_sha256="bb" * 32,
    )
