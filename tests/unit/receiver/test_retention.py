"""When originals are erased, and when not."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from fiksmelding.alarms import Alarm, AlarmKind, Alarms
from fiksmelding.config import JournalSettings, Settings
from fiksmelding.errors import JournalError, PlatformUnavailable
from fiksmelding.journal import Entry, EventKind, Journal, Reconciled, State
from fiksmelding.receiver import Quarantine
from fiksmelding.receiver.retention import Held, Retention
from support.arrivals import KONTO, OTHER_KONTO, arrival
from support.journals import stored
from support.roads import Journeys

DAY = timedelta(days=1)


class Keeping:
    """Retention over the journal of some journeys."""

    def __init__(self, journeys: Journeys, settings: Settings) -> None:
        self.journeys = journeys
        self.alarms: list[Alarm] = []
        self.retention = Retention(
            journeys.journal, settings, journeys.clock, Alarms(journeys.clock, self.alarms.append)
        )

    async def run(self, *, after: timedelta = timedelta(0)) -> int:
        self.journeys.clock.advance(after)
        return await self.retention.run()

    async def receipted(self, konto_id: str = KONTO) -> Entry:
        delivery = arrival(konto_id=konto_id, received_at=self.journeys.clock.now())
        entry = await self.journeys.walk(await self.journeys.keep(self.journeys.report(), delivery))
        assert entry.state is State.RECEIPTED
        return entry

    async def compared(self, *, agreed: bool = True) -> None:
        now = self.journeys.clock.now()
        await self.journeys.journal.reconciliations.note(
            Reconciled(konto_id=KONTO, at=now, period_start=now - DAY, period_end=now, compared=True, agreed=agreed)
        )

    async def state(self, entry: Entry) -> State:
        return (await self.journeys.journal.entry(entry.id)).state


@pytest.fixture
def keeping(journeys: Journeys, at: JournalSettings, tmp_path: Path) -> Keeping:
    tables = {
        "account": {"id": KONTO, "private_keys": ["key.pem"]},
        "integration": {"id": str(UUID(int=1))},
        "maskinporten": {"client_id": "c", "private_key": "key.pem"},
        "journal": {"url": at.url, "keep_days": 90},
    }
    return Keeping(journeys, Settings.of(tables, folder=tmp_path, environment={}))


@pytest.fixture
async def quarantine(at: JournalSettings, journeys: Journeys) -> AsyncIterator[Quarantine]:
    async with Quarantine(at, clock=journeys.clock) as opened:
        yield opened


async def test_an_original_is_erased_after_its_time_with_proof_in_the_log(keeping: Keeping) -> None:
    entry = await keeping.receipted()
    other = await keeping.receipted(OTHER_KONTO)
    assert await keeping.run(after=89 * DAY) == 0
    assert await keeping.run(after=2 * DAY) == 1
    assert (await keeping.state(entry), await keeping.state(other)) == (State.ERASED, State.RECEIPTED)
    journal = keeping.journeys.journal
    assert await stored(journal, entry.id) == b""
    last = (await journal.events(entry.id))[-1]
    assert (last.kind, last.detail["cause"], last.detail["keep_days"]) == (EventKind.ERASED, "retention", "90.0")
    assert await journal.first_altered_event() is None
    assert keeping.alarms == []


async def test_what_has_no_receipt_is_never_erased(keeping: Keeping) -> None:
    journeys = keeping.journeys
    journeys.platform.troubles = [PlatformUnavailable("no answer")]
    registered = await journeys.walk(await journeys.keep(journeys.report()))
    aside = await journeys.walk(await journeys.keep(b"no envelope"))
    assert await keeping.run(after=400 * DAY) == 0
    assert (await keeping.state(registered), await keeping.state(aside)) == (State.REGISTERED, State.QUARANTINED)
    with pytest.raises(JournalError, match="Only a receipted"):
        await journeys.journal.erase(await journeys.journal.entry(aside.id), at=journeys.clock.now())


async def test_what_was_rejected_with_nobody_to_answer_is_erased_so_long_after_the_decision(
    keeping: Keeping, quarantine: Quarantine
) -> None:
    journeys = keeping.journeys
    nameless = replace(arrival(), avsender_id=None, missing=("avsender-id",))
    entry = await journeys.walk(await journeys.keep(journeys.report(), nameless))
    assert await keeping.run(after=100 * DAY) == 0
    await quarantine.reject(entry.id, "Uten avsender.")
    assert await keeping.run(after=89 * DAY) == 0
    assert await keeping.run(after=2 * DAY) == 1
    assert await keeping.state(entry) is State.ERASED
    assert await journeys.journal.first_altered_event() is None


async def test_while_a_report_is_missing_in_the_case_system_nothing_is_erased_and_it_is_told_once_a_day(
    keeping: Keeping,
) -> None:
    missing, other = await keeping.receipted(), await keeping.receipted()
    book = keeping.journeys.journal.reconciliations
    await book.mark_missing([missing.id], at=keeping.journeys.clock.now())
    assert await keeping.run(after=91 * DAY) == 0
    assert await keeping.run(after=timedelta(hours=2)) == 0
    assert [alarm.kind for alarm in keeping.alarms] == [AlarmKind.RETENTION_HELD]
    assert "1 reports are missing" in keeping.alarms[0].text
    await keeping.run(after=DAY)
    assert len(keeping.alarms) == 2
    await book.mark_found([missing.id], at=keeping.journeys.clock.now())
    await keeping.compared()
    assert await keeping.run() == 2
    assert await keeping.state(other) is State.ERASED


async def test_a_comparison_has_to_have_agreed_and_not_long_ago(keeping: Keeping) -> None:
    await keeping.receipted()
    await keeping.compared(agreed=False)
    assert await keeping.run(after=91 * DAY) == 0
    assert (await keeping.retention.status()).held is Held.DISAGREED
    await keeping.compared()
    keeping.journeys.clock.advance(8 * DAY)
    assert (await keeping.retention.status()).held is Held.OUTDATED
    assert await keeping.run() == 0
    await keeping.compared()
    assert await keeping.run() == 1


async def test_what_is_to_be_recovered_waits_and_does_not_keep_the_others_waiting(keeping: Keeping) -> None:
    entry, other = await keeping.receipted(), await keeping.receipted()
    await keeping.journeys.journal.recoveries.ask([entry.id], at=keeping.journeys.clock.now())
    assert await keeping.run(after=91 * DAY) == 1
    assert (await keeping.state(entry), await keeping.state(other)) == (State.RECEIPTED, State.ERASED)


@pytest.mark.parametrize("at", ["sqlite"], indirect=True)  # what PostgreSQL does is told in docs/retention.md
async def test_nothing_of_it_is_left_in_the_files_of_sqlite(keeping: Keeping, at: JournalSettings) -> None:
    entry = await keeping.receipted()
    sealed = await stored(keeping.journeys.journal, entry.id)
    marks = [sealed[start : start + 32] for start in (0, 700, len(sealed) - 32)]

    def found() -> int:
        file = Path(at.url.removeprefix("sqlite:///"))
        whole = b"".join(one.read_bytes() for one in file.parent.glob(f"{file.name}*"))
        return sum(mark in whole for mark in marks)

    assert found() == len(marks)
    assert await keeping.run(after=91 * DAY) == 1
    assert found() == 0


async def test_one_that_others_erase_meanwhile_stops_nothing(keeping: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    await keeping.receipted()

    async def refused(*_: object, **__: object) -> Entry:
        raise JournalError("The message is no longer RECEIPTED.")

    monkeypatch.setattr(Journal, "erase", refused)
    assert await keeping.run(after=91 * DAY) == 0
