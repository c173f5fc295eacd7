"""One of the platform's queues: what waits in it, who has what in hand, and when the rest is handed out."""

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
from fiksmelding.simulator.queued import DeathReason, OnDead, QueuedMessage, QueueInUse
from fiksmelding.simulator.state import Item, State

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
class Entry:
    """A message with its place in the queue and the attempts it has lost."""

    sequence: int
    message: QueuedMessage
    expires_at: datetime | None
    failed: int = 0

    def expired(self, now: datetime) -> bool:
        """Whether its time to live is over."""
        return self.expires_at is not None and self.expires_at <= now


def _to_json(entry: Entry) -> str:
    expires_at = None if entry.expires_at is None else entry.expires_at.isoformat()
    # As a field table, for a test may put headers on a queue that are no texts.
    headers = base64.b64encode(encode.field_table(dict(entry.message.headers))).decode()
    return json.dumps({"headers": headers, "ms": entry.message.expiration_ms, "expires_at": expires_at})


def entry_of(item: Item, sequence: int, failed: int) -> Entry:
    """A message as an earlier run has kept it."""
    kept = json.loads(item.data)
    expires_at = None if kept["expires_at"] is None else datetime.fromisoformat(kept["expires_at"])
    _, headers = decode.field_table(base64.b64decode(kept["headers"]))
    message = QueuedMessage({}, item.body, kept["ms"])
    message.headers.update(cast("dict[str, str]", headers))  # They were taken once: not to be refused now.
    return Entry(sequence, message, expires_at, failed)


class Lease:
    """One message in a consumer's hands, until it is settled: once, in one of three ways.

    Attributes:
        message: The message.
        queue: The queue it came from.
        redelivered: Whether it was in someone's hands before.
        expiration_ms: What was left of its time to live when it was handed over, in milliseconds.
    """

    __slots__ = ("_entry", "_home", "expiration_ms", "message", "queue", "redelivered")

    def __init__(self, home: "Queue", entry: Entry, now: datetime) -> None:
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


class Queue:
    """One queue.

    Args:
        name: Its name.
        clock: Where time to live is measured.
        on_dead: Told of each message that is given up.
        on_head: Told when the first message expires, whenever that has changed.
        state: Where messages are kept for the next run.
    """

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
        self._waiting: list[tuple[int, Entry]] = []
        self._held: set[int] = set()
        self._subscribers: deque[Subscriber] = deque()
        self._exclusive = False
        self._dispatching = False

    @property
    def depth(self) -> int:
        """How many messages wait."""
        return len(self._waiting)

    @property
    def held(self) -> int:
        """How many messages are in someone's hands."""
        return len(self._held)

    @property
    def consumers(self) -> int:
        """How many subscribe."""
        return len(self._subscribers)

    def head_expires_at(self) -> datetime | None:
        """When the first message's time to live is over."""
        return self._waiting[0][1].expires_at if self._waiting else None

    def subscribe(self, subscriber: Subscriber, *, exclusive: bool) -> None:
        """Let someone have messages; see `Queues.subscribe`."""
        if self._exclusive or (exclusive and self._subscribers):
            raise QueueInUse(f"The queue {self.name} is in exclusive use.")
        self._exclusive = exclusive
        self._subscribers.append(subscriber)

    def unsubscribe(self, subscriber: Subscriber) -> None:
        """Let someone have no more."""
        self._subscribers.remove(subscriber)
        self._exclusive = False

    def publish(self, message: QueuedMessage) -> None:
        """Put a message at the end."""
        self._published += 1
        lives = message.expiration_ms
        expires_at = None if lives is None else self._clock.now() + timedelta(milliseconds=lives)
        entry = Entry(self._published, message, expires_at)
        self._state.put(MESSAGES, self._key(entry), _to_json(entry), message.body)
        heapq.heappush(self._waiting, (entry.sequence, entry))
        self.dispatch()

    def restore(self, entry: Entry) -> None:
        """Take a message of an earlier run, without handing it out."""
        self._published = max(self._published, entry.sequence)
        if entry.failed < MAX_ATTEMPTS:
            heapq.heappush(self._waiting, (entry.sequence, entry))
        else:
            self._die(entry, DeathReason.DELIVERY_LIMIT)

    def forget(self, entry: Entry) -> None:
        """Keep a message no longer for the next run."""
        self._state.remove(MESSAGES, self._key(entry))
        self._state.remove(ATTEMPTS, self._key(entry))

    def take(self) -> Lease | None:
        """Hand out the first message."""
        self.expire()
        if not self._waiting:
            return None
        _, entry = heapq.heappop(self._waiting)
        self._held.add(entry.sequence)
        # Counted when it begins: should we be killed now, it was one.
        self._state.put(ATTEMPTS, self._key(entry), str(entry.failed + 1))
        self._announce_head()
        return Lease(self, entry, self._clock.now())

    def settle(self, entry: Entry) -> None:
        """Take note that a message is in no one's hands any more."""
        if entry.sequence not in self._held:
            raise RuntimeError("A delivery can be settled only once.")
        self._held.remove(entry.sequence)

    def take_back(self, entry: Entry) -> None:
        """Take back a message after a failed attempt."""
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

    def _die(self, entry: Entry, reason: DeathReason) -> None:
        with self._state.together():
            self._on_dead(entry.message, reason, self.name)
            self.forget(entry)

    def _key(self, entry: Entry) -> str:
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
