"""The rules of the queue, contract section 6."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

import pytest

from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.queues import (
    DeathReason,
    Lease,
    QueuedMessage,
    QueueInUse,
    Queues,
    UnknownQueue,
)
from support.subscribers import Hand

Q = "fiksio.konto.a"
DAY_MS = 86_400_000
DAY = timedelta(days=1)


class World:
    def __init__(self) -> None:
        self.clock = SimulatorClock()
        self.dead: list[tuple[str, DeathReason, str]] = []
        self.queues = Queues(self.clock, self.bury)
        self.queues.declare(Q)

    def bury(self, message: QueuedMessage, reason: DeathReason, queue: str) -> None:
        self.dead.append((message.headers["melding-id"], reason, queue))

    def publish(self, *names: str, expiration_ms: int | None = None) -> None:
        for name in names:
            self.queues.publish(Q, QueuedMessage({"melding-id": name}, b"body", expiration_ms))

    def take(self) -> Lease:
        lease = self.queues.take(Q)
        assert lease is not None
        return lease

    def subscribe(self, hand: Hand, *, exclusive: bool = False) -> Hand:
        self.queues.subscribe(Q, hand, exclusive=exclusive)
        self.queues.wake(Q)
        return hand


@pytest.fixture
def world() -> World:
    return World()


def name(lease: Lease) -> str:
    return lease.message.headers["melding-id"]


def test_messages_come_in_order_and_are_gone_when_acknowledged(world: World) -> None:
    world.publish("1", "2", "3")
    taken = [world.take() for _ in range(3)]
    assert [name(lease) for lease in taken] == ["1", "2", "3"]
    for lease in taken:
        lease.ack()
    assert world.queues.take(Q) is None
    assert world.queues.held(Q) == 0


def test_a_requeued_message_goes_back_to_its_place(world: World) -> None:
    world.publish("1", "2", "3")
    first, second = world.take(), world.take()
    second.requeue()
    first.requeue()
    assert [name(world.take()) for _ in range(3)] == ["1", "2", "3"]


def test_redelivered_tells_that_it_was_in_someones_hands(world: World) -> None:
    world.publish("1", "2")
    first = world.take()
    assert not first.redelivered
    first.requeue()
    assert world.take().redelivered
    assert not world.take().redelivered


def test_the_third_failed_attempt_is_the_last(world: World) -> None:
    world.publish("1", "2")
    for _ in range(2):
        world.take().requeue()
    assert world.dead == []
    world.take().requeue()
    assert world.dead == [("1", DeathReason.DELIVERY_LIMIT, Q)]
    assert name(world.take()) == "2"


def test_a_discarded_message_dies_unheard(world: World) -> None:
    world.publish("1")
    world.take().discard()
    assert world.queues.take(Q) is None
    assert world.dead == []


@pytest.mark.parametrize("settle", [Lease.ack, Lease.discard, Lease.requeue])
@pytest.mark.parametrize("again", [Lease.ack, Lease.discard, Lease.requeue])
def test_a_delivery_is_settled_once(
    world: World, settle: Callable[[Lease], None], again: Callable[[Lease], None]
) -> None:
    world.publish("1")
    lease = world.take()
    settle(lease)
    depth = world.queues.depth(Q)
    with pytest.raises(RuntimeError):
        again(lease)
    assert world.queues.depth(Q) == depth


def test_an_expired_message_at_the_head_dies(world: World) -> None:
    world.publish("1", expiration_ms=DAY_MS)
    world.clock.advance(DAY)
    assert world.queues.depth(Q) == 0
    assert world.dead == [("1", DeathReason.EXPIRED, Q)]


def test_a_message_that_lives_in_front_delays_the_death_of_those_behind(world: World) -> None:
    world.publish("long")
    world.publish("short", expiration_ms=DAY_MS)
    world.clock.advance(2 * DAY)
    assert world.queues.depth(Q) == 2
    world.take().ack()
    world.queues.expire()
    assert world.dead == [("short", DeathReason.EXPIRED, Q)]


def test_a_message_in_someones_hands_does_not_expire_until_it_is_back(world: World) -> None:
    world.publish("1", expiration_ms=DAY_MS)
    lease = world.take()
    world.clock.advance(DAY)
    world.queues.expire()
    assert world.dead == []
    lease.requeue()
    assert world.dead == [("1", DeathReason.EXPIRED, Q)]


def test_the_time_left_is_told_in_milliseconds(world: World) -> None:
    world.publish("1", expiration_ms=3 * DAY_MS)
    world.publish("2")
    world.clock.advance(2 * DAY)
    left = world.take().expiration_ms
    assert left is not None
    assert DAY_MS - 60_000 < left <= DAY_MS
    assert world.take().expiration_ms is None


def test_consumers_take_turns_as_they_have_room(world: World) -> None:
    one, two = world.subscribe(Hand()), world.subscribe(Hand(room=1))
    world.publish("1", "2", "3", "4")
    assert (one.seen, two.seen) == (["1", "3", "4"], ["2"])
    two.leases.pop().ack()
    world.publish("5", "6")
    assert (one.seen, two.seen) == (["1", "3", "4", "6"], ["2", "5"])


def test_a_new_consumer_gets_nothing_before_it_is_woken(world: World) -> None:
    world.publish("1")
    hand = Hand()
    world.queues.subscribe(Q, hand)
    assert hand.seen == []
    world.queues.wake(Q)
    assert hand.seen == ["1"]


def test_a_consumer_that_left_gets_nothing_and_keeps_what_it_holds(world: World) -> None:
    hand = world.subscribe(Hand())
    world.publish("1")
    world.queues.unsubscribe(Q, hand)
    world.publish("2")
    assert hand.seen == ["1"]
    assert (world.queues.depth(Q), world.queues.held(Q), world.queues.consumers(Q)) == (1, 1, 0)


def test_an_exclusive_consumer_shares_with_nobody(world: World) -> None:
    hand = world.subscribe(Hand(), exclusive=True)
    with pytest.raises(QueueInUse):
        world.subscribe(Hand())
    world.queues.unsubscribe(Q, hand)
    world.subscribe(Hand())
    with pytest.raises(QueueInUse):
        world.subscribe(Hand(), exclusive=True)


def test_a_consumer_that_fails_while_taking_loses_no_message(world: World) -> None:
    class Clumsy(Hand):
        def deliver(self, lease: Lease) -> None:
            raise OSError(f"dropped {name(lease)}")

    world.subscribe(Clumsy())
    with pytest.raises(OSError, match="dropped 1"):
        world.publish("1")
    assert (world.queues.depth(Q), world.queues.held(Q)) == (1, 0)


def test_a_death_notice_may_be_published_to_the_same_queue(world: World) -> None:
    hand = world.subscribe(Hand())

    def answer(message: QueuedMessage, reason: DeathReason, queue: str) -> None:
        world.bury(message, reason, queue)
        world.queues.publish(queue, QueuedMessage({"melding-id": "notice"}))

    world.queues = Queues(world.clock, answer)
    world.queues.declare(Q)
    world.subscribe(hand)
    world.publish("old", expiration_ms=0)
    assert world.dead == [("old", DeathReason.EXPIRED, Q)]
    assert hand.seen == ["notice"]


def test_a_consumer_may_settle_at_once(world: World) -> None:
    class Quick(Hand):
        def deliver(self, lease: Lease) -> None:
            self.seen.append(name(lease))
            lease.requeue() if not lease.redelivered else lease.ack()

    hand = world.subscribe(Quick())
    world.publish("1", "2")
    assert hand.seen == ["1", "1", "2", "2"]


@pytest.mark.parametrize(
    "call",
    [
        lambda queues: queues.publish("none", QueuedMessage({})),
        lambda queues: queues.depth("none"),
        lambda queues: queues.held("none"),
        lambda queues: queues.consumers("none"),
        lambda queues: queues.take("none"),
        lambda queues: queues.wake("none"),
        lambda queues: queues.subscribe("none", Hand()),
        lambda queues: queues.unsubscribe("none", Hand()),
    ],
)
def test_a_queue_that_does_not_exist_is_named_in_the_error(world: World, call: Callable[[Queues], object]) -> None:
    with pytest.raises(UnknownQueue, match="none"):
        call(world.queues)


def test_declaring_a_queue_again_keeps_what_is_in_it(world: World) -> None:
    world.publish("1")
    world.queues.declare(Q)
    assert world.queues.depth(Q) == 1


@pytest.mark.parametrize("headers", [{"navn": "\ud800"}, {"n" * 129: ""}, {"æ" * 65: ""}])
def test_a_message_that_could_not_travel_cannot_be_made(headers: dict[str, str]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (UnicodeEncodeError and our own)
        QueuedMessage(headers)


class TestKeepingTime:
    """`keep_time` buries messages while nobody reads."""

    async def test_the_earliest_head_is_buried_first(self, world: World) -> None:
        other = "fiksio.konto.b"
        world.queues.declare(other)
        buried = asyncio.Event()

        def bury(message: QueuedMessage, reason: DeathReason, queue: str) -> None:
            world.bury(message, reason, queue)
            buried.set()

        queues = Queues(world.clock, bury)
        queues.declare(Q)
        queues.declare(other)
        keeper = asyncio.create_task(queues.keep_time())
        queues.publish(Q, QueuedMessage({"melding-id": "late"}, expiration_ms=2 * DAY_MS))
        await asyncio.sleep(0)
        queues.publish(other, QueuedMessage({"melding-id": "early"}, expiration_ms=DAY_MS))
        for expected in (["early"], ["early", "late"]):
            await asyncio.sleep(0)
            world.clock.advance(DAY)
            await asyncio.wait_for(buried.wait(), 10)
            buried.clear()
            assert [dead for dead, _, _ in world.dead] == expected
        await stop(keeper)

    async def test_a_message_given_back_late_is_buried_when_its_time_comes(self, world: World) -> None:
        buried = asyncio.Event()
        queues = Queues(world.clock, lambda *_: buried.set())
        queues.declare(Q)
        keeper = asyncio.create_task(queues.keep_time())
        await asyncio.sleep(0)
        hand = Hand()
        queues.subscribe(Q, hand)
        queues.publish(Q, QueuedMessage({"melding-id": "1"}, expiration_ms=DAY_MS))
        await asyncio.sleep(0)
        hand.room = 0
        hand.leases.pop().requeue()
        world.clock.advance(DAY)
        await asyncio.wait_for(buried.wait(), 10)
        await stop(keeper)


async def stop(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("settled", range(8))
@pytest.mark.parametrize("turns", range(4))
async def test_a_keeper_cancelled_while_the_clock_moves_ends(settled: int, turns: int) -> None:
    clock = SimulatorClock()
    queues = Queues(clock, lambda *_: None)
    queues.declare(Q)
    keeper = asyncio.create_task(queues.keep_time())
    queues.publish(Q, QueuedMessage({"melding-id": "1"}, expiration_ms=DAY_MS))
    for _ in range(settled):
        await asyncio.sleep(0)
    clock.advance(2 * DAY)
    for _ in range(turns):
        await asyncio.sleep(0)
    keeper.cancel()
    _, unended = await asyncio.wait([keeper], timeout=2)
    keeper.cancel()
    assert not unended
