"""The platform's broker behind one face, so that one suite runs against the embedded one and against RabbitMQ."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import uuid4

from fiksmelding.simulator import Simulator
from fiksmelding.simulator.queues import DeathReason
from support.platform_client import PlatformClient

Death = tuple[str, DeathReason]
RECIPIENT, STRANGER, SENDER = "bergen", "oslo", "skole"
REASONS = {
    "no.ks.fiks.kvittering.serverfeil.v1": DeathReason.DELIVERY_LIMIT,
    "no.ks.fiks.kvittering.tidsavbrudd": DeathReason.EXPIRED,
}


@dataclass(frozen=True)
class Address:
    """Where a client connects, as whom, and what it finds there.

    Attributes:
        port: The AMQPS port on 127.0.0.1.
        tls: A client's TLS context that trusts it.
        roots: The file with the root certificate, for clients that want a file.
        user: The client's user name.
        password: Its password, which holds for two minutes.
        queue: The client's own queue.
        others_queue: A queue it may not read.
        missing_queue: A queue it could read if there were one.
    """

    port: int
    tls: ssl.SSLContext
    roots: str
    user: str
    password: str = field(repr=False)
    queue: str
    others_queue: str
    missing_queue: str


class Platform:
    """What the suite needs of a platform beside the broker itself.

    Args:
        fiks: The running simulator.
        address: Where its broker is.
        sender: The one who sends what `publish` puts on the client's queue.
    """

    def __init__(self, fiks: Simulator, address: Address, sender: PlatformClient) -> None:
        self._fiks = fiks
        self._sender = sender
        self.address = address

    async def publish(self, melding_id: str, body: bytes = b"", *, expiration_ms: int | None = None) -> None:
        """Put a message on the client's queue; it is there when this returns."""
        self.put(melding_id, body, expiration_ms=expiration_ms)
        await self._fiks.platform.broker.state(self.address.queue)

    def put(self, melding_id: str, body: bytes = b"", *, expiration_ms: int | None = None) -> None:
        """Put a message on its way to the client's queue."""
        headers = {"melding-id": melding_id, "avsender-navn": "Ålesund", "avsender-id": str(self.sender_id)}
        self._fiks.put_on_queue(RECIPIENT, headers=headers, body=body, expiration_ms=expiration_ms)

    @property
    def sender_id(self) -> str:
        """The sender's account."""
        return str(self._sender.party.account.id)

    async def pass_time(self, by: timedelta) -> None:
        """Let time pass for the queues."""
        self._fiks.clock.advance(by)
        if self._fiks.on_rabbitmq:
            await asyncio.sleep(by.total_seconds())  # RabbitMQ has no clock that could be pushed forward.

    async def next_death(self) -> Death:
        """The next message given up: its `melding-id`, and why, as its sender is told."""
        told = await self._sender.receive()
        return told.headers["svar-til"], REASONS[told.headers["type"]]


@asynccontextmanager
async def platform_of(simulator: Simulator) -> AsyncIterator[Platform]:
    """A simulator with its broker, embedded or RabbitMQ, from its start to its end."""
    async with simulator as fiks, PlatformClient(fiks, RECIPIENT) as client, PlatformClient(fiks, SENDER) as sender:
        missing = uuid4()
        own = client.party.integration
        fiks.platform.world.register.add(replace(own, accounts=own.accounts | {missing}))
        roots = str(client.roots())
        address = Address(
            port=urlsplit(fiks.amqp_url).port or 0,
            tls=ssl.create_default_context(cafile=roots),
            roots=roots,
            user=str(own.id),
            password=await client.password(),
            queue=client.party.account.queue,
            others_queue=fiks.party(STRANGER).account.queue,
            missing_queue=f"fiksio.konto.{missing}",
        )
        yield Platform(fiks, address, sender)
