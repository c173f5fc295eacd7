import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import pytest

from fiksmelding.alarms import Alarm, AlarmKind, Alarms
from fiksmelding.broker import Delivery, Metadata
from fiksmelding.config import JournalSettings
from fiksmelding.errors import BrokerUnavailable, JournalUnavailable, NotFound, PlatformUnavailable
from fiksmelding.journal import Arrival, EventKind, Journal, Kept, State
from fiksmelding.receiver.identity import short
from fiksmelding.receiver.keeping import Keeper
from fiksmelding.receiver.steps import Step
from fiksmelding.worker import Backoff
from support.arrivals import KONTO, NOON, SENDER
from support.clocks import StillClock
from support.roads import never_out


@dataclass
class Store:
    """A document store with troubles."""

    content: bytes = b"sealed in the store"
    troubles: list[Exception] = field(default_factory=list)
    asked: int = 0

    async def download(self, dokument_id: UUID) -> AsyncGenerator[bytes, None]:
        self.asked += 1
        yield self.content[:5]
        if self.troubles:
            raise self.troubles.pop(0)
        yield self.content[5:]


class Broker:
    """Hands out deliveries and hears their acknowledgements."""

    def __init__(self) -> None:
        self.acknowledged: list[str] = []
        self.gone = False

    def delivery(self, **headers: str) -> Delivery:
        given = {
            "melding-id": str(uuid4()),
            "type": "no.ks.fiks.bekymringsmelding.privat.v2",
            "avsender-id": SENDER,
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        metadata = Metadata.parse({name: value for name, value in given.items() if value}, expiration=None)

        async def acknowledge() -> None:
            if self.gone:
                raise BrokerUnavailable("gone")
            self.acknowledged.append(given["melding-id"])

        return Delivery(
            metadata=metadata,
            body=b"sealed",
            redelivered=False,
            received_at=NOON,
            queue=f"fiksio.konto.{KONTO}",
            acknowledge=acknowledge,
            alive=lambda: not self.gone,
        )


class Keeping:
    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.store = Store()
        self.broker = Broker()
        self.clock = StillClock()
        self.steps: list[Step] = []
        self.woken = 0
        self.alarms: list[Alarm] = []
        alarms = Alarms(self.clock, self.alarms.append)
        self.keeper = Keeper(
            journal=journal,
            documents=self.store,
            konto_id=KONTO,
            deadline_hours=24,
            backoff=Backoff(1.0, 8.0),
            clock=self.clock,
            observe=lambda step, _: self.steps.append(step),
            alarms=alarms,
            outage=never_out(journal, self.clock, alarms),
            kept=self._wake,
        )

    def _wake(self) -> None:
        self.woken += 1


@pytest.fixture
def keeping(journal: Journal) -> Keeping:
    return Keeping(journal)


async def test_a_delivery_is_durable_before_it_is_acknowledged(keeping: Keeping) -> None:
    await keeping.keeper.keep(keeping.broker.delivery())
    assert keeping.steps == [Step.KEPT, Step.ACKNOWLEDGED]
    assert len(keeping.broker.acknowledged) == keeping.woken == 1
    [entry] = await keeping.journal.entries()
    assert entry.arrival.deadline_at == NOON + timedelta(hours=24)


async def test_a_redelivery_is_acknowledged_and_changes_nothing(keeping: Keeping) -> None:
    delivery = keeping.broker.delivery()
    await keeping.keeper.keep(delivery)
    await keeping.keeper.keep(delivery)
    assert len(keeping.broker.acknowledged) == 2
    assert keeping.steps == [Step.KEPT, Step.ACKNOWLEDGED, Step.ACKNOWLEDGED]
    [entry] = await keeping.journal.entries()
    assert [event.kind for event in await keeping.journal.events(entry.id)] == [EventKind.KEPT, EventKind.REDELIVERED]


async def test_a_lost_acknowledgement_is_no_failure(keeping: Keeping) -> None:
    keeping.broker.gone = True
    await keeping.keeper.keep(keeping.broker.delivery())
    assert keeping.steps == [Step.KEPT]
    assert keeping.woken == 1


class FailingJournal(Journal):
    """A journal whose disk is full for a while."""

    full = True

    async def keep(self, arrival: Arrival, body: bytes) -> Kept:
        if self.full:
            raise JournalUnavailable("database or disk is full")
        return await super().keep(arrival, body)

    async def check_writable(self, size: int, *, at: datetime) -> None:
        assert size == len(b"sealed")
        if self.full:
            raise JournalUnavailable("database or disk is full")


async def test_while_the_journal_cannot_write_nothing_is_acknowledged(at: JournalSettings) -> None:
    async with FailingJournal(at) as failing:
        keeping = Keeping(failing)
        task = asyncio.create_task(keeping.keeper.keep(keeping.broker.delivery()))
        for _ in range(5):
            await asyncio.wait([task], timeout=0.01)
            keeping.clock.advance(timedelta(seconds=60))
        assert not task.done()
        assert keeping.broker.acknowledged == []
        assert [alarm.kind for alarm in keeping.alarms] == [AlarmKind.JOURNAL_DOWN]
        failing.full = False
        while not task.done():
            keeping.clock.advance(timedelta(seconds=60))
            await asyncio.wait([task], timeout=0.01)
        assert len(keeping.broker.acknowledged) == 1
        assert [alarm.over for alarm in keeping.alarms] == [False, True]


class RefusingJournal(Journal):
    """A journal that takes everything but this one delivery."""

    async def keep(self, arrival: Arrival, body: bytes) -> Kept:
        raise JournalUnavailable("something about this delivery")


async def test_a_delivery_that_can_never_be_kept_is_told_once_and_stops_no_other(at: JournalSettings) -> None:
    async with RefusingJournal(at) as refusing:
        keeping = Keeping(refusing)
        task = asyncio.create_task(keeping.keeper.keep(keeping.broker.delivery()))
        while not keeping.alarms:
            await asyncio.wait([task], timeout=0.01)
            keeping.clock.advance(timedelta(seconds=60))
        task.cancel()
        await asyncio.wait([task])
        assert [alarm.kind for alarm in keeping.alarms] == [AlarmKind.NOT_KEPT]
        assert keeping.broker.acknowledged == []


def test_an_id_too_long_for_an_index_is_told_from_others_and_is_the_same_each_time() -> None:
    assert short("an id") == "an id"
    assert short(None) is None
    long = [short("x" * count) or "" for count in (400, 401, 64_000)]
    assert long[1] == short("x" * 401)
    assert len(set(long)) == 3
    assert max(map(len, long)) == 400


async def test_a_body_in_the_document_store_is_kept_before_the_acknowledgement(keeping: Keeping) -> None:
    await keeping.keeper.keep(keeping.broker.delivery(dokumentlager_id=str(uuid4())))
    [entry] = await keeping.journal.entries()
    assert b"".join([piece async for piece in keeping.journal.payload(entry)]) == b"sealed in the store"
    assert keeping.steps == [Step.KEPT, Step.ACKNOWLEDGED]


async def test_a_download_that_breaks_off_is_begun_again(keeping: Keeping) -> None:
    keeping.store.troubles = [PlatformUnavailable("broke off"), PlatformUnavailable("broke off")]
    task = asyncio.create_task(keeping.keeper.keep(keeping.broker.delivery(dokumentlager_id=str(uuid4()))))
    while not task.done():
        keeping.clock.advance(timedelta(seconds=10))
        await asyncio.wait([task], timeout=0.01)
    assert keeping.store.asked == 3
    [entry] = await keeping.journal.entries()
    assert b"".join([piece async for piece in keeping.journal.payload(entry)]) == b"sealed in the store"


@pytest.mark.parametrize("dokumentlager_id", ["2f0c1c1e-6f0e-4e57-9c1d-3f6b3a5d7e01", "no uuid"])
async def test_a_document_that_is_gone_leaves_an_entry_to_be_set_aside(keeping: Keeping, dokumentlager_id: str) -> None:
    keeping.store.troubles = [NotFound("gone", status=404)]
    await keeping.keeper.keep(keeping.broker.delivery(dokumentlager_id=dokumentlager_id))
    [entry] = await keeping.journal.entries()
    assert (entry.size, entry.state) == (0, State.RECEIVED)
    assert len(keeping.broker.acknowledged) == 1


@pytest.mark.parametrize("value", [7, 1.5, True, None, b"\xff\x00", ["a"], {"a": [None]}, NOON, "\ud800"])
@pytest.mark.parametrize("name", ["melding-id", "type", "klientMeldingId", "bekymringsmelding-id", "svar-til", "own"])
async def test_headers_of_any_type_are_kept(keeping: Keeping, name: str, value: object) -> None:
    usual = {"melding-id": str(uuid4()), "type": "no.ks.fiks.bekymringsmelding.privat.v2", "avsender-id": SENDER}
    metadata = Metadata.parse({**usual, name: value})
    await keeping.keeper.keep(replace(keeping.broker.delivery(), metadata=metadata))
    [entry] = await keeping.journal.entries()
    assert set(entry.arrival.headers) == {*usual, name}
    assert len(keeping.broker.acknowledged) == 1


async def test_headers_that_are_no_ids_are_kept_as_missing(keeping: Keeping) -> None:
    await keeping.keeper.keep(keeping.broker.delivery(melding_id="not a uuid", avsender_id="", type=""))
    [entry] = await keeping.journal.entries()
    assert set(entry.arrival.missing) == {"melding-id", "avsender-id", "type"}
    assert entry.arrival.melding_id is None
    assert entry.arrival.headers["melding-id"] == "not a uuid"
