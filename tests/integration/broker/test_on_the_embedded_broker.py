"""Our consumer on the simulator's broker: the platform's rules, over TLS."""

import asyncio
import random
import ssl
from asyncio import sslproto
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import SecretStr

from fiksmelding.broker import Consumer, ConsumerState, Credentials, Delivery
from fiksmelding.config import BrokerSettings
from fiksmelding.errors import BrokerUnavailable, JournalUnavailable
from fiksmelding.simulator.amqp import AccessDenied, AmqpServer, Login
from fiksmelding.simulator.clock import SimulatorClock
from fiksmelding.simulator.pki import Authority
from fiksmelding.simulator.queues import QueuedMessage, Queues
from support.consumers import Inbox, reached, reason_given
from support.embedded_broker import MISSING_QUEUE, OTHERS_QUEUE, QUEUE, Deaths, ReadsOwnQueue, server_tls

INTEGRATION = uuid4()
SECRET = SecretStr("integration pass+/%@")


class Platform:
    """Queues and a broker over TLS, whose valid token changes when the test says so."""

    def __init__(self, tls: ssl.SSLContext, roots: Path) -> None:
        self.tls = tls
        self.roots = roots
        self.deaths = Deaths()
        self.queues = Queues(SimulatorClock(), self.deaths)
        self.token = "token-1"
        self.logins: list[bool] = []
        for queue in (QUEUE, OTHERS_QUEUE):
            self.queues.declare(queue)

    async def authenticate(self, user: str, password: str) -> Login:
        accepted = (user, password) == (str(INTEGRATION), f"{SECRET.get_secret_value()} {self.token}")
        self.logins.append(accepted)
        if not accepted:
            raise AccessDenied("The token is not valid.")
        return ReadsOwnQueue()

    def server(self, port: int = 0) -> AmqpServer:
        return AmqpServer(self.queues, authenticate=self.authenticate, ssl_context=self.tls, port=port)

    def publish(self, *, body: bytes = b"sealed", count: int = 1) -> list[str]:
        ids = [str(uuid4()) for _ in range(count)]
        for one in ids:
            headers = {"melding-id": one, "type": "t", "avsender-id": str(uuid4())}
            self.queues.publish(QUEUE, QueuedMessage(headers, body))
        return ids

    async def credentials(self) -> Credentials:
        return Credentials.of_integration(INTEGRATION, SECRET, SecretStr(self.token))

    def consumer(
        self,
        port: int,
        on_delivery: Callable[[Delivery], Awaitable[None]],
        *,
        queue: str = QUEUE,
        credentials: Callable[[], Awaitable[Credentials]] | None = None,
        **changes: object,
    ) -> Consumer:
        settings = {
            "host": "127.0.0.1",
            "port": port,
            "ca_file": self.roots,
            "reconnect_first_seconds": 0.01,
            "reconnect_longest_seconds": 0.05,
            **changes,
        }
        return Consumer(
            BrokerSettings.model_validate(settings),
            queue=queue,
            credentials=credentials or self.credentials,
            on_delivery=on_delivery,
        )


@pytest.fixture(scope="module")
def tls(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return server_tls(authority.server("127.0.0.1"), tmp_path_factory.mktemp("tls"))


@pytest.fixture
def platform(tls: ssl.SSLContext, authority: Authority, tmp_path: Path) -> Platform:
    roots = tmp_path / "roots.pem"
    roots.write_bytes(authority.roots_pem)
    return Platform(tls, roots)


async def test_messages_of_every_size_arrive_and_leave_the_queue(platform: Platform) -> None:
    inbox = Inbox()
    sizes = [0, 1, 131_000, 131_072, 5_000_000]
    for size in sizes:
        platform.publish(body=b"x" * size)
    async with platform.server() as server, platform.consumer(server.port, inbox.keep):
        assert sorted([len((await inbox.next()).body) for _ in sizes]) == sizes
    assert platform.queues.depth(QUEUE) == 0
    assert platform.deaths.seen == []


async def test_a_python_that_cannot_abort_an_ended_tls_connection_does_not_disturb_the_end(
    platform: Platform, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def as_python_3_11_2_does(transport: Any) -> None:
        transport._closed = True
        transport._ssl_protocol._abort()

    monkeypatch.setattr(sslproto._SSLProtocolTransport, "abort", as_python_3_11_2_does)
    async with platform.server() as server, platform.consumer(server.port, Inbox().keep) as one:
        await reached(one, ConsumerState.CONSUMING)
    assert one.status.state is ConsumerState.CLOSED
    assert "AttributeError" not in caplog.text


async def test_a_burst_is_handed_over_whole(platform: Platform) -> None:
    inbox = Inbox()
    async with platform.server() as server, platform.consumer(server.port, inbox.keep):
        published = platform.publish(count=500)
        assert sorted(str(one) for one in await inbox.ids(500)) == sorted(published)
    assert platform.queues.depth(QUEUE) == 0


async def test_after_a_cut_the_unacknowledged_comes_again_and_the_old_ack_fails(platform: Platform) -> None:
    inbox = Inbox(acks=False)
    async with platform.server() as server, platform.consumer(server.port, inbox.keep):
        (melding_id,) = platform.publish()
        first = await inbox.next()
        await server.sever()
        second = await inbox.next()
        with pytest.raises(BrokerUnavailable, match=melding_id):
            await first.ack()
        await second.ack()
        assert (first.redelivered, second.redelivered) == (False, True)
        assert second.metadata.melding_id == melding_id
    assert platform.queues.depth(QUEUE) == 0
    assert platform.deaths.seen == []


async def test_a_broker_restarted_on_its_port_is_found_again(platform: Platform) -> None:
    inbox = Inbox()
    async with platform.server() as server:
        port = server.port
        consumer = platform.consumer(port, inbox.keep)
        await consumer.__aenter__()
        await reached(consumer, ConsumerState.CONSUMING)
    try:
        await reached(consumer, ConsumerState.CONNECTING)
        platform.publish()
        async with platform.server(port):
            await inbox.next()
            await consumer.aclose()
    finally:
        await consumer.aclose()


async def test_an_expired_token_is_replaced_on_the_next_connection(platform: Platform) -> None:
    inbox = Inbox()
    async with platform.server() as server, platform.consumer(server.port, inbox.keep) as consumer:
        await reached(consumer, ConsumerState.CONSUMING)
        platform.token = "token-2"
        await server.sever()
        platform.publish()
        await inbox.next()
    assert platform.logins == [True, True]


async def test_a_stale_token_shows_as_refused_until_it_comes_right(platform: Platform) -> None:
    token = "stale"

    async def credentials() -> Credentials:
        return Credentials.of_integration(INTEGRATION, SECRET, SecretStr(token))

    inbox = Inbox()
    platform.publish()
    async with platform.server() as server, platform.consumer(server.port, inbox.keep, credentials=credentials) as one:
        await reached(one, ConsumerState.REFUSED)
        token = platform.token
        await inbox.next()
    assert platform.logins[0] is False


async def test_another_accounts_queue_is_refused(platform: Platform) -> None:
    async with platform.server() as server, platform.consumer(server.port, Inbox().keep, queue=OTHERS_QUEUE) as one:
        assert "refused" in await reached(one, ConsumerState.REFUSED)


async def test_a_queue_that_does_not_exist_is_named_and_waited_for(platform: Platform) -> None:
    inbox = Inbox()
    async with platform.server() as server, platform.consumer(server.port, inbox.keep, queue=MISSING_QUEUE) as one:
        assert "does not exist" in await reason_given(one)
        platform.queues.declare(MISSING_QUEUE)
        await reached(one, ConsumerState.CONSUMING)


async def test_a_handler_that_fails_uses_up_no_attempt(platform: Platform) -> None:
    inbox, failures = Inbox(), 1

    async def keep(delivery: Delivery) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            raise JournalUnavailable("The disk is full.")
        await inbox.keep(delivery)

    async with platform.server() as server, platform.consumer(server.port, keep):
        platform.publish()
        assert not (await inbox.next()).redelivered
    assert platform.queues.depth(QUEUE) == 0


async def test_while_paused_messages_wait_in_the_queue(platform: Platform) -> None:
    inbox = Inbox()
    async with platform.server() as server, platform.consumer(server.port, inbox.keep) as consumer:
        await reached(consumer, ConsumerState.CONSUMING)
        await consumer.pause()
        assert platform.queues.consumers(QUEUE) == 0
        platform.publish(count=3)
        assert platform.queues.depth(QUEUE) == 3
        await consumer.resume()
        await inbox.ids(3)
    assert platform.queues.depth(QUEUE) == 0


async def test_no_more_than_the_prefetch_count_is_held(platform: Platform) -> None:
    inbox = Inbox(acks=False)
    platform.publish(count=5)
    async with platform.server() as server, platform.consumer(server.port, inbox.keep, prefetch=2):
        first = await inbox.next()
        await inbox.next()
        assert inbox.deliveries.empty()
        await first.ack()
        await inbox.next()


async def test_closing_gives_back_what_was_not_acknowledged(platform: Platform) -> None:
    inbox = Inbox(acks=False)
    platform.publish()
    async with platform.server() as server:
        async with platform.consumer(server.port, inbox.keep):
            await inbox.next()
        async with platform.consumer(server.port, Inbox().keep) as other:
            await reached(other, ConsumerState.CONSUMING)
            while platform.queues.depth(QUEUE):  # noqa: ASYNC110  the queue has no event
                await asyncio.sleep(0)
    assert platform.deaths.seen == []


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_however_often_the_connection_is_cut_each_message_is_handed_over_or_given_up_aloud(
    seed: int, platform: Platform
) -> None:
    """The platform's three attempts may run out in a storm of cuts: then its sender is told. Silence would be loss."""
    chance = random.Random(seed)
    kept: set[str] = set()
    progress = asyncio.Event()

    async def keep(delivery: Delivery) -> None:
        if chance.random() < 0.05:
            await server.sever()
        kept.add(delivery.metadata.melding_id or "")
        progress.set()
        with suppress(BrokerUnavailable):
            await delivery.ack()

    published = set(platform.publish(body=b"x" * 1000, count=300))
    async with platform.server() as server, platform.consumer(server.port, keep, prefetch=5):
        async with asyncio.timeout(30):
            while published - kept - {melding_id for _, melding_id in platform.deaths.seen}:
                progress.clear()
                await progress.wait()
    assert kept <= published
    assert platform.logins[1:]
