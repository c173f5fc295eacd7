"""Several clients, whatever they do and however they go: every message ends in exactly one way."""

from contextlib import AsyncExitStack

from hypothesis import given, settings
from hypothesis import strategies as st
from pamqp import commands
from pamqp.header import ContentHeader

from support.embedded_broker import QUEUE, Broker, embedded_broker, until
from support.raw_amqp import ASIDE, RawClient, raw_client

CLIENTS = 3
OFTEN = ["publish", "publish", "publish", "consume", "consume"]
ANSWERS = ["ack", "ack all", "nack", "nack all", "discard", "recover"]
ENDS = ["end", "drop", "sever"]
STEPS = st.lists(
    st.tuples(st.sampled_from([*OFTEN, *ANSWERS, *ENDS]), st.integers(0, CLIENTS - 1)), min_size=20, max_size=50
)


class Customer:
    """A client that keeps account of what it was handed."""

    def __init__(self) -> None:
        self.stack = AsyncExitStack()
        self.client: RawClient | None = None
        self.tags: dict[int, str] = {}

    async def connected(self, broker: Broker) -> RawClient:
        if self.client is None:
            self.client = await self.stack.enter_async_context(raw_client(broker.server.port))
            await self.client.log_in()
            await self.client.open_channel()
        return self.client

    async def gone(self) -> None:
        await self.stack.aclose()
        self.client = None
        self.tags.clear()

    async def catch_up(self) -> None:
        """Read everything the broker has to say by now."""
        if self.client is None:
            return
        tag = 0
        self.client.send(ASIDE, commands.Channel.Open(), commands.Channel.Close(200, "", 0, 0))
        while True:
            number, received = await self.client.receive()
            if isinstance(received, commands.Channel.CloseOk) and number == ASIDE:
                return
            if isinstance(received, commands.Channel.CloseOk | commands.Basic.RecoverOk):
                self.tags.clear()
            elif isinstance(received, commands.Basic.Deliver):
                tag = int(received.delivery_tag or 0)
            elif isinstance(received, ContentHeader):
                headers = received.properties.headers
                assert headers is not None
                self.tags[tag] = str(headers["melding-id"])


class Ledger:
    """What was published, and how each message ended as far as the customers know."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.customers = [Customer() for _ in range(CLIENTS)]
        self.published = 0
        self.ended: list[str] = []

    async def step(self, what: str, customer: Customer) -> None:
        match what:
            case "publish":
                self.published += 1
                self.broker.publish(str(self.published))
            case "sever":
                await self.broker.server.sever()
                for severed in self.customers:
                    await severed.gone()
            case "drop":
                await customer.gone()
            case _:
                await self.say(what, customer)
        for one in self.customers:
            await one.catch_up()

    async def say(self, what: str, customer: Customer) -> None:
        client = await customer.connected(self.broker)
        tags = customer.tags
        last = max(tags, default=0)
        if what == "consume":
            client.send(1, commands.Basic.Consume(queue=QUEUE, nowait=True))
        elif what == "recover":
            client.send(1, commands.Basic.Recover(requeue=True))
        elif what == "end":
            client.send(1, commands.Channel.Close(200, "", 0, 0), commands.Channel.Open())
        elif last and what in ("ack", "discard"):
            self.ended.append(tags.pop(last))
            client.send(1, commands.Basic.Ack(last) if what == "ack" else commands.Basic.Reject(last, requeue=False))
        elif last and what == "ack all":
            self.ended.extend(tags.values())
            tags.clear()
            client.send(1, commands.Basic.Ack(last, multiple=True))
        elif last and what == "nack":
            del tags[last]
            client.send(1, commands.Basic.Nack(last, requeue=True))
        elif last and what == "nack all":
            tags.clear()
            client.send(1, commands.Basic.Nack(last, multiple=True, requeue=True))

    async def close(self) -> None:
        for customer in self.customers:
            await customer.gone()
        queues = self.broker.queues
        await until(lambda: not queues.held(QUEUE) and not queues.consumers(QUEUE))

    def balances(self) -> None:
        left = []
        while lease := self.broker.queues.take(QUEUE):
            left.append(lease.message.headers["melding-id"])
        assert left == sorted(left, key=int)
        dead = [name for _, name in self.broker.deaths.seen]
        every = sorted([*self.ended, *dead, *left], key=int)
        assert every == [str(number + 1) for number in range(self.published)]


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
async def test_every_message_ends_in_exactly_one_way(steps: list[tuple[str, int]]) -> None:
    async with embedded_broker() as broker:
        ledger = Ledger(broker)
        try:
            for what, number in steps:
                await ledger.step(what, ledger.customers[number])
        finally:
            await ledger.close()
        ledger.balances()
