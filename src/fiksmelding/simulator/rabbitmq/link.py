"""One connection to RabbitMQ as an administrator, from login to loss. Never repaired: a lost link is replaced."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Self, TypeVar

import aiormq
from aiormq.abc import AbstractChannel, DeliveredMessage
from pamqp.common import FieldTable
from yarl import URL

from fiksmelding.errors import BrokerAccessRefused, BrokerUnavailable, SettingsError
from fiksmelding.simulator.queues import QueuedMessage

__all__ = ["Link", "OnDelivery"]

Result = TypeVar("Result")
OnDelivery = Callable[[DeliveredMessage], Coroutine[None, None, None]]

SECONDS = 20.0
HEARTBEAT_SECONDS = 10
PREFETCH = 100
PERSISTENT = 2
REFUSED = aiormq.ProbableAuthenticationError, aiormq.ConnectionNotAllowed, aiormq.ChannelAccessRefused


class _Tls(aiormq.TransportFactory):
    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context

    async def create(self, url: URL, **_: object) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(url.host, url.port, ssl=self._context, ssl_handshake_timeout=SECONDS)


class Link:
    """A connection, with one channel for publishing and consuming.

    Args:
        connection: An aiormq connection, not yet connected.
    """

    def __init__(self, connection: aiormq.Connection) -> None:
        self._connection = connection
        self._channel: AbstractChannel | None = None

    @classmethod
    async def open(cls, host: str, port: int, user: str, password: str, tls: ssl.SSLContext) -> Self:
        """Connect, log in and open the channel.

        Raises:
            BrokerAccessRefused: It does not accept the credentials.
            BrokerUnavailable: It cannot be reached.
        """
        query = {"heartbeat": str(HEARTBEAT_SECONDS), "name": "fiksmelding simulator"}
        url = URL.build(scheme="amqps", host=host, port=port, user=user, password=password, path="/", query=query)
        link = cls(aiormq.Connection(url, transport_factory=_Tls(tls)))
        try:
            await _answered(link._connection.connect())
            link._channel = await _answered(link._connection.channel(publisher_confirms=True, on_return_raises=True))
            await _answered(link._open_channel.basic_qos(prefetch_count=PREFETCH))
        except BaseException:
            await link.close()
            raise
        return link

    async def declare(self, queue: str, arguments: FieldTable, *, exclusive: bool = False) -> None:
        """Make a queue that is not there.

        Raises:
            SettingsError: It is there, and of another kind.
            BrokerUnavailable: The link broke, or the queue is another's.
        """
        declared = self._open_channel.queue_declare(
            queue, durable=not exclusive, exclusive=exclusive, arguments=arguments
        )
        await _answered(declared)

    async def purge(self, queue: str) -> None:
        """Remove every message that waits in a queue.

        Raises:
            BrokerUnavailable: The link broke.
        """
        await _answered(self._open_channel.queue_purge(queue))

    async def count(self, queue: str) -> tuple[int, int]:
        """How many messages wait in a queue, and how many consumers it has.

        Raises:
            BrokerUnavailable: The link broke, or there is no such queue.
        """
        # A channel of its own: the answer that there is no such queue costs the channel.
        channel = await _answered(self._connection.channel(publisher_confirms=False))
        try:
            found = await _answered(channel.queue_declare(queue, passive=True))
        finally:
            await _answered(channel.close())
        return found.message_count or 0, found.consumer_count or 0

    async def publish(self, queue: str, message: QueuedMessage, *, message_id: str) -> None:
        """Publish a message, and return when it is confirmed.

        Raises:
            BrokerUnavailable: The link broke, or the queue is not there. Whether it arrived is then not known.
        """
        lives = message.expiration_ms
        properties = aiormq.spec.Basic.Properties(
            headers={**message.headers},
            expiration=None if lives is None else str(lives),
            delivery_mode=PERSISTENT,
            message_id=message_id,
        )
        await _answered(
            self._open_channel.basic_publish(message.body, routing_key=queue, properties=properties, mandatory=True)
        )

    async def consume(self, queue: str, on_delivery: OnDelivery) -> None:
        """Start consuming, with manual acknowledgement.

        Raises:
            BrokerUnavailable: The link broke.
        """
        await _answered(self._open_channel.basic_consume(queue, on_delivery))

    async def settle(self, delivery: DeliveredMessage, *, requeue: bool = False) -> None:
        """Acknowledge a delivery, or give it back.

        Raises:
            BrokerUnavailable: The link broke: it will be delivered again.
        """
        channel, tag = self._open_channel, delivery.delivery_tag or 0
        await _answered(channel.basic_nack(tag, requeue=True) if requeue else channel.basic_ack(tag))

    async def lost(self) -> None:
        """Wait until the link is lost. Never returns.

        Raises:
            BrokerUnavailable: It is.
        """
        gone = (self._connection.closing, self._open_channel.closing)
        await asyncio.wait(gone, return_when=asyncio.FIRST_COMPLETED)
        raise BrokerUnavailable("The connection to RabbitMQ is lost.")

    async def close(self) -> None:
        """Close it, whatever state it is in. Never raises."""
        with suppress(BrokerUnavailable):
            await _answered(self._connection.close())

    @property
    def _open_channel(self) -> AbstractChannel:
        if self._channel is None or self._channel.is_closed:
            raise BrokerUnavailable("There is no channel to RabbitMQ.")
        return self._channel


async def _answered(call: Awaitable[Result]) -> Result:
    """Await a call of aiormq, in a task of its own: losing its connection, aiormq cancels whoever waits."""
    task = asyncio.ensure_future(call)
    try:
        await asyncio.wait({task}, timeout=SECONDS)
    finally:
        if not task.done():
            task.cancel()
    if not task.done() or task.cancelled():
        raise BrokerUnavailable("RabbitMQ does not answer.")
    error = task.exception()
    if isinstance(error, aiormq.ChannelPreconditionFailed):
        raise SettingsError(
            "RabbitMQ has a queue of one of the simulator's names, and of another kind.",
            advice="Delete the queues fiksio.konto.… and fiksmelding.… there.",
        ) from None
    if isinstance(error, REFUSED):
        raise BrokerAccessRefused("RabbitMQ refuses user name, password or right.") from None
    if error is not None:
        # Not chained: aiormq's errors may quote whole frames.
        raise BrokerUnavailable(f"There is no working connection to RabbitMQ ({type(error).__name__}).") from None
    return task.result()
