"""Consuming a queue for as long as it takes: connect, consume, notice the loss, connect again."""

import asyncio
import logging
import random
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from itertools import cycle
from types import TracebackType
from typing import Self, TypeVar

from aiormq.abc import DeliveredMessage

from fiksmelding.broker.delivery import Acknowledgement, Credentials, Delivery
from fiksmelding.broker.handover import Handovers
from fiksmelding.broker.link import Link
from fiksmelding.broker.metadata import Metadata
from fiksmelding.broker.status import ConsumerState, ConsumerStatus, StatusBoard
from fiksmelding.clock import Clock, SystemClock
from fiksmelding.config import BrokerSettings
from fiksmelding.errors import (
    AccessRefused,
    BrokerAccessRefused,
    BrokerError,
    BrokerUnavailable,
    FiksmeldingError,
    RequestRefused,
    SettingsError,
)
from fiksmelding.tls import client_context, is_this_machine

log = logging.getLogger(__name__)

Result = TypeVar("Result")

CREDENTIALS_SECONDS = 120.0
EXPLANATION_SECONDS = 60.0
STOP_SECONDS = 20.0
_random = random.SystemRandom()

REFUSALS = (BrokerAccessRefused, AccessRefused, RequestRefused, SettingsError)


class Consumer:
    """Consumes one queue with manual acknowledgement, over one connection after the other.

    Use it in `async with`. Entering returns at once; look at `status` or wait with `until`. Nothing but closing
    ends it: whatever breaks, it connects again, after a random wait (full jitter) whose ceiling doubles with each
    failure.

    `on_delivery` runs in a task of its own per delivery, at most `prefetch` at once, and is not cancelled when the
    connection drops. It keeps the message, then calls `delivery.ack()`. When it raises, the message stays
    unacknowledged and is handed to it again after a wait, as long as the connection lives: the broker would count
    a negative answer as one of the three attempts a message has. It must therefore bear to see a message twice, as
    after any redelivery.

    Args:
        settings: Addresses, prefetch, heartbeat, waits and time limit.
        queue: The queue's name. It is never declared.
        credentials: Asked before every attempt to connect: a token may have expired.
        on_delivery: Keeps and acknowledges a delivery.
        explain: Asked when the broker refuses us, for the broker does not say why. Its sentences end up in the status.
        clock: Where times and waits come from.
        stop_seconds: How long closing waits for hand-overs that run.
        apart: Which deliveries may wait long for somebody else. They take no place of the others: whenever they hold
            half of what our consumer may, another one takes over on the same channel, with all its places free.

    Raises:
        SettingsError: On entering: the certificates cannot be read, or TLS is off for a broker elsewhere.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        *,
        queue: str,
        credentials: Callable[[], Awaitable[Credentials]],
        on_delivery: Callable[[Delivery], Awaitable[None]],
        explain: Callable[[], Awaitable[str]] | None = None,
        clock: Clock | None = None,
        stop_seconds: float = STOP_SECONDS,
        apart: Callable[[Delivery], bool] = lambda _: False,
    ) -> None:
        self._settings = settings
        self._queue = queue
        self._credentials = credentials
        self._explain = explain
        self._clock = clock or SystemClock()
        self._stop_seconds = stop_seconds
        self._addresses = cycle(settings.addresses)
        self._board = StatusBoard(queue, self._clock)
        self._wake = asyncio.Event()
        self._handovers = Handovers(
            on_delivery, limit=settings.prefetch, clock=self._clock, apart=apart, on_crowded=self._wake.set
        )
        self._supervisor: asyncio.Task[None] | None = None
        self._linked = False
        self._paused = False
        self._closing = False
        self._overruled = asyncio.Event()

    @property
    def status(self) -> ConsumerStatus:
        """What it is doing, since when, and why."""
        return self._board.status

    async def until(self, *states: ConsumerState) -> ConsumerStatus:
        """Wait for one of `states`."""
        return await self._board.until(*states)

    async def __aenter__(self) -> Self:
        if self._supervisor is not None:
            raise BrokerError("A consumer is opened once: make another.")
        tls = await asyncio.to_thread(client_context, self._settings.ca_file) if self._settings.tls else None
        if tls is None and not all(is_this_machine(host) for host, _ in self._settings.addresses):
            raise SettingsError("broker.tls may only be false for a broker on this machine.")
        self._supervisor = asyncio.create_task(self._supervise(tls), name=f"fiksmelding-consumer-{self._queue}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def pause(self) -> None:
        """Take no more deliveries. What is being handled goes on and can be acknowledged."""
        if self._closing:
            return
        self._paused = True
        self._overruled.clear()
        self._wake.set()
        if self._linked:
            await _first(self.until(ConsumerState.PAUSED), self._overruled.wait())
        else:
            self._board.show(ConsumerState.PAUSED)

    async def resume(self) -> None:
        """Take deliveries again, as soon as there is a connection."""
        self._paused = False
        self._overruled.set()
        self._wake.set()
        if not self._linked and not self._closing:
            self._board.show(ConsumerState.CONNECTING)

    async def aclose(self) -> None:
        """Stop consuming, let running hand-overs end, disconnect. Closing twice is fine."""
        self._closing = True
        self._overruled.set()
        self._wake.set()
        if self._supervisor is None:
            return
        if not self._linked:
            self._supervisor.cancel()
        try:
            await asyncio.wait({self._supervisor})
        finally:
            self._supervisor.cancel()
            await self._handovers.finish(self._stop_seconds)
            self._board.show(ConsumerState.CLOSED)

    async def _supervise(self, tls: ssl.SSLContext | None) -> None:
        failures = refusals = 0
        while not self._closing:
            if self._paused:
                self._board.show(ConsumerState.PAUSED)
                await self._woken()
                continue
            started = self._clock.monotonic()
            try:
                await self._connect_and_serve(tls)
            except REFUSALS as error:
                self._board.show(ConsumerState.REFUSED, await self._why_refused(error))
                refusals += 1
                # One bad token may be followed by a good one; a right that is missing is not back in a second.
                wait = _wait(self._settings, refusals) if refusals == 1 else _slow_wait(self._settings)
            except Exception as error:  # noqa: BLE001  whatever went wrong, receiving must go on
                reason = str(error) if isinstance(error, FiksmeldingError) else f"Unexpected {type(error).__name__}."
                self._board.show(ConsumerState.CONNECTING, reason)
                lasted = self._clock.monotonic() - started
                failures = 1 if lasted > self._settings.reconnect_longest_seconds else failures + 1
                refusals = 0
                wait = _wait(self._settings, failures)
            else:
                continue
            await self._back_off(wait)

    async def _back_off(self, seconds: float) -> None:
        """Wait, unless told meanwhile to pause, resume or close; the wake-up for it may have been used up already."""
        if not self._paused and not self._closing:
            await _first(self._clock.sleep(seconds), self._woken())

    async def _connect_and_serve(self, tls: ssl.SSLContext | None) -> None:
        """Raise when the link is lost; return when told to close."""
        address = next(self._addresses)
        link = await Link.open(self._settings, address, await self._ask_credentials(), tls)
        self._linked = True
        try:
            while not self._closing:
                await self._serve(link)
            await self._handovers.finish(self._stop_seconds)
        finally:
            self._linked = False
            await link.close()

    async def _serve(self, link: Link) -> None:
        """Consume, or pause, until told otherwise, another consumer is wanted or the link is lost."""
        consuming = not self._paused
        if consuming:
            self._handovers.new_consumer()
            await link.consume(self._queue, lambda message: self._on_message(link, message))
        self._board.show(ConsumerState.CONSUMING if consuming else ConsumerState.PAUSED)
        while not self._closing and consuming != self._paused and not (consuming and self._handovers.crowded):
            lost = await _first(link.lost(), self._woken())
            if lost is not None:
                raise lost
        if consuming:
            await link.stop_consuming()

    async def _on_message(self, link: Link, message: DeliveredMessage) -> None:
        """Only hands over: aiormq cancels this when the connection drops."""
        properties = message.header.properties
        metadata = Metadata.parse(properties.headers, expiration=properties.expiration)
        tag = message.delivery_tag or 0
        delivery = Delivery(
            metadata=metadata,
            body=message.body,
            redelivered=bool(message.redelivered),
            received_at=self._clock.now(),
            queue=self._queue,
            acknowledge=Acknowledgement(lambda: link.ack(tag), metadata.melding_id),
            alive=lambda: link.alive,
        )
        self._handovers.take(delivery)

    async def _ask_credentials(self) -> Credentials:
        try:
            async with asyncio.timeout(CREDENTIALS_SECONDS):
                return await self._credentials()
        except TimeoutError:
            raise BrokerUnavailable(f"There were no credentials within {CREDENTIALS_SECONDS:g} s.") from None

    async def _why_refused(self, error: FiksmeldingError) -> str:
        if self._explain is None or not isinstance(error, BrokerAccessRefused):
            return str(error)
        try:
            async with asyncio.timeout(EXPLANATION_SECONDS):
                return f"{error.text} {await self._explain()}"
        except Exception as unexplained:  # noqa: BLE001  an explanation is a help, never a condition
            log.debug("the refusal could not be explained: %s", type(unexplained).__name__)
            return str(error)

    async def _woken(self) -> None:
        await self._wake.wait()
        self._wake.clear()


async def _first(one: Coroutine[None, None, Result], other: Coroutine[None, None, object]) -> Result | None:
    """Run both until one is done. Returns the result of `one`, or None when `other` was first."""
    first, second = asyncio.create_task(one), asyncio.create_task(other)
    try:
        await asyncio.wait({first, second}, return_when=asyncio.FIRST_COMPLETED)
        return first.result() if first.done() else None
    finally:
        for task in (first, second):
            task.cancel()
        await asyncio.gather(first, second, return_exceptions=True)


def _wait(settings: BrokerSettings, failures: int) -> float:
    """Exponential backoff with full jitter: thousands of clients must not come back in step."""
    ceiling = min(settings.reconnect_longest_seconds, settings.reconnect_first_seconds * 2 ** min(failures - 1, 30))
    return _random.uniform(0.0, ceiling)


def _slow_wait(settings: BrokerSettings) -> float:
    longest = settings.reconnect_longest_seconds
    return _random.uniform(longest / 2, longest)
