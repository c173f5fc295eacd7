"""A consumer on the scripted broker, and an inbox for what it hands over."""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

from pydantic import SecretStr

from fiksmelding.broker import Consumer, ConsumerState, Credentials, Delivery
from fiksmelding.config import BrokerSettings
from support.fake_clock import FakeClock
from support.scripted_broker import Refusal, ScriptedBroker

PASSWORD = "integration pass+/%@ eyJ.token"
MELDING = str(uuid4())
HEADERS: dict[str, object] = {"melding-id": MELDING, "type": "t", "avsender-id": str(uuid4())}
ACCESS_REFUSED = Refusal(403, "ACCESS_REFUSED - the token has expired")


async def credentials() -> Credentials:
    return Credentials("integration-id", SecretStr(PASSWORD))


class Inbox:
    """Acknowledges what it is handed, unless told otherwise, and keeps it for the test."""

    def __init__(self, *, acks: bool = True) -> None:
        self.acks = acks
        self.deliveries: asyncio.Queue[Delivery] = asyncio.Queue()

    async def keep(self, delivery: Delivery) -> None:
        if self.acks:
            await delivery.ack()
        self.deliveries.put_nowait(delivery)

    async def next(self) -> Delivery:
        return await asyncio.wait_for(self.deliveries.get(), 10)

    async def ids(self, count: int) -> list[str | None]:
        return [(await self.next()).metadata.melding_id for _ in range(count)]


def settings(broker: ScriptedBroker, **changes: object) -> BrokerSettings:
    base = {"host": "127.0.0.1", "port": broker.port, "tls": False, "timeout_seconds": 5}
    return BrokerSettings.model_validate({**base, **changes})


def consumer(
    broker: ScriptedBroker,
    on_delivery: Callable[[Delivery], Awaitable[None]],
    *,
    clock: FakeClock | None = None,
    log_in: Callable[[], Awaitable[Credentials]] = credentials,
    explain: Callable[[], Awaitable[str]] | None = None,
    **changes: object,
) -> Consumer:
    return Consumer(
        settings(broker, **changes),
        queue=broker.queue,
        credentials=log_in,
        on_delivery=on_delivery,
        explain=explain,
        clock=clock or FakeClock(),
        stop_seconds=5,
    )


async def reached(one: Consumer, state: ConsumerState) -> str:
    async with asyncio.timeout(10):
        return (await one.until(state)).reason


async def reason_given(one: Consumer) -> str:
    """Wait until the consumer says why it is not as it should be, whatever its state."""
    async with asyncio.timeout(10):
        while not one.status.reason:  # noqa: ASYNC110  waits for a reason, not for a state
            await asyncio.sleep(0)
    return one.status.reason
