"""What the platform has taken and RabbitMQ has not yet confirmed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import uuid4

from fiksmelding.simulator.queues import QueuedMessage

__all__ = ["Outbox", "Outgoing"]

log = logging.getLogger(__name__)

UNDER_WAY = 200


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way to a queue.

    Attributes:
        queue: The queue's name.
        message: The message; None when it is only the queue that is wanted.
        id: Its own for each publication, and the same when that is tried again.
    """

    queue: str
    message: QueuedMessage | None
    id: str = field(default_factory=lambda: str(uuid4()))


class Outbox:
    """Keeps messages, in order, until they are confirmed.

    A connection that breaks between a publication and its confirmation leaves open whether it arrived. It is then sent
    again: a message that comes twice under one `melding-id` is what receivers must cope with, a lost one is not.
    """

    def __init__(self) -> None:
        self._kept: dict[int, Outgoing] = {}
        self._tried: set[int] = set()
        self._last = 0
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, outgoing: Outgoing) -> None:
        """Take a message."""
        self._last += 1
        self._kept[self._last] = outgoing
        self._change()

    async def settled(self) -> None:
        """Wait until all that is kept now is confirmed."""
        last = self._last
        while self._kept and next(iter(self._kept)) <= last:
            await self._changed.wait()

    async def send(self, publish: Callable[[Outgoing], Awaitable[None]]) -> None:
        """Publish what is kept and what comes, in order, until cancelled or until `publish` fails.

        Args:
            publish: Returns when the message is confirmed.

        Raises:
            ExceptionGroup: What `publish` raised.
        """
        places = asyncio.Semaphore(UNDER_WAY)
        sent = 0
        async with asyncio.TaskGroup() as group:
            while True:
                new = [number for number in self._kept if number > sent]
                if not new:
                    await self._changed.wait()
                for number in new:
                    await places.acquire()
                    group.create_task(self._send(number, publish, places))
                    sent = number

    async def _send(
        self, number: int, publish: Callable[[Outgoing], Awaitable[None]], places: asyncio.Semaphore
    ) -> None:
        outgoing = self._kept[number]
        try:
            if number in self._tried:
                log.warning("a message for %s was not confirmed before the connection broke: again", outgoing.queue)
            self._tried.add(number)
            await publish(outgoing)
            del self._kept[number]
            self._tried.discard(number)
            self._change()
        finally:
            places.release()

    def _change(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
