"""Handing over: bounded, patient, and deaf to lost connections."""

import asyncio
import logging
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from fiksmelding.broker import Delivery, Metadata
from fiksmelding.broker.delivery import Acknowledgement
from fiksmelding.broker.handover import MOST_APART, Handovers
from fiksmelding.errors import BrokerAccessRefused, BrokerUnavailable, JournalUnavailable
from support.fake_clock import FakeClock


def delivery(name: str = "m", alive: Callable[[], bool] = lambda: True) -> Delivery:
    async def acknowledge() -> None:
        pass

    return Delivery(
        metadata=Metadata.parse({"melding-id": name}),
        body=b"sealed",
        redelivered=False,
        received_at=datetime.now(UTC),
        queue="q",
        acknowledge=acknowledge,
        alive=alive,
    )


class Keeper:
    """Counts what it is handed; holds each until released."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.ended: list[str] = []
        self.now = 0
        self.most = 0
        self.released = asyncio.Event()
        self.changed = asyncio.Event()

    async def keep(self, delivery: Delivery) -> None:
        name = delivery.metadata.melding_id or ""
        self.begun.append(name)
        self.now += 1
        self.most = max(self.most, self.now)
        self.changed.set()
        try:
            await self.released.wait()
            self.ended.append(name)
        finally:
            self.now -= 1
            self.changed.set()

    async def until_begun(self, count: int) -> None:
        while len(self.begun) < count:
            self.changed.clear()
            await asyncio.wait_for(self.changed.wait(), 5)


class Failing:
    """Fails a number of times, then succeeds."""

    def __init__(self, failures: int, error: Exception) -> None:
        self.calls = 0
        self.failures = failures
        self.error = error
        self.failed = asyncio.Event()
        self.done = asyncio.Event()

    async def keep(self, _: Delivery) -> None:
        self.calls += 1
        if self.calls <= self.failures:
            self.failed.set()
            raise self.error
        self.done.set()


async def test_no_more_run_at_once_than_the_limit() -> None:
    keeper = Keeper()
    handovers = Handovers(keeper.keep, limit=3, clock=FakeClock())
    for number in range(10):
        handovers.take(delivery(str(number)))
    await keeper.until_begun(3)
    keeper.released.set()
    await keeper.until_begun(10)
    await handovers.finish(5)
    assert keeper.most == 3
    assert sorted(keeper.ended) == [str(number) for number in range(10)]


async def test_those_that_wait_for_somebody_else_take_no_place_of_the_others() -> None:
    keeper, crowded = Keeper(), asyncio.Event()
    handovers = Handovers(
        keeper.keep,
        limit=2,
        clock=FakeClock(),
        apart=lambda delivery: (delivery.metadata.melding_id or "").startswith("large"),
        on_crowded=crowded.set,
    )
    handovers.take(delivery("large 1"))
    assert (handovers.crowded, crowded.is_set()) == (True, True)
    handovers.new_consumer()
    assert not handovers.crowded
    for name in ("large 2", "1", "2", "3"):
        handovers.take(delivery(name))
    await keeper.until_begun(4)
    assert sorted(keeper.begun) == ["1", "2", "large 1", "large 2"]
    keeper.released.set()
    await keeper.until_begun(5)
    await handovers.finish(5)
    assert not handovers.crowded


async def test_so_many_wait_for_somebody_else_and_no_more_until_one_has_ended() -> None:
    keeper, crowded = Keeper(), asyncio.Event()
    handovers = Handovers(keeper.keep, limit=2, clock=FakeClock(), apart=lambda _: True, on_crowded=crowded.set)
    for number in range(MOST_APART):
        handovers.new_consumer()
        handovers.take(delivery(str(number)))
    assert not handovers.crowded
    crowded.clear()
    await keeper.until_begun(MOST_APART)
    keeper.released.set()
    await asyncio.wait_for(crowded.wait(), 5)
    await handovers.finish(5)


async def test_one_whose_connection_is_gone_is_not_begun() -> None:
    keeper = Keeper()
    keeper.released.set()
    handovers = Handovers(keeper.keep, limit=3, clock=FakeClock())
    handovers.take(delivery("gone", lambda: False))
    handovers.take(delivery("here"))
    await keeper.until_begun(1)
    await handovers.finish(5)
    assert keeper.begun == ["here"]


async def test_one_that_fails_is_handed_over_again_with_growing_waits() -> None:
    clock, failing = FakeClock(), Failing(7, JournalUnavailable("The disk is full."))
    handovers = Handovers(failing.keep, limit=1, clock=clock)
    handovers.take(delivery())
    await asyncio.wait_for(failing.done.wait(), 5)
    assert clock.slept == [1, 2, 4, 8, 16, 30, 30]
    await handovers.finish(5)


async def test_a_failure_is_not_repeated_when_the_connection_is_gone() -> None:
    failing = Failing(9, OSError())
    handovers = Handovers(failing.keep, limit=1, clock=FakeClock())
    handovers.take(delivery("first", lambda: not failing.calls))
    handovers.take(delivery("second", lambda: not failing.calls))
    await asyncio.wait_for(failing.failed.wait(), 5)
    for _ in range(20):
        await asyncio.sleep(0)
    await handovers.finish(5)
    assert failing.calls == 1


async def test_a_foreign_error_is_logged_by_its_kind_only(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    failing = Failing(1, ValueError("Kari Nordmann 01010112345"))
    handovers = Handovers(failing.keep, limit=1, clock=FakeClock())
    handovers.take(delivery("id-1"))
    await asyncio.wait_for(failing.done.wait(), 5)
    await handovers.finish(0)
    assert "id-1" in caplog.text
    assert "ValueError" in caplog.text
    assert "Nordmann" not in caplog.text


async def test_finishing_waits_for_what_runs_and_begins_nothing_more() -> None:
    keeper = Keeper()
    handovers = Handovers(keeper.keep, limit=1, clock=FakeClock())
    handovers.take(delivery("first"))
    handovers.take(delivery("second"))
    await keeper.until_begun(1)
    finishing = asyncio.create_task(handovers.finish(30))
    await asyncio.sleep(0)
    handovers.take(delivery("third"))
    keeper.released.set()
    await finishing
    assert keeper.ended == ["first"]
    assert keeper.begun == ["first"]


async def test_what_does_not_end_in_time_is_cancelled() -> None:
    keeper = Keeper()
    handovers = Handovers(keeper.keep, limit=1, clock=FakeClock())
    handovers.take(delivery("first"))
    await keeper.until_begun(1)
    await handovers.finish(0)
    assert (keeper.now, keeper.ended) == (0, [])


async def test_an_ack_is_sent_once_however_often_it_is_asked_for() -> None:
    sent: list[str] = []

    async def send() -> None:
        sent.append("ack")
        await asyncio.sleep(0)

    acknowledge = Acknowledgement(send, "m")
    await asyncio.gather(acknowledge(), acknowledge())
    await acknowledge()
    assert sent == ["ack"]


@pytest.mark.parametrize("failure", [BrokerUnavailable("gone"), BrokerAccessRefused("refused")])
async def test_an_ack_that_cannot_be_sent_names_the_message(failure: Exception) -> None:
    async def send() -> None:
        raise failure

    with pytest.raises(BrokerUnavailable, match="message m-1"):
        await Acknowledgement(send, "m-1")()


def test_a_delivery_shows_neither_body_nor_callback() -> None:
    assert "sealed" not in repr(delivery())
