"""Our consumer on three RabbitMQ nodes with quorum queues, and what happens to nodes, queues and connections there."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from uuid import uuid4

import aio_pika
import aio_pika.abc
import pytest
from aio_pika.exceptions import AMQPError
from pydantic import SecretStr

from fiksmelding.broker import Consumer, ConsumerState, Credentials, Delivery
from fiksmelding.config import BrokerSettings, JournalSettings
from fiksmelding.errors import BrokerUnavailable
from fiksmelding.journal import Journal
from support.arrivals import NOON, SENDER, arrival
from support.consumers import Inbox
from support.rabbitmq import HOST
from support.rabbitmq_cluster import PASSWORD, USER, ClusterNode, rabbitmq_cluster

pytestmark = pytest.mark.timeout(240)

LIMITS: dict[str, str | int] = {"x-queue-type": "quorum", "x-delivery-limit": 2, "x-quorum-initial-group-size": 3}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ClusterNode]]:
    with rabbitmq_cluster(tmp_path_factory.mktemp("cluster")) as nodes:
        yield nodes


@pytest.fixture
def nodes(cluster: list[ClusterNode]) -> list[ClusterNode]:
    """All of the cluster's nodes, running."""
    for node in cluster:
        if not node.running:
            node.start()
    return cluster


class Queue:
    """A quorum queue, and who publishes to it.

    Args:
        name: The queue's name.
        channel: A channel with publisher confirms.
    """

    def __init__(self, name: str, channel: aio_pika.abc.AbstractChannel) -> None:
        self.name = name
        self._channel = channel

    async def declare(self) -> None:
        await self._channel.declare_queue(self.name, durable=True, arguments={**LIMITS})

    async def delete(self) -> None:
        await self._channel.queue_delete(self.name)

    async def publish(self) -> str:
        """Publish a message; returns its `melding-id` when the queue has confirmed it."""
        melding_id = str(uuid4())
        headers: dict[str, str] = {"melding-id": melding_id, "type": "t", "avsender-id": SENDER}
        message = aio_pika.Message(b"sealed", headers={**headers}, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await self._channel.default_exchange.publish(message, routing_key=self.name)
        return melding_id


@asynccontextmanager
async def queue_on(declared_at: ClusterNode, published_at: ClusterNode) -> AsyncIterator[Queue]:
    name = f"fiksio.konto.{uuid4()}"
    async with await connect(declared_at) as first:
        await Queue(name, await first.channel()).declare()  # its leader is where it was declared
    async with await connect(published_at) as connection:
        yield Queue(name, await connection.channel())


async def connect(node: ClusterNode) -> aio_pika.abc.AbstractConnection:
    return await aio_pika.connect(host=HOST, port=node.port, login=USER, password=PASSWORD)


def consumer(
    nodes: list[ClusterNode], queue: Queue, on_delivery: Callable[[Delivery], Awaitable[None]], **changes: object
) -> Consumer:
    async def credentials() -> Credentials:
        return Credentials(USER, SecretStr(PASSWORD))

    settings = {"hosts": [node.address for node in nodes], "tls": False, "reconnect_longest_seconds": 1, **changes}
    return Consumer(
        BrokerSettings.model_validate(settings), queue=queue.name, credentials=credentials, on_delivery=on_delivery
    )


async def reached(one: Consumer, state: ConsumerState) -> str:
    async with asyncio.timeout(60):
        return (await one.until(state)).reason


class Keeping:
    """Keeps deliveries in a journal before it acknowledges them."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.acknowledged: set[str] = set()
        self.newest = NOON
        self.changed = asyncio.Event()

    async def keep(self, delivery: Delivery) -> None:
        melding_id = delivery.metadata.melding_id or ""
        await self._journal.keep(arrival(melding_id=melding_id), delivery.body)
        with suppress(BrokerUnavailable):  # it comes again
            await delivery.ack()
            self.acknowledged.add(melding_id)
            self.newest = delivery.received_at
            self.changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(90):
            while not condition():
                self.changed.clear()
                await self.changed.wait()


class Load:
    """Publishes until told to end, never far ahead of what is acknowledged; `confirmed` is what the queue has taken."""

    def __init__(self, queue_name: str, node: ClusterNode, keeping: Keeping) -> None:
        self._queue_name = queue_name
        self._node = node
        self._keeping = keeping
        self.confirmed: set[str] = set()
        self.ending = False

    async def run(self) -> None:
        """Publish over a new connection whenever one breaks."""
        while not self.ending:
            with suppress(AMQPError, TimeoutError, OSError):
                async with await connect(self._node) as connection:
                    await self._publish(Queue(self._queue_name, await connection.channel()))

    async def _publish(self, queue: Queue) -> None:
        while not self.ending:
            await self._keeping.until(lambda: len(self.confirmed) - len(self._keeping.acknowledged) < 200)
            async with asyncio.timeout(10):
                self.confirmed.add(await queue.publish())


async def test_a_consumer_waits_for_its_only_node_to_come_back(nodes: list[ClusterNode]) -> None:
    other, _, gone = nodes
    inbox = Inbox()
    async with queue_on(gone, other) as queue, consumer([gone], queue, inbox.keep) as one:
        await reached(one, ConsumerState.CONSUMING)
        connected_at = one.status.since
        gone.kill()
        assert "no working connection" in await reached(one, ConsumerState.CONNECTING)
        await asyncio.to_thread(gone.start)
        await reached(one, ConsumerState.CONSUMING)
        assert one.status.since > connected_at
        melding_id = await asyncio.wait_for(queue.publish(), 30)
        assert (await inbox.next()).metadata.melding_id == melding_id


async def test_a_queue_deleted_under_the_consumer_is_told_and_waited_for(nodes: list[ClusterNode]) -> None:
    inbox = Inbox()
    async with queue_on(nodes[1], nodes[1]) as queue, consumer(nodes, queue, inbox.keep) as one:
        await reached(one, ConsumerState.CONSUMING)
        await queue.delete()
        async with asyncio.timeout(30):
            while "does not exist" not in one.status.reason:  # noqa: ASYNC110  waits for a reason, not for a state
                await asyncio.sleep(0.01)
        await queue.declare()
        melding_id = await queue.publish()
        assert (await inbox.next()).metadata.melding_id == melding_id


async def test_a_connection_that_an_administrator_closes_is_made_again(
    nodes: list[ClusterNode], caplog: pytest.LogCaptureFixture
) -> None:
    inbox = Inbox()
    async with queue_on(nodes[1], nodes[1]) as queue, consumer([nodes[1]], queue, inbox.keep) as one:
        await reached(one, ConsumerState.CONSUMING)
        listed = await asyncio.to_thread(nodes[1].control, "list_connections", "pid", "client_properties")
        [pid] = [line.split()[0] for line in listed.splitlines() if "fiksmelding" in line.partition(">")[2]]
        await asyncio.to_thread(nodes[1].control, "close_connection", pid, "maintenance tonight")
        melding_id = await queue.publish()
        assert (await inbox.next()).metadata.melding_id == melding_id
    assert "maintenance tonight" in caplog.text


async def test_a_delivery_that_is_not_acknowledged_in_time_costs_the_channel_and_comes_again(
    nodes: list[ClusterNode], caplog: pytest.LogCaptureFixture
) -> None:
    inbox = Inbox(acks=False)
    await asyncio.to_thread(nodes[1].control, "eval", "application:set_env(rabbit, consumer_timeout, 1000).")
    try:
        async with queue_on(nodes[1], nodes[1]) as queue, consumer([nodes[1]], queue, inbox.keep):
            await queue.publish()
            first = await inbox.next()
            second = await inbox.next()
            with pytest.raises(BrokerUnavailable):
                await first.ack()
            await second.ack()
            assert (first.redelivered, second.redelivered) == (False, True)
    finally:
        await asyncio.to_thread(nodes[1].control, "eval", "application:unset_env(rabbit, consumer_timeout).")
    assert "PRECONDITION_FAILED" in caplog.text


async def test_while_the_broker_is_short_of_memory_what_is_queued_is_delivered_and_acknowledged(
    nodes: list[ClusterNode],
) -> None:
    inbox = Inbox()
    async with queue_on(nodes[1], nodes[1]) as queue:
        queued = [await queue.publish() for _ in range(20)]
        await asyncio.to_thread(nodes[1].control, "set_vm_memory_high_watermark", "0.00001")
        try:
            blocked = asyncio.create_task(queue.publish())
            async with consumer([nodes[1]], queue, inbox.keep, prefetch=5) as one:
                assert sorted(str(one) for one in await inbox.ids(20)) == sorted(queued)
                assert one.status.state is ConsumerState.CONSUMING
                assert not blocked.done()
                await asyncio.to_thread(nodes[1].control, "set_vm_memory_high_watermark", "0.4")
                melding_id = await asyncio.wait_for(blocked, 30)
                assert (await inbox.next()).metadata.melding_id == melding_id
        finally:
            await asyncio.to_thread(nodes[1].control, "set_vm_memory_high_watermark", "0.4")


async def test_with_one_of_three_nodes_killed_under_load_nothing_is_lost_and_consuming_goes_on(
    nodes: list[ClusterNode], tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    killed, other, _ = nodes
    async with (
        Journal(JournalSettings(url=f"sqlite:///{tmp_path}/journal.db")) as journal,
        queue_on(killed, other) as queue,
    ):
        keeping = Keeping(journal)
        load = Load(queue.name, other, keeping)
        async with consumer(nodes, queue, keeping.keep) as one, asyncio.TaskGroup() as tasks:
            for _ in range(8):
                tasks.create_task(load.run())
            await keeping.until(lambda: len(keeping.acknowledged) >= 300)
            connected_at, killed_at = one.status.since, time.monotonic()
            killed.kill()
            await keeping.until(lambda: one.status.since > connected_at and keeping.newest > one.status.since)
            resumed_after = time.monotonic() - killed_at
            before = len(keeping.acknowledged)
            await keeping.until(lambda: len(keeping.acknowledged) >= before + 300)
            load.ending = True
            await keeping.until(lambda: load.confirmed <= keeping.acknowledged)
        kept = [entry.arrival.melding_id for entry in await journal.entries()]
    record_property("resumed_after_seconds", round(resumed_after, 2))
    logging.getLogger(__name__).info("consuming went on after %.2f s; %d messages", resumed_after, len(kept))
    assert len(kept) == len(set(kept))
    assert load.confirmed <= set(kept)
    assert resumed_after < 60
