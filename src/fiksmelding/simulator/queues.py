"""The rules of the platform's queues (contract section 6), without a socket.

A message published is at any time exactly one of: waiting in its queue, held by one consumer as a `Lease`, or gone for
good (acknowledged, discarded or dead). Nothing here awaits, so no disconnect can fall between two of these.
"""

import asyncio
import heapq
import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from fiksmelding.errors import FiksmeldingError
from fiksmelding.simulator.clock import SimulatorClock

__all__ = [
    "MAX_ATTEMPTS",
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
MAX_HEADER_NAME_BYTES = 128


class UnknownQueue(FiksmeldingError):
    """There is no queue of that name."""


class QueueInUse(FiksmeldingError):
    """The queue has a consumer that shares with nobody, or such a one asks for a queue that others consume."""


class DeathReason(StrEnum):
    """Why the platform gave a message up.

    Attributes:
        DELIVERY_LIMIT: Three deliveries ended without acknowledgement: `serverfeil`.
        EXPIRED: Its time to live had passed when it reached the head: `tidsavbrudd`.
    """

    DELIVERY_LIMIT = "delivery_limit"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """What a sender put on a queue.

    Attributes:
        headers: The AMQP headers, as text.
        body: The sealed envelope; empty when there is none.
        expiration_ms: Time to live in milliseconds, or None to live for ever.

    Raises:
        ValueError: A header cannot travel over AMQP: no UTF-8, or a name over 128 bytes.
    """

    headers: dict[str, str]
    body: bytes = field(default=b"", repr=False)
    expiration_ms: int | None = None

    def __post_init__(self) -> None:
        for name, value in self.headers.items():
            value.encode()
            if len(name.encode()) > MAX_HEADER_NAME_BYTES:
                raise ValueError(f"A header's name is longer than {MAX_HEADER_NAME_BYTES} bytes.")


@dataclass(frozen=True, slots=True)
class QueueState:
    """What goes on at a queue.

    Attributes:
        waiting: Messages that wait.
        held: Messages in consumers' hands, neither acknowledged nor given back.
        consumers: Who listens.
    """

    waiting: int
    held: int
    consumers: int


OnDead = Callable[[QueuedMessage, DeathReason, str], None]


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

    def discard(self) -> None:
        """Remove the message for good, telling nobody (nack or reject without requeue)."""
        self._home.settle(self._entry)

    def requeue(self) -> None:
        """Give the message back after a failed attempt: to its place in the queue, or to its death after the third."""
        self._home.settle(self._entry)
        self._home.take_back(self._entry)


class _Queue:
    def __init__(
        self, name: str, *, clock: SimulatorClock, on_dead: OnDead, on_head: Callable[[datetime], None]
    ) -> None:
        self.name = name
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
        heapq.heappush(self._waiting, (self._published, _Entry(self._published, message, expires_at)))
        self.dispatch()

    def take(self) -> Lease | None:
        self.expire()
        if not self._waiting:
            return None
        _, entry = heapq.heappop(self._waiting)
        self._held.add(entry.sequence)
        self._announce_head()
        return Lease(self, entry, self._clock.now())

    def settle(self, entry: _Entry) -> None:
        if entry.sequence not in self._held:
            raise RuntimeError("A delivery can be settled only once.")
        self._held.remove(entry.sequence)

    def take_back(self, entry: _Entry) -> None:
        entry.failed += 1
        if entry.failed >= MAX_ATTEMPTS:
            self._on_dead(entry.message, DeathReason.DELIVERY_LIMIT, self.name)
        else:
            heapq.heappush(self._waiting, (entry.sequence, entry))
        self.dispatch()

    def expire(self) -> None:
        """Bury what has expired at the head; what stands behind a living message waits its turn."""
        now = self._clock.now()
        while self._waiting and self._waiting[0][1].expired(now):
            _, entry = heapq.heappop(self._waiting)
            self._on_dead(entry.message, DeathReason.EXPIRED, self.name)
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
    """

    def __init__(self, clock: SimulatorClock, on_dead: OnDead) -> None:
        self._clock = clock
        self._on_dead = on_dead
        self._queues: dict[str, _Queue] = {}
        self._alarm: datetime | None = None
        self._earlier = asyncio.Event()

    def declare(self, name: str) -> None:
        """Make a queue; one that exists is left as it is."""
        if name not in self._queues:
            self._queues[name] = _Queue(name, clock=self._clock, on_dead=self._on_dead, on_head=self._watch)

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
