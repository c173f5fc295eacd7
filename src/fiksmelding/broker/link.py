"""One connection to the broker with one channel, from login to loss. Never repaired: a lost link is replaced.

aiormq, the protocol layer below aio-pika, is used directly. aio-pika's messages refuse some headers that a hostile
sender may choose, and its queues hide the broker's cancel notification from a plain connection.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Self, TypeVar
from uuid import uuid4

import aiormq
from aiormq.abc import AbstractChannel, DeliveredMessage
from yarl import URL

from fiksmelding._version import __version__
from fiksmelding.broker.delivery import Credentials
from fiksmelding.config import BrokerSettings
from fiksmelding.errors import BrokerAccessRefused, BrokerError, BrokerUnavailable

log = logging.getLogger(__name__)

Result = TypeVar("Result")

TLS_SHUTDOWN_SECONDS = 2.0
ACCESS_REFUSED = 403
NOT_ALLOWED = 530
REASON_LENGTH = 200


class _Connection(aiormq.Connection):
    """Takes the peer for dead after two silent heartbeat intervals, not three."""

    HEARTBEAT_GRACE_MULTIPLIER = 2


class _Sockets(aiormq.TransportFactory):
    """Opens the socket, and remembers it so that it can be cut when closing politely takes too long."""

    def __init__(self, tls: ssl.SSLContext | None, timeout: float) -> None:
        self._tls = tls
        self._timeout = timeout
        self._writer: asyncio.StreamWriter | None = None

    async def create(self, url: URL, **_: object) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._tls is None:
            reader, self._writer = await asyncio.open_connection(url.host, url.port)
        else:
            reader, self._writer = await asyncio.open_connection(
                url.host,
                url.port,
                ssl=self._tls,
                ssl_handshake_timeout=self._timeout,
                ssl_shutdown_timeout=TLS_SHUTDOWN_SECONDS,
            )
        return reader, self._writer

    def cut(self) -> None:
        """Close the socket at once."""
        if self._writer is not None:
            # Python 3.11.2, as in Debian 12, raises it when the TLS connection has ended already.
            with suppress(AttributeError):
                self._writer.transport.abort()


class Link:
    """A connection and a channel, both open.

    Args:
        settings: Heartbeat, prefetch and time limit.
        connection: An aiormq connection, not yet connected.
        sockets: What opens its socket.
    """

    def __init__(self, settings: BrokerSettings, connection: aiormq.Connection, sockets: _Sockets) -> None:
        self._settings = settings
        self._connection = connection
        self._sockets = sockets
        self._channel: AbstractChannel | None = None
        self._tag: str | None = None
        self._cancelled = asyncio.Event()

    @classmethod
    async def open(
        cls, settings: BrokerSettings, address: tuple[str, int], credentials: Credentials, tls: ssl.SSLContext | None
    ) -> Self:
        """Connect to `address`, log in, open a channel and set the prefetch count.

        Raises:
            BrokerAccessRefused: The broker does not accept the credentials.
            BrokerUnavailable: It cannot be reached, or broke off.
        """
        sockets = _Sockets(tls, settings.timeout_seconds)
        url = URL.build(
            scheme="amqps" if settings.tls else "amqp",
            host=address[0],
            port=address[1],
            user=credentials.user,
            password=credentials.password.get_secret_value(),
            path="/",
            query={"heartbeat": str(settings.heartbeat_seconds), "name": f"fiksmelding {__version__}"},
        )
        link = cls(settings, _Connection(url, transport_factory=sockets), sockets)
        try:
            await link._call(link._connection.connect(), "connecting")
            link._channel = await link._call(link._connection.channel(publisher_confirms=False), "opening a channel")
            link._channel.on_consumer_cancel_callbacks.add(link._on_cancel)
            await link._call(link._channel.basic_qos(prefetch_count=settings.prefetch), "setting the prefetch count")
        except BaseException:
            await link.close()
            raise
        return link

    @property
    def alive(self) -> bool:
        """Whether the channel is open, so that an ack can reach the broker."""
        return self._channel is not None and not self._channel.is_closed and not self._connection.is_closed

    async def consume(self, queue: str, callback: Callable[[DeliveredMessage], Coroutine[None, None, None]]) -> None:
        """Start consuming with manual acknowledgement. The queue is not declared: that takes rights we may lack.

        Raises:
            BrokerAccessRefused: We have no right to read the queue.
            BrokerUnavailable: The queue does not exist, or the link broke.
        """
        # The tag is ours, and known before the broker answers: it may deliver or cancel right after its answer.
        self._tag = f"fiksmelding.{uuid4()}"
        self._cancelled.clear()
        await self._call(
            self._open_channel().basic_consume(queue, callback, no_ack=False, consumer_tag=self._tag), "consuming"
        )

    async def look(self, queue: str) -> tuple[int, int]:
        """How many messages wait in a queue, and how many consume from it. Takes nothing from it.

        Only whoever examines a queue may ask: some brokers refuse it to those who may consume (docs/broker.md).

        Raises:
            BrokerAccessRefused: We have no right to look, or to read.
            BrokerUnavailable: The queue does not exist, or the link broke.
        """
        answer = await self._call(self._open_channel().queue_declare(queue, passive=True), "looking at the queue")
        return answer.message_count or 0, answer.consumer_count or 0

    async def stop_consuming(self) -> None:
        """Take no more deliveries; those already here can still be acknowledged.

        Raises:
            BrokerUnavailable: The link broke.
        """
        if self._tag is not None:
            tag, self._tag = self._tag, None
            await self._call(self._open_channel().basic_cancel(tag), "cancelling the consumer")

    async def ack(self, delivery_tag: int) -> None:
        """Acknowledge one delivery of this link.

        Raises:
            BrokerUnavailable: The link broke.
        """
        await self._call(self._open_channel().basic_ack(delivery_tag), "acknowledging")

    async def lost(self) -> BrokerError:
        """Wait until connection, channel or consumer is gone. Returns why."""
        if self._channel is None:
            return BrokerUnavailable("There is no channel.")
        cancelled = asyncio.create_task(self._cancelled.wait(), name="fiksmelding-consumer-cancelled")
        gone = (self._connection.closing, self._channel.closing)
        try:
            await asyncio.wait({*gone, cancelled}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            cancelled.cancel()
        if self._cancelled.is_set():
            return BrokerUnavailable("The broker cancelled the consumer.")
        # The channel's own reason is the more exact one; a closed connection takes its channel along.
        causes = [one.exception() for one in gone if one.done() and not one.cancelled()]
        return _translate(causes[-1] if causes else None, "consuming")

    async def close(self) -> None:
        """Close politely within the time limit, then surely. Never raises."""
        try:
            await self._call(self._connection.close(), "closing")
        except BrokerError as error:
            log.debug("%s", error)
        finally:
            self._sockets.cut()

    def _open_channel(self) -> AbstractChannel:
        if self._channel is None or not self.alive:
            raise BrokerUnavailable("The channel to the broker is closed.")
        return self._channel

    def _on_cancel(self, frame: aiormq.spec.Basic.Cancel) -> None:
        if frame.consumer_tag == self._tag:
            self._cancelled.set()

    async def _call(self, call: Awaitable[Result], doing: str) -> Result:
        """Await a call of aiormq under the time limit, and turn what it raises into our errors.

        The call has a task of its own: when a connection is lost, aiormq ends waiting calls by cancelling them, which
        must not look as if our caller had been cancelled.
        """
        task = asyncio.ensure_future(call)
        try:
            await asyncio.wait({task}, timeout=self._settings.timeout_seconds)
        finally:
            late = not task.done()
            if late:
                task.cancel()
                task.add_done_callback(_seen)
        if late:
            raise BrokerUnavailable(f"The broker did not answer in {self._settings.timeout_seconds:g} s ({doing}).")
        if task.cancelled():
            raise BrokerUnavailable(f"There is no working connection to the broker ({doing}, cut off).")
        error = task.exception()
        if error is not None:
            raise _translate(error, doing) from None
        return task.result()


def _seen(task: "asyncio.Future[Result]") -> None:
    if not task.cancelled():
        task.exception()


def _translate(error: BaseException | None, doing: str) -> BrokerError:
    """Our error for what aiormq raised. Nothing is chained: its errors may quote whole frames."""
    if isinstance(
        error, aiormq.ProbableAuthenticationError | aiormq.ChannelAccessRefused | aiormq.ConnectionNotAllowed
    ):
        return BrokerAccessRefused(
            f"The broker refused access ({doing}){_said(error)}.",
            advice="Check integration.id and its password, that the token is for the same environment, and that the "
            "integration may read the account.",
        )
    if isinstance(error, aiormq.ConnectionClosed) and error.args[:1] in {(ACCESS_REFUSED,), (NOT_ALLOWED,)}:
        return BrokerAccessRefused(f"The broker refused access ({doing}){_said(error)}.")
    if isinstance(error, ssl.SSLCertVerificationError):
        return BrokerUnavailable(
            f"The broker's TLS certificate is not trusted ({doing}).", advice="Check broker.ca_file and broker.host."
        )
    if isinstance(error, aiormq.ChannelNotFoundEntity):
        return BrokerUnavailable(f"The queue does not exist ({doing}).", advice="Check account.id.")
    kind = type(error).__name__ if error is not None else "closed"
    said = _said(error) if isinstance(error, aiormq.ChannelClosed | aiormq.ConnectionClosed) else ""
    return BrokerUnavailable(f"There is no working connection to the broker ({doing}, {kind}){said}.")


def _said(error: BaseException) -> str:
    """The broker's reply text, as far as it is harmless to print."""
    text = " ".join(part for part in error.args if isinstance(part, str))
    printable = "".join(character if character.isprintable() else " " for character in text)
    return f": {printable[:REASON_LENGTH].rstrip('. ')}" if printable.strip() else ""
