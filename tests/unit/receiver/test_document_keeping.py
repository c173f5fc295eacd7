"""Messages whose body is in the document store: kept whole, or in the end without, but never asked for without end."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from fiksmelding.alarms import Alarms
from fiksmelding.errors import AccessRefused, NotFound, PlatformError, PlatformUnavailable
from fiksmelding.fiks import DocumentTooLarge
from fiksmelding.journal import Arrival, Entry, Journal, Kept, State
from fiksmelding.receiver.documents import DocumentKeeper
from support.arrivals import arrival
from support.clocks import StillClock
from support.journals import ask, stored
from support.roads import Journeys

HOUR = timedelta(hours=1)


@dataclass
class Store:
    """A document store whose pieces come when the test lets them, and whose troubles come in between."""

    clock: StillClock
    pieces: list[bytes] = field(default_factory=lambda: [b"sealed ", b"in the store"])
    troubles: list[PlatformError] = field(default_factory=list)
    between: timedelta = timedelta(0)
    held: asyncio.Event | None = None
    asked: list[UUID] = field(default_factory=list)

    async def download(self, dokument_id: UUID) -> AsyncGenerator[bytes, None]:
        self.asked.append(dokument_id)
        for number, piece in enumerate(self.pieces):
            if number and self.troubles:
                raise self.troubles.pop(0)
            yield piece
            self.clock.advance(self.between)
            if self.held is not None:
                await self.held.wait()


class Keeping:
    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self.clock = StillClock()
        self.store = Store(self.clock)
        self.keeper = DocumentKeeper(journal=journal, documents=self.store, clock=self.clock, alarms=Alarms(self.clock))

    async def keep(self, delivery: Arrival | None = None, *, hours: float = 12) -> Kept:
        message = delivery or arrival(dokumentlager_id=str(uuid4()))
        return await self.keeper.keep(message, give_up_at=self.clock.monotonic() + hours * 3600)

    async def entry(self, delivery: Arrival | None = None, *, hours: float = 12) -> Entry:
        return await self.journal.entry((await self.keep(delivery, hours=hours)).entry_id)


@pytest.fixture
def keeping(journal: Journal) -> Keeping:
    return Keeping(journal)


async def nothing_is_left_over(journal: Journal) -> bool:
    return await ask(journal, "select count(*) from downloads") == 0


async def test_a_document_is_kept_as_it_came(keeping: Keeping) -> None:
    document = uuid4()
    entry = await keeping.entry(arrival(dokumentlager_id=str(document)))
    assert await stored(keeping.journal, entry.id) == b"sealed in the store"
    assert keeping.store.asked == [document]


@pytest.mark.parametrize("error", [PlatformUnavailable("broke off"), AccessRefused("the token", status=401)])
async def test_what_may_come_right_is_not_kept_and_leaves_nothing(keeping: Keeping, error: PlatformError) -> None:
    keeping.store.troubles = [error]
    with pytest.raises(type(error)):
        await keeping.keep()
    assert await keeping.journal.entries() == []
    assert await nothing_is_left_over(keeping.journal)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (NotFound("404", status=404), "not in the document store any more"),
        (DocumentTooLarge("The document is too large: 6 bytes, at most 5."), "too large: 6 bytes"),
    ],
)
async def test_what_cannot_come_right_is_kept_without_its_body_at_once(
    keeping: Keeping, error: PlatformError, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    keeping.store.troubles = [error]
    entry = await keeping.entry()
    assert entry.size == 0
    assert reason in (entry.reason or "")
    assert reason in caplog.text
    assert caplog.records[-1].levelname == "CRITICAL"
    assert len(keeping.store.asked) == 1
    assert await nothing_is_left_over(keeping.journal)


async def test_an_id_that_is_none_is_not_asked_for(keeping: Keeping) -> None:
    entry = await keeping.entry(arrival(dokumentlager_id="../../etc/passwd"))
    assert (entry.size, entry.reason) == (0, "its dokumentlager-id is no UUID")
    assert keeping.store.asked == []


async def test_when_its_time_is_up_a_document_that_fails_is_given_up(keeping: Keeping) -> None:
    keeping.store.troubles = [PlatformUnavailable("broke off"), PlatformUnavailable("broke off again")]
    delivery = arrival(dokumentlager_id=str(uuid4()))
    with pytest.raises(PlatformUnavailable):
        await keeping.keep(delivery)
    entry = await keeping.entry(delivery, hours=0)
    assert entry.reason == "its document could not be fetched in time: broke off again"


async def test_when_its_time_is_up_a_document_that_comes_is_kept(keeping: Keeping) -> None:
    entry = await keeping.entry(hours=-100)
    assert await stored(keeping.journal, entry.id) == b"sealed in the store"


async def test_one_that_trickles_is_given_up_too(keeping: Keeping) -> None:
    keeping.store.pieces, keeping.store.between = [b"x"] * 100, HOUR
    entry = await keeping.entry(hours=12)
    assert "too slowly" in (entry.reason or "")
    assert keeping.clock.monotonic() == 12 * 3600
    assert await nothing_is_left_over(keeping.journal)


async def test_delivered_again_while_it_is_downloaded_it_is_downloaded_once(keeping: Keeping) -> None:
    keeping.store.held = asyncio.Event()
    delivery = arrival(dokumentlager_id=str(uuid4()))
    first, second = (asyncio.create_task(keeping.keep(delivery)) for _ in range(2))
    other = asyncio.create_task(keeping.keep())
    while len(keeping.store.asked) < 2:  # noqa: ASYNC110  the store has no event
        await asyncio.sleep(0.001)
    keeping.store.held.set()
    kept = [await asyncio.wait_for(task, 20) for task in (first, second, other)]
    assert [one.repeated for one in kept] == [False, True, False]
    assert kept[0].entry_id == kept[1].entry_id
    assert len(keeping.store.asked) == 2


async def test_without_its_body_it_is_set_aside_with_the_reason_and_answered_in_time(journeys: Journeys) -> None:
    reason = "its document is not in the document store any more"
    kept = await journeys.journal.keep_without_body(arrival(dokumentlager_id=str(uuid4())), reason)
    entry = await journeys.walk(await journeys.journal.entry(kept.entry_id))
    assert (entry.state, entry.reason) == (State.QUARANTINED, reason)
    entry = await journeys.walk_later(entry)
    assert entry.state is State.RECEIPTED
    assert journeys.platform.sent[0].melding_type == "no.ks.fiks.bekymringsmelding.feilet.v1"
