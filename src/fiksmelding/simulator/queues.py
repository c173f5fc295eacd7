"""The rules of the platform's queues (contract section 6), without a socket.

A message published is at any time exactly one of: waiting in its queue, held by one consumer as a `Lease`, or gone for
good (acknowledged, discarded or dead). Nothing here awaits, so no disconnect can fall between two of these.
"""

import asyncio
from datetime import datetime

from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.one_queue import ATTEMPTS, MAX_ATTEMPTS, MESSAGES, Lease, Queue, Subscriber, entry_of
from fiksmelding.simulator.queued import (
    MAX_HEADER_NAME_BYTES,
    DeathReason,
    OnDead,
    QueuedMessage,
    QueueInUse,
    QueueState,
    UnknownQueue,
)
from fiksmelding.simulator.state import NOWHERE, State

__all__ = [
    "MAX_ATTEMPTS",
    "MAX_HEADER_NAME_BYTES",
    "DeathReason",
    "Lease",
    "OnDead",
    "QueueInUse",
    "QueueState",
    "QueuedMessage",
    "Queues",
    "Subscriber",
    "UnknownQueue",
]


class Queues:
    """The queues of the platform.

    Args:
        clock: Where time to live is measured.
        on_dead: Called with the message, the reason and the queue's name when the platform gives a message up. It may
            publish; it must not raise.
        state: Where messages are kept for the next run.
    """

    def __init__(self, clock: SimulatorClock, on_dead: OnDead, state: State = NOWHERE) -> None:
        self._state = state
        self._clock = clock
        self._on_dead = on_dead
        self._queues: dict[str, Queue] = {}
        self._alarm: datetime | None = None
        self._earlier = asyncio.Event()

    def declare(self, name: str) -> None:
        """Make a queue; one that exists is left as it is."""
        if name not in self._queues:
            self._queues[name] = Queue(
                name, clock=self._clock, on_dead=self._on_dead, on_head=self._watch, state=self._state
            )

    def restore(self) -> None:
        """Take back the messages of an earlier run; those that were in someone's hands have lost an attempt."""
        attempts = {item.id: int(item.data) for item in self._state.all(ATTEMPTS)}
        for item in self._state.all(MESSAGES):
            name, _, sequence = item.id.rpartition(" ")
            self.declare(name)
            self._queues[name].restore(entry_of(item, int(sequence), attempts.get(item.id, 0)))
        for queue in list(self._queues.values()):
            queue.dispatch()

    def exists(self, name: str) -> bool:
        """Whether there is such a queue."""
        return name in self._queues

    def publish(self, name: str, message: QueuedMessage) -> None:
        """Put a message last in a queue.

        Raises:
            UnknownQueue: There is no such queue.
        """
        self._queue(name).publish(message)

    def depth(self, name: str) -> int:
        """How many messages wait; those in a consumer's hands are not among them.

        Raises:
            UnknownQueue: There is no such queue.
        """
        queue = self._queue(name)
        queue.expire()
        return queue.depth

    def held(self, name: str) -> int:
        """How many messages are in consumers' hands, neither acknowledged nor given back.

        Raises:
            UnknownQueue: There is no such queue.
        """
        return self._queue(name).held

    def consumers(self, name: str) -> int:
        """How many consumers the queue has.

        Raises:
            UnknownQueue: There is no such queue.
        """
        return self._queue(name).consumers

    async def state(self, name: str) -> QueueState:
        """All three counts.

        Raises:
            UnknownQueue: There is no such queue.
        """
        return QueueState(self.depth(name), self.held(name), self.consumers(name))

    def take(self, name: str) -> Lease | None:
        """Take the message at the head; None when the queue is empty.

        Raises:
            UnknownQueue: There is no such queue.
        """
        return self._queue(name).take()

    def subscribe(self, name: str, subscriber: Subscriber, *, exclusive: bool = False) -> None:
        """Add a consumer. It gets nothing before the next `wake`, so that it can be answered first.

        Raises:
            UnknownQueue: There is no such queue.
            QueueInUse: It, or another consumer, wants the queue for itself alone.
        """
        self._queue(name).subscribe(subscriber, exclusive=exclusive)

    def unsubscribe(self, name: str, subscriber: Subscriber) -> None:
        """Remove a consumer. What it holds stays with it.

        Raises:
            UnknownQueue: There is no such queue.
        """
        self._queue(name).unsubscribe(subscriber)

    def wake(self, name: str) -> None:
        """Hand out what waits: a subscriber is new, or ready again.

        Raises:
            UnknownQueue: There is no such queue.
        """
        self._queue(name).dispatch()

    def expire(self) -> None:
        """Bury every message that has expired at the head of its queue."""
        for queue in list(self._queues.values()):
            queue.expire()

    async def keep_time(self) -> None:
        """Bury messages as they expire, also in queues that nobody reads. Runs until cancelled."""
        while True:
            self._earlier.clear()
            self.expire()
            heads = [moment for queue in self._queues.values() if (moment := queue.head_expires_at())]
            self._alarm = min(heads, default=None)
            await self._wait_for_alarm(self._alarm)

    async def _wait_for_alarm(self, moment: datetime | None) -> None:
        if moment is None:
            await self._earlier.wait()
            return
        waits = [asyncio.ensure_future(self._earlier.wait()), asyncio.ensure_future(self._clock.wait_until(moment))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            # Not `await wait` under suppress(): that would swallow our own cancellation too.
            await asyncio.gather(*waits, return_exceptions=True)

    def _queue(self, name: str) -> Queue:
        try:
            return self._queues[name]
        except KeyError:
            raise UnknownQueue(f"There is no queue named {name}.") from None

    def _watch(self, moment: datetime) -> None:
        if self._alarm is None or moment < self._alarm:
            self._earlier.set()
