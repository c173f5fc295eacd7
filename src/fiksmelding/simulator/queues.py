"""The rules of the platform's queues (contract section 6), without a socket.

A message published is at any time exactly one of: waiting in its queue, held by one consumer as a `Lease`, or gone for
good (acknowledged, discarded or dead). Nothing here awaits, so no disconnect can fall between two of these.
"""

import asyncio
import base64
import heapq
import json
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, cast

from pamqp import decode, encode

from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.queued import (
    MAX_HEADER_NAME_BYTES,
    DeathReason,
    OnDead,
    QueuedMessage,
    QueueInUse,
    QueueState,
    UnknownQueue,
)
from fiksmelding.simulator.state import NOWHERE, Item, State

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

MAX_ATTEMPTS = 3
MESSAGES, ATTEMPTS = "message", "attempts"


class Subscriber(Protocol):
    """Someone messages can be handed to."""

    def ready(self) -> bool:
        """Whether one more message can be taken now."""
        ...

    def deliver(self, lease: "Lease", /) -> None:
        """Take a message over, to settle it exactly once."""
        ...


@dataclass(slots=True)
class _Entry:
    sequence: int
    message: QueuedMessage
    expires_at: datetime | None
    failed: int = 0

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now


def _to_json(entry: _Entry) -> str:
    expires_at = None if entry.expires_at is None else entry.expires_at.isoformat()
    # As a field table, for a test may put headers on a queue that are no texts.
    headers = base64.b64encode(encode.field_table(dict(entry.message.headers))).decode()
    return json.dumps({"headers": headers, "ms": entry.message.expiration_ms, "expires_at": expires_at})


def _from_item(item: Item, sequence: int, failed: int) -> _Entry:
    kept = json.loads(item.data)
    expires_at = None if kept["expires_at"] is None else datetime.fromisoformat(kept["expires_at"])
    _, headers = decode.field_table(base64.b64decode(kept["headers"]))
    message = QueuedMessage({}, item.body, kept["ms"])
    message.headers.update(cast("dict[str, str]", headers))  # They were taken once: not to be refused now.
    return _Entry(sequence, message, expires_at, failed)


class Lease:
    """One message in a consumer's hands, until it is settled: once, in one of three ways.

    Attributes:
        message: The message.
        queue: The queue it came from.
        redelivered: Whether it was in someone's hands before.
        expiration_ms: What was left of its time to live when it was handed over, in milliseconds.
    """

    __slots__ = ("_entry", "_home", "expiration_ms", "message", "queue", "redelivered")

    def __init__(self, home: "_Queue", entry: _Entry, now: datetime) -> None:
        self._home = home
        self._entry = entry
        self.message = entry.message
        self.queue = home.name
        self.redelivered = entry.failed > 0
        self.expiration_ms = (
            None if entry.expires_at is None else math.ceil((entry.expires_at - now) / timedelta(milliseconds=1))
        )

    def ack(self) -> None:
        """Remove the message for good: it is safely kept."""
        self._home.settle(self._entry)
        self._home.forget(self._entry)

    def discard(self) -> None:
        """Remove the message for good, telling nobody (nack or reject without requeue)."""
        self._home.settle(self._entry)
        self._home.forget(self._entry)

    def requeue(self) -> None:
        """Give the message back after a failed attempt: to its place in the queue, or to its death after the third."""
        self._home.settle(self._entry)
        self._home.take_back(self._entry)


class _Queue:
    def __init__(
        self,
        name: str,
        *,
        clock: SimulatorClock,
        on_dead: OnDead,
        on_head: Callable[[datetime], None],
        state: State,
    ) -> None:
        self.name = name
        self._state = state
        self._clock = clock
        self._on_dead = on_dead
        self._on_head = on_head
        self._published = 0
        self._waiting: list[tuple[int, _Entry]] = []
        self._held: set[int] = set()
        self._subscribers: deque[Subscriber] = deque()
        self._exclusive = False
        self._dispatching = False

    @property
    def depth(self) -> int:
        return len(self._waiting)

    @property
    def held(self) -> int:
        return len(self._held)

    @property
    def consumers(self) -> int:
        return len(self._subscribers)

    def head_expires_at(self) -> datetime | None:
        return self._waiting[0][1].expires_at if self._waiting else None

    def subscribe(self, subscriber: Subscriber, *, exclusive: bool) -> None:
        if self._exclusive or (exclusive and self._subscribers):
            raise QueueInUse(f"The queue {self.name} is in exclusive use.")
        self._exclusive = exclusive
        self._subscribers.append(subscriber)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        self._subscribers.remove(subscriber)
        self._exclusive = False

    def publish(self, message: QueuedMessage) -> None:
        self._published += 1
        lives = message.expiration_ms
        expires_at = None if lives is None else self._clock.now() + timedelta(milliseconds=lives)
        entry = _Entry(self._published, message, expires_at)
        self._state.put(MESSAGES, self._key(entry), _to_json(entry), message.body)
        heapq.heappush(self._waiting, (entry.sequence, entry))
        self.dispatch()

    def restore(self, entry: _Entry) -> None:
        """Take a message of an earlier run, without handing it out."""
        self._published = max(self._published, entry.sequence)
        if entry.failed < MAX_ATTEMPTS:
            heapq.heappush(self._waiting, (entry.sequence, entry))
        else:
            self._die(entry, DeathReason.DELIVERY_LIMIT)

    def forget(self, entry: _Entry) -> None:
        self._state.remove(MESSAGES, self._key(entry))
        self._state.remove(ATTEMPTS, self._key(entry))

    def take(self) -> Lease | None:
        self.expire()
        if not self._waiting:
            return None
        _, entry = heapq.heappop(self._waiting)
        self._held.add(entry.sequence)
        # Counted when it begins: should we be killed now, it was one.
        self._state.put(ATTEMPTS, self._key(entry), str(entry.failed + 1))
        self._announce_head()
        return Lease(self, entry, self._clock.now())

    def settle(self, entry: _Entry) -> None:
        if entry.sequence not in self._held:
            raise RuntimeError("A delivery can be settled only once.")
        self._held.remove(entry.sequence)

    def take_back(self, entry: _Entry) -> None:
        entry.failed += 1
        if entry.failed >= MAX_ATTEMPTS:
            self._die(entry, DeathReason.DELIVERY_LIMIT)
        else:
            heapq.heappush(self._waiting, (entry.sequence, entry))
        self.dispatch()

    def expire(self) -> None:
        """Bury what has expired at the head; what stands behind a living message waits its turn."""
        now = self._clock.now()
        while self._waiting and self._waiting[0][1].expired(now):
            _, entry = heapq.heappop(self._waiting)
            self._die(entry, DeathReason.EXPIRED)
        self._announce_head()

    def dispatch(self) -> None:
        """Hand out messages, oldest first, to the subscribers in turn."""
        if self._dispatching:
            return  # A subscriber or `on_dead` called back: the loop below sees what it changed.
        self._dispatching = True
        try:
            self.expire()
            while self._waiting and (subscriber := self._next_ready()) and (lease := self.take()):
                self._hand_over(lease, subscriber)
        finally:
            self._dispatching = False
            self._announce_head()

    def _die(self, entry: _Entry, reason: DeathReason) -> None:
        with self._state.together():
            self._on_dead(entry.message, reason, self.name)
            self.forget(entry)

    def _key(self, entry: _Entry) -> str:
        return f"{self.name} {entry.sequence}"

    def _hand_over(self, lease: Lease, subscriber: Subscriber) -> None:
        try:
            subscriber.deliver(lease)
        except BaseException:
            lease.requeue()  # Whatever went wrong, the message is not lost with it.
            raise

    def _announce_head(self) -> None:
        if moment := self.head_expires_at():
            self._on_head(moment)

    def _next_ready(self) -> Subscriber | None:
        for _ in range(len(self._subscribers)):
            subscriber = self._subscribers[0]
            self._subscribers.rotate(-1)
            if subscriber.ready():
                return subscriber
        return None


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
        self._queues: dict[str, _Queue] = {}
        self._alarm: datetime | None = None
        self._earlier = asyncio.Event()

    def declare(self, name: str) -> None:
        """Make a queue; one that exists is left as it is."""
        if name not in self._queues:
            self._queues[name] = _Queue(
                name, clock=self._clock, on_dead=self._on_dead, on_head=self._watch, state=self._state
            )

    def restore(self) -> None:
        """Take back the messages of an earlier run; those that were in someone's hands have lost an attempt."""
        attempts = {item.id: int(item.data) for item in self._state.all(ATTEMPTS)}
        for item in self._state.all(MESSAGES):
            name, _, sequence = item.id.rpartition(" ")
            self.declare(name)
            self._queues[name].restore(_from_item(item, int(sequence), attempts.get(item.id, 0)))
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

    def _queue(self, name: str) -> _Queue:
        try:
            return self._queues[name]
        except KeyError:
            raise UnknownQueue(f"There is no queue named {name}.") from None

    def _watch(self, moment: datetime) -> None:
        if self._alarm is None or moment < self._alarm:
            self._earlier.set()
