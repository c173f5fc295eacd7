"""Whatever consumers do, each message is in exactly one place, and in order (hypothesis drives a model beside it)."""

from collections.abc import Iterable
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.queues import MAX_ATTEMPTS, DeathReason, Lease, QueuedMessage, Queues
from support.subscribers import Hand

HOUR_MS = 3_600_000


class QueueMachine(RuleBasedStateMachine):
    """Publishes, consumes, settles, loses connections and lets time pass."""

    hands = Bundle("hands")

    def __init__(self) -> None:
        super().__init__()
        self.clock = SimulatorClock()
        self.queues = Queues(self.clock, self.bury)
        self.queues.declare("q")
        self.published = 0
        self.gone: dict[str, str] = {}
        self.failed: dict[str, int] = {}
        self.connected: list[Hand] = []

    def bury(self, message: QueuedMessage, reason: DeathReason, queue: str) -> None:
        name = message.headers["melding-id"]
        assert queue == "q"
        assert (self.failed[name] == MAX_ATTEMPTS) == (reason is DeathReason.DELIVERY_LIMIT)
        self.leave(name, reason)

    def leave(self, name: str, why: str) -> None:
        assert name not in self.gone, f"{name} left twice: {self.gone[name]}, then {why}"
        self.gone[name] = why

    @rule(lives=st.none() | st.integers(1, 6))
    def publish(self, lives: int | None) -> None:
        self.published += 1
        name = str(self.published)
        self.failed[name] = 0
        self.queues.publish("q", QueuedMessage({"melding-id": name}, b"", lives and lives * HOUR_MS))

    @rule(target=hands, room=st.integers(1, 4))
    def connect(self, room: int) -> Hand:
        hand = Hand(room=room)
        self.queues.subscribe("q", hand)
        self.connected.append(hand)
        self.queues.wake("q")
        return hand

    @rule(hand=hands, data=st.data())
    def ack(self, hand: Hand, data: st.DataObject) -> None:
        for lease in self.some(hand, data):
            self.leave(name_of(lease), "acknowledged")
            lease.ack()
        self.queues.wake("q")

    @rule(hand=hands, data=st.data())
    def discard(self, hand: Hand, data: st.DataObject) -> None:
        for lease in self.some(hand, data):
            self.leave(name_of(lease), "discarded")
            lease.discard()
        self.queues.wake("q")

    @rule(hand=hands, data=st.data())
    def requeue(self, hand: Hand, data: st.DataObject) -> None:
        self.fail(self.some(hand, data))

    @rule(hand=consumes(hands))
    def disconnect(self, hand: Hand) -> None:
        self.queues.unsubscribe("q", hand)
        self.connected.remove(hand)
        leases, hand.leases = hand.leases, []
        self.fail(leases)

    @rule(hours=st.integers(1, 6))
    def let_time_pass(self, hours: int) -> None:
        self.clock.advance(timedelta(hours=hours))
        self.queues.expire()

    def fail(self, leases: Iterable[Lease]) -> None:
        for lease in leases:
            assert lease.redelivered == (self.failed[name_of(lease)] > 0)
            self.failed[name_of(lease)] += 1
            lease.requeue()

    def some(self, hand: Hand, data: st.DataObject) -> list[Lease]:
        chosen = data.draw(st.sets(st.integers(0, max(0, len(hand.leases) - 1)))) if hand.leases else set()
        taken = [hand.leases[index] for index in sorted(chosen)]
        hand.leases = [lease for lease in hand.leases if lease not in taken]
        return taken

    @invariant()
    def every_message_is_in_one_place(self) -> None:
        held = [name_of(lease) for hand in self.connected for lease in hand.leases]
        assert len(held) == len(set(held)) == self.queues.held("q")
        assert not set(held) & set(self.gone)
        assert self.queues.depth("q") + len(held) + len(self.gone) == self.published

    @invariant()
    def no_message_waits_while_a_consumer_has_room(self) -> None:
        if self.queues.depth("q"):
            assert not any(hand.ready() for hand in self.connected)

    def teardown(self) -> None:
        for hand in list(self.connected):
            self.disconnect(hand)
        left = []
        while lease := self.queues.take("q"):
            left.append(name_of(lease))
        assert left == sorted(left, key=int)
        assert {*left, *self.gone} == {str(number + 1) for number in range(self.published)}


def name_of(lease: Lease) -> str:
    return lease.message.headers["melding-id"]


TestQueues = QueueMachine.TestCase
TestQueues.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
