"""The platform's broker when it is a RabbitMQ."""

import asyncio
import logging
import ssl
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack, suppress
from functools import partial
from types import TracebackType
from typing import Self

from aiormq.abc import DeliveredMessage
from pamqp.common import FieldTable

from fiksmelding.errors import BrokerAccessRefused, BrokerError, BrokerUnavailable, SettingsError
from fiksmelding.simulator.background import Background
from fiksmelding.simulator.broker import Service
from fiksmelding.simulator.queues import MAX_ATTEMPTS, OnDead, QueuedMessage, QueueState
from fiksmelding.simulator.rabbitmq.address import RabbitAddress
from fiksmelding.simulator.rabbitmq.admin import Admin
from fiksmelding.simulator.rabbitmq.deaths import cause_of_death, message_of
from fiksmelding.simulator.rabbitmq.link import PREFETCH, Link
from fiksmelding.simulator.rabbitmq.outbox import Outbox, Outgoing

__all__ = ["RabbitBroker"]

log = logging.getLogger(__name__)

DEAD_LETTERS = "fiksmelding.dead-letters"
LOCK = "fiksmelding.simulator"
FIRST_WAIT_SECONDS = 0.2
LONGEST_WAIT_SECONDS = 5.0
PATIENCE_SECONDS = 5.0
ACCOUNT_QUEUE: FieldTable = {
    "x-queue-type": "quorum",
    # RabbitMQ counts how often a message comes again.
    "x-delivery-limit": MAX_ATTEMPTS - 1,
    "x-dead-letter-exchange": "",
    "x-dead-letter-routing-key": DEAD_LETTERS,
    # A message leaves its queue only when the queue of dead letters has it; that in turn asks for `reject-publish`.
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
}
DEAD_LETTER_QUEUE: FieldTable = {"x-queue-type": "quorum"}


class _Handed:
    """A message in a service's hands while `deliver` runs."""

    def __init__(self, message: QueuedMessage) -> None:
        self.message = message
        self.acknowledged = False

    def ack(self) -> None:
        self.acknowledged = True


class _Once:
    """Recognises what comes again because the acknowledgement was lost with its connection.

    No more than the prefetch can be in doubt, and always the newest.
    """

    def __init__(self) -> None:
        self._seen: deque[str | None] = deque(maxlen=PREFETCH)

    def is_new(self, delivery: DeliveredMessage) -> bool:
        message_id = delivery.header.properties.message_id
        if delivery.redelivered and message_id in self._seen:
            return False
        self._seen.append(message_id)
        return True


class RabbitBroker:
    """Queues of accounts on a RabbitMQ, emptied at `__aenter__` and served until `__aexit__`.

    What the platform publishes is kept here until RabbitMQ has confirmed it, over any number of reconnections.

    Args:
        address: Where it is.
        tls: The TLS context to reach it with.
        on_dead: Called with the message, the reason and the queue's name when a message is given up. It may publish.
        clients: The user names of the platform's clients: others may use that RabbitMQ too.
    """

    def __init__(
        self, address: RabbitAddress, tls: ssl.SSLContext, on_dead: OnDead, *, clients: Callable[[], Iterable[str]]
    ) -> None:
        self._clients = clients
        self._address = address
        self._tls = tls
        self._on_dead = on_dead
        self._admin = Admin(address.admin)
        self._names: dict[str, None] = {}
        self._services: dict[str, Service] = {}
        self._outbox = Outbox()
        self._dead_letters = _Once()
        self._deliveries = _Once()
        self._link: Link | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._admin)
            await self._admin.check()
            link = await self._connect()
            stack.push_async_callback(self._close)
            self._link = link
            await self._lock(link)
            await self._declare(link)
            await self._empty(link)
            await self._consume(link)
            background = await stack.enter_async_context(Background())
            background.start(self._serve(link), name="RabbitMQ")
            stack.push_async_callback(self._send_what_is_left)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stack.__aexit__(kind, error, traceback)

    @property
    def port(self) -> int:
        """Its AMQPS port."""
        return self._address.port

    def declare(self, name: str) -> None:
        """Make a queue; one that exists is left as it is."""
        if name not in self._names:
            self._names[name] = None
            if self._link is not None:  # Else it is made with the rest, once there is a connection.
                self._outbox.put(Outgoing(name, None))

    def publish(self, name: str, message: QueuedMessage) -> None:
        """Put a message last in a queue: from here on it is kept, whatever happens to the connection."""
        self._outbox.put(Outgoing(name, message))

    def subscribe(self, name: str, service: Service) -> None:
        """Hand every message of a queue to a part of the platform. To be called before `__aenter__`."""
        self._services[name] = service

    async def state(self, name: str) -> QueueState:
        """What goes on at a queue.

        Raises:
            BrokerUnavailable: RabbitMQ does not answer.
        """
        link = self._link
        if link is None:
            raise BrokerUnavailable("There is no connection to RabbitMQ.")
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._outbox.settled()
        except TimeoutError:
            raise BrokerUnavailable("RabbitMQ does not take messages now.") from None
        waiting, consumers = await link.count(name)
        return QueueState(waiting=waiting, held=await self._admin.held(name), consumers=consumers)

    async def sever(self) -> None:
        """Have RabbitMQ close every client's connection.

        Raises:
            BrokerUnavailable: It does not answer.
        """
        for user in self._clients():
            await self._admin.close_connections(user)

    async def check_login(self, user: str, password: str) -> None:
        """Make sure that RabbitMQ asks the simulator who may log in, by logging in as one whom nobody else knows.

        Raises:
            SettingsError: It does not.
        """
        try:
            link = await Link.open(self._address.host, self._address.port, user, password, self._tls)
        except BrokerAccessRefused:
            raise SettingsError(
                "RabbitMQ does not ask the simulator who may log in.",
                advice="Enable its plugin rabbitmq_auth_backend_http, and let auth_http.user_path and the other three "
                "name the simulator's API address: `fiksmelding simulator rabbitmq` writes such a configuration.",
            ) from None
        await link.close()

    async def _connect(self) -> Link:
        address = self._address
        return await Link.open(address.host, address.port, address.user, address.password, self._tls)

    async def _empty(self, link: Link) -> None:
        """Remove what an earlier run left. Queues are not made anew: a RabbitMQ killed after that may lose them."""
        await self.sever()
        for name in (*self._names, DEAD_LETTERS):
            await self._await_end_of_consumers(link, name)  # What they held comes back with it.
            await link.purge(name)

    async def _await_end_of_consumers(self, link: Link, name: str) -> None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while (await link.count(name))[1]:  # noqa: ASYNC110 - RabbitMQ has no event for it
                    await asyncio.sleep(FIRST_WAIT_SECONDS)
        except TimeoutError:
            raise BrokerUnavailable(f"Someone else consumes from {name}.", advice="Stop it first.") from None

    async def _lock(self, link: Link) -> None:
        try:
            await link.declare(LOCK, {}, exclusive=True)
        except BrokerUnavailable as error:
            raise SettingsError("Another simulator uses this RabbitMQ.", advice="Stop it first.") from error

    async def _serve(self, link: Link) -> None:
        while True:
            try:
                await self._serve_link(link)
            except* BrokerError as lost:
                log.warning("the connection to RabbitMQ is lost, and made again: %s", lost.exceptions[0])
            self._link = None
            await link.close()
            link = await self._reconnect()
            self._link = link

    async def _serve_link(self, link: Link) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(link.lost())
            group.create_task(self._outbox.send(partial(self._send, link)))

    async def _declare(self, link: Link) -> None:
        await link.declare(DEAD_LETTERS, DEAD_LETTER_QUEUE)
        for name in tuple(self._names):
            await link.declare(name, ACCOUNT_QUEUE)

    async def _consume(self, link: Link) -> None:
        await link.consume(DEAD_LETTERS, partial(self._bury, link))
        for name, service in self._services.items():
            await link.consume(name, partial(self._hand_over, link, service))

    async def _reconnect(self) -> Link:
        """Try until it is there again; its old connection may hold the lock for a while."""
        wait = FIRST_WAIT_SECONDS
        while True:
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)
            link = None
            try:
                link = await self._connect()
                await self._lock(link)
                await self._declare(link)
                await self._consume(link)
            except (BrokerError, SettingsError) as error:
                log.info("RabbitMQ is not there yet: %s", error)
                if link is not None:
                    await link.close()
            else:
                return link

    async def _send(self, link: Link, outgoing: Outgoing) -> None:
        if outgoing.message is None:
            await link.declare(outgoing.queue, ACCOUNT_QUEUE)
        else:
            await link.publish(outgoing.queue, outgoing.message, message_id=outgoing.id)

    async def _bury(self, link: Link, delivery: DeliveredMessage) -> None:
        cause = cause_of_death(delivery)
        if cause is not None and self._dead_letters.is_new(delivery):
            self._on_dead(message_of(delivery), *cause)
            await self._outbox.settled()  # The sender's receipt is on its queue before the death is forgotten.
        await link.settle(delivery)

    async def _hand_over(self, link: Link, service: Service, delivery: DeliveredMessage) -> None:
        handed = _Handed(message_of(delivery))
        if self._deliveries.is_new(delivery):
            service.deliver(handed)
        else:
            handed.ack()
        await link.settle(delivery, requeue=not handed.acknowledged)

    async def _send_what_is_left(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._outbox.settled()
        if len(self._outbox):
            log.warning("%d messages were not confirmed by RabbitMQ before the simulator stopped", len(self._outbox))

    async def _close(self) -> None:
        if self._link is not None:
            await self._link.close()
            self._link = None
