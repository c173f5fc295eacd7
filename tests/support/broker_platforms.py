"""The platform's broker behind one face, so that one suite runs against the embedded one and against RabbitMQ."""

import asyncio
import ssl
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import aio_pika
import aio_pika.abc

from fiksmelding.simulator.queues import DeathReason, QueuedMessage
from support.embedded_broker import MISSING_QUEUE, OTHERS_QUEUE, QUEUE, Broker, embedded_broker
from support.rabbitmq import ADMIN, ADMIN_PASSWORD, Node

Death = tuple[str, DeathReason]


@dataclass(frozen=True)
class Address:
    """Where a client connects, and what it finds there.

    Attributes:
        port: The AMQPS port on 127.0.0.1.
        tls: A client's TLS context that trusts it.
        roots: The file with the root certificate, for clients that want a file.
        queue: The client's own queue.
        others_queue: A queue it may not read.
        missing_queue: A queue it could read if there were one.
    """

    port: int
    tls: ssl.SSLContext
    roots: str
    queue: str
    others_queue: str
    missing_queue: str


class Platform(Protocol):
    """What the suite needs of a platform beside the broker itself."""

    address: Address

    async def publish(self, melding_id: str, body: bytes = b"", *, expiration_ms: int | None = None) -> None:
        """Put a message on the client's queue."""
        ...

    async def pass_time(self, by: timedelta) -> None:
        """Let time pass for the queues."""
        ...

    async def next_death(self) -> Death:
        """The next message given up: its `melding-id`, and why."""
        ...


class EmbeddedPlatform:
    """The embedded broker."""

    def __init__(self, broker: Broker, tls: ssl.SSLContext, roots: str) -> None:
        self._broker = broker
        self._told = 0
        self.address = Address(broker.server.port, tls, roots, QUEUE, OTHERS_QUEUE, MISSING_QUEUE)

    async def publish(self, melding_id: str, body: bytes = b"", *, expiration_ms: int | None = None) -> None:
        headers = {"melding-id": melding_id, "avsender-navn": "Ålesund"}
        self._broker.queues.publish(QUEUE, QueuedMessage(headers, body, expiration_ms))

    async def pass_time(self, by: timedelta) -> None:
        self._broker.clock.advance(by)

    async def next_death(self) -> Death:
        deaths = self._broker.deaths
        async with asyncio.timeout(10):
            while len(deaths.seen) == self._told:
                deaths.happened.clear()
                await deaths.happened.wait()
        self._told += 1
        reason, melding_id = deaths.seen[self._told - 1]
        return melding_id, reason


@asynccontextmanager
async def embedded_platform(
    server_tls: ssl.SSLContext, client_tls: ssl.SSLContext, roots: str
) -> AsyncIterator[Platform]:
    """A fresh embedded broker."""
    async with embedded_broker(server_tls) as broker:
        yield EmbeddedPlatform(broker, client_tls, roots)


class RabbitPlatform:
    """Quorum queues with a delivery limit on a RabbitMQ node, and a queue for its dead."""

    def __init__(
        self, channel: aio_pika.abc.AbstractChannel, dead: aio_pika.abc.AbstractQueue, address: Address
    ) -> None:
        self._channel = channel
        self._dead = dead
        self.address = address

    async def publish(self, melding_id: str, body: bytes = b"", *, expiration_ms: int | None = None) -> None:
        headers: dict[str, aio_pika.abc.HeadersType] = {}
        message = aio_pika.Message(
            body,
            headers={**headers, "melding-id": melding_id, "avsender-navn": "Ålesund"},
            expiration=None if expiration_ms is None else expiration_ms / 1000,
        )
        await self._channel.default_exchange.publish(message, routing_key=self.address.queue)

    async def pass_time(self, by: timedelta) -> None:
        await asyncio.sleep(by.total_seconds())  # RabbitMQ has no clock that could be pushed forward.

    async def next_death(self) -> Death:
        async with asyncio.timeout(20), self._dead.iterator(no_ack=True) as dead:
            async for message in dead:
                deaths = message.headers["x-death"]
                assert isinstance(deaths, list)
                assert isinstance(deaths[0], dict)
                if deaths[0]["reason"] != "rejected":  # Nack without requeue: the platform tells nobody.
                    return str(message.headers["melding-id"]), DeathReason(str(deaths[0]["reason"]))
        raise AssertionError("The queue of the dead was closed.")


@asynccontextmanager
async def rabbit_platform(node: Node, client_tls: ssl.SSLContext, roots: str) -> AsyncIterator[Platform]:
    """Fresh queues on a node that is shared by the run's tests."""
    run = uuid.uuid4().hex
    address = Address(node.port, client_tls, roots, f"konto.{run}", f"others.{run}", f"missing.{run}")
    connection = await aio_pika.connect(
        host="127.0.0.1", port=node.port, login=ADMIN, password=ADMIN_PASSWORD, ssl=True, ssl_context=client_tls
    )
    async with connection:
        channel = await connection.channel()
        dead = await channel.declare_queue(f"dead.{run}")
        limits: dict[str, str | int] = {
            "x-queue-type": "quorum",
            "x-delivery-limit": 2,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": dead.name,
        }
        made = [
            await channel.declare_queue(name, durable=True, arguments={**limits})
            for name in (address.queue, address.others_queue)
        ]
        node.readable.update((address.queue, address.missing_queue))
        yield RabbitPlatform(channel, dead, address)
        for queue in (*made, dead):
            await queue.delete(if_unused=False, if_empty=False)
