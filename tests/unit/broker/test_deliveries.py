"""Deliveries: handed over as they came, acknowledged only by whoever keeps them."""

import asyncio

from fiksmelding.broker import ConsumerState, Delivery
from fiksmelding.errors import BrokerUnavailable, JournalUnavailable
from support.consumers import HEADERS, MELDING, PASSWORD, Inbox, consumer, reached
from support.scripted_broker import ScriptedBroker


async def test_a_delivery_is_handed_over_and_acknowledged(broker: ScriptedBroker) -> None:
    inbox = Inbox()
    async with consumer(broker, inbox.keep, prefetch=7) as one:
        session = await broker.consumer()
        tag = session.deliver(b"sealed", HEADERS, redelivered=True, expiration="5000")
        delivery = await inbox.next()
        assert await broker.acked(session, 1) == [tag]
        assert one.status.state is ConsumerState.CONSUMING
    assert delivery.body == b"sealed"
    assert delivery.redelivered
    assert delivery.queue == broker.queue
    assert delivery.received_at.tzinfo is not None
    assert (delivery.metadata.melding_id, delivery.metadata.expiration_ms) == (MELDING, 5000)
    assert broker.logins == [("integration-id", PASSWORD)]
    assert (broker.prefetch, broker.no_ack) == (7, False)
    assert session.methods.index("Basic.Qos") < session.methods.index("Basic.Consume")
    assert not [method for method in session.methods if "Declare" in method]
    assert await reached(one, ConsumerState.CLOSED) == ""


async def test_a_delivery_without_body_or_headers_is_handed_over_too(broker: ScriptedBroker) -> None:
    inbox = Inbox()
    async with consumer(broker, inbox.keep):
        session = await broker.consumer()
        session.deliver(b"", {}, expiration="soon")
        delivery = await inbox.next()
    assert (delivery.body, delivery.metadata.missing[0]) == (b"", "melding-id")


async def test_headers_of_any_type_are_handed_over(broker: ScriptedBroker) -> None:
    inbox = Inbox()
    strange = {"melding-id": bytearray(b"\xff\xfe"), "a": 1, "b": None, "c": {"d": [1, True]}, "long": "x" * 65_000}
    async with consumer(broker, inbox.keep):
        (await broker.consumer()).deliver(b"x", strange)
        metadata = (await inbox.next()).metadata
    assert metadata.melding_id == "\\xff\\xfe"
    assert len(metadata.headers["long"]) == 65_000


async def test_a_hand_over_survives_the_loss_of_its_connection(broker: ScriptedBroker) -> None:
    begun, released, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()
    failures: list[Exception] = []

    async def keep(delivery: Delivery) -> None:
        begun.set()
        await released.wait()
        try:
            await delivery.ack()
        except BrokerUnavailable as error:
            failures.append(error)
        ended.set()

    async with consumer(broker, keep):
        session = await broker.consumer(1)
        session.deliver(b"x", HEADERS)
        await begun.wait()
        session.drop()
        fresh = await broker.consumer(2)
        released.set()
        await asyncio.wait_for(ended.wait(), 5)
    assert MELDING in str(failures[0])
    assert fresh.acked == []


async def test_a_handler_that_fails_leaves_the_message_unacknowledged_and_gets_it_again(broker: ScriptedBroker) -> None:
    inbox, failures = Inbox(), [JournalUnavailable("full"), ValueError("x")]

    async def keep(delivery: Delivery) -> None:
        if failures:
            raise failures.pop()
        await inbox.keep(delivery)

    async with consumer(broker, keep):
        session = await broker.consumer()
        tag = session.deliver(b"x", HEADERS)
        await inbox.next()
        assert await broker.acked(session, 1) == [tag]
    assert not {"Basic.Nack", "Basic.Reject", "Basic.Recover"} & set(session.methods)


async def test_an_ack_under_way_when_the_connection_is_cut_fails_and_is_not_cancelled(broker: ScriptedBroker) -> None:
    outcomes: asyncio.Queue[str] = asyncio.Queue()

    async def keep(delivery: Delivery) -> None:
        session.drop()
        try:
            while True:
                delivery.acknowledge._done = False  # type: ignore[attr-defined]
                await delivery.ack()
        except BrokerUnavailable:
            outcomes.put_nowait("unavailable")

    async with consumer(broker, keep):
        session = await broker.consumer()
        session.deliver(b"x", HEADERS)
        assert await asyncio.wait_for(outcomes.get(), 10) == "unavailable"
