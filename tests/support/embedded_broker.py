"""The embedded broker with one account, for tests that connect real clients to it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from fiksmelding.simulator.amqp import AccessDenied, AmqpServer, Login
from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.pki import Credential
from fiksmelding.simulator.queues import DeathReason, QueuedMessage, Queues

USER = "7c5b3a52-6e6e-4c5e-9d0e-3f6f4f0b8f11"
PASSWORD = "integration-password eyJ0b2tlbg%2B+/=@"
QUEUE = "fiksio.konto.bergen"
OTHERS_QUEUE = "fiksio.konto.oslo"
MISSING_QUEUE = "fiksio.konto.ingen"

T = TypeVar("T")


@dataclass(frozen=True)
class ReadsOwnQueue:
    """May read its own queue, and one that does not exist."""

    def may_read(self, queue: str) -> bool:
        return queue in (QUEUE, MISSING_QUEUE)


async def authenticate(user: str, password: str) -> Login:
    if (user, password) != (USER, PASSWORD):
        raise AccessDenied("The token is not valid.")
    return ReadsOwnQueue()


@dataclass
class Deaths:
    """Collects the messages the platform gave up."""

    seen: list[tuple[DeathReason, str]] = field(default_factory=list)
    happened: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, message: QueuedMessage, reason: DeathReason, queue: str) -> None:
        assert queue == QUEUE
        self.seen.append((reason, message.headers["melding-id"]))
        self.happened.set()


@dataclass(frozen=True)
class Broker:
    server: AmqpServer
    queues: Queues
    clock: SimulatorClock
    deaths: Deaths

    def publish(self, melding_id: str, *, body: bytes = b"", expiration_ms: int | None = None) -> None:
        self.queues.publish(QUEUE, QueuedMessage({"melding-id": melding_id}, body, expiration_ms))


@asynccontextmanager
async def embedded_broker(
    ssl_context: ssl.SSLContext | None = None, *, handshake_seconds: float = 10.0
) -> AsyncIterator[Broker]:
    """A running broker with two queues, one of which `USER` may read."""
    clock = SimulatorClock()
    deaths = Deaths()
    queues = Queues(clock, deaths)
    queues.declare(QUEUE)
    queues.declare(OTHERS_QUEUE)
    server = AmqpServer(queues, authenticate=authenticate, ssl_context=ssl_context, handshake_seconds=handshake_seconds)
    async with server:
        yield Broker(server, queues, clock, deaths)


def server_tls(credential: Credential, folder: Path) -> ssl.SSLContext:
    """A server's TLS context; the key passes through `folder`, as Python's ssl reads files only."""
    certificate, key = folder / "server.pem", folder / "server.key"
    certificate.write_bytes(credential.certificate_pem)
    key.write_bytes(credential.key_pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def until(condition: Callable[[], object]) -> None:
    """Return when `condition` holds; fail after ten seconds."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  (it happens at the far end of a socket: there is no event for it)
            await asyncio.sleep(0)


async def in_thread(call: Callable[[], T], *, seconds: float = 20.0) -> T:
    """Run a blocking client beside the broker's loop."""
    return await asyncio.wait_for(asyncio.to_thread(call), seconds)
