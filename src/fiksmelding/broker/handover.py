"""Handing deliveries over to whoever keeps them, in tasks that outlive the connection they came by."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial

from fiksmelding.broker.delivery import Delivery
from fiksmelding.clock import Clock
from fiksmelding.errors import FiksmeldingError

log = logging.getLogger(__name__)

RETRY_FIRST_SECONDS = 1.0
RETRY_LONGEST_SECONDS = 30.0
MOST_APART = 200
"""So many deliveries at most are held that wait for somebody else, before nothing more is taken."""


class Handovers:
    """Runs `on_delivery` for each delivery, at most `limit` at once, in tasks of our own.

    aiormq cancels its callbacks when a connection drops; a hand-over must not be, for it may be about to commit.

    Deliveries that wait for somebody else than us are `apart`: they begin at once, whatever the limit. The broker
    counts them among the unacknowledged that a consumer may hold; see `crowded`.

    Args:
        on_delivery: Keeps a delivery and acknowledges it.
        limit: How many run at once.
        clock: Where waits come from.
        apart: Which deliveries may wait long for somebody else.
        on_crowded: Called when `crowded` becomes true.
    """

    def __init__(
        self,
        on_delivery: Callable[[Delivery], Awaitable[None]],
        *,
        limit: int,
        clock: Clock,
        apart: Callable[[Delivery], bool] = lambda _: False,
        on_crowded: Callable[[], None] = lambda: None,
    ) -> None:
        self._on_delivery = on_delivery
        self._clock = clock
        self._limit = limit
        self._is_apart = apart
        self._on_crowded = on_crowded
        self._free = asyncio.Semaphore(limit)
        self._taken: set[asyncio.Task[None]] = set()
        self._running: set[asyncio.Task[None]] = set()
        self._apart: set[asyncio.Task[None]] = set()
        self._crowding: set[asyncio.Task[None]] = set()
        self._ending = False

    @property
    def crowded(self) -> bool:
        """Whether those apart take half of what our consumer may hold, so that it is time for another consumer."""
        return 2 * len(self._crowding) >= self._limit and len(self._apart) < MOST_APART

    def new_consumer(self) -> None:
        """What is held from now on counts against another consumer."""
        self._crowding = set()

    def take(self, delivery: Delivery) -> None:
        """Hand `delivery` over soon, unless by then it can no longer be acknowledged. Returns at once."""
        if self._ending:
            return
        apart = self._is_apart(delivery)
        task = asyncio.create_task(
            self._hand_over(delivery, nullcontext() if apart else self._free), name="fiksmelding-handover"
        )
        for tasks in (self._taken, self._apart, self._crowding) if apart else (self._taken,):
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        if apart:
            task.add_done_callback(lambda _: self._tell_if_crowded())
            self._tell_if_crowded()

    def _tell_if_crowded(self) -> None:
        if self.crowded:
            self._on_crowded()

    async def finish(self, seconds: float) -> None:
        """Begin nothing more; let what runs end by itself within `seconds`, then cancel it."""
        self._ending = True
        taken = set(self._taken)
        for task in taken:
            task.cancel()
        if self._running:
            await asyncio.wait(set(self._running), timeout=seconds)
        late = set(self._running)
        for task in late:
            task.cancel()
        await asyncio.gather(*taken, *late, return_exceptions=True)

    async def _hand_over(self, delivery: Delivery, place: AbstractAsyncContextManager[None]) -> None:
        async with place:
            failures = 0
            while delivery.alive() and not self._ending:
                attempt = asyncio.create_task(self._attempt(delivery), name="fiksmelding-on-delivery")
                self._running.add(attempt)
                attempt.add_done_callback(self._running.discard)
                attempt.add_done_callback(partial(_report, delivery))
                await asyncio.wait({attempt})
                if not attempt.cancelled() and attempt.exception() is None:
                    return
                failures += 1
                # Tried again here, never by the broker: three deliveries are all a message gets.
                pause = min(RETRY_LONGEST_SECONDS, RETRY_FIRST_SECONDS * 2 ** min(failures - 1, 10))
                await self._clock.sleep(pause)

    async def _attempt(self, delivery: Delivery) -> None:
        await self._on_delivery(delivery)


def _report(delivery: Delivery, attempt: asyncio.Task[None]) -> None:
    error = None if attempt.cancelled() else attempt.exception()
    if error is None and not attempt.cancelled():
        return
    # Of a foreign error only its kind: its text may quote what it stumbled over.
    kind = "cancelled" if error is None else type(error).__name__
    reason = str(error) if isinstance(error, FiksmeldingError) else kind
    log.error("handing over message %s failed, it stays unacknowledged: %s", delivery.metadata.melding_id, reason)
