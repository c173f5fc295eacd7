"""What a vendor's client sees, the same from the embedded broker as from RabbitMQ (contract section 6)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from fiksmelding.simulator.queues import DeathReason
from support.amqp_clients import Client, Connect, Refused
from support.broker_platforms import Platform
from support.embedded_broker import in_thread
from support.rabbitmq import on_either_broker

pytestmark = on_either_broker

LARGE = bytes(range(256)) * 4 * 1024


@contextmanager
def connected(connect: Connect, platform: Platform) -> Iterator[Client]:
    client = connect(platform.address)
    try:
        yield client
    finally:
        client.close()


async def test_a_report_arrives_whole_and_is_gone_when_acknowledged(platform: Platform, connect: Connect) -> None:
    await platform.publish("1", LARGE, expiration_ms=600_000)
    queue = platform.address.queue

    def client() -> None:
        with connected(connect, platform) as one:
            one.consume(queue)
            received = one.next()
            assert received.body == LARGE
            assert (received.routing_key, received.redelivered) == (queue, False)
            assert received.headers == {
                "melding-id": "1",
                "avsender-navn": "Ålesund",
                "avsender-id": platform.sender_id,
            }
            assert 0 < int(received.expiration or 0) <= 600_000
            one.ack(received.tag)
            one.reopen()
            assert one.get(queue) is None

    await in_thread(client)


async def test_no_more_than_the_prefetch_is_under_way(platform: Platform, connect: Connect) -> None:
    for number in range(5):
        await platform.publish(str(number))
    queue = platform.address.queue

    def client() -> None:
        with connected(connect, platform) as one:
            one.consume(queue, prefetch=2)
            first, second = one.next(), one.next()
            assert one.look(queue) == (3, 1)
            one.ack(first.tag)
            third = one.next()
            assert [received.melding_id for received in (first, second, third)] == ["0", "1", "2"]
            assert one.look(queue) == (2, 1)
            one.ack(third.tag, multiple=True)
            assert [one.next().melding_id, one.next().melding_id] == ["3", "4"]

    await in_thread(client)


async def test_a_message_given_back_comes_again_first_and_dies_the_third_time(
    platform: Platform, connect: Connect
) -> None:
    await platform.publish("1")
    await platform.publish("2")

    def client() -> None:
        with connected(connect, platform) as one:
            one.consume(platform.address.queue, prefetch=1)
            for redelivered in (False, True, True):
                received = one.next()
                assert (received.melding_id, received.redelivered) == ("1", redelivered)
                one.reject(received.tag, requeue=True)
            assert one.next().melding_id == "2"

    await in_thread(client)
    assert await platform.next_death() == ("1", DeathReason.DELIVERY_LIMIT)


@pytest.mark.parametrize("end", ["drop", "reopen", "close"])
async def test_a_channel_or_connection_that_ends_is_a_failed_attempt(
    platform: Platform, connect: Connect, end: str
) -> None:
    await platform.publish("1")

    def client() -> list[bool]:
        seen = []
        for _ in range(3):
            with connected(connect, platform) as one:
                one.consume(platform.address.queue)
                seen.append(one.next().redelivered)
                getattr(one, end)()
        return seen

    assert await in_thread(client) == [False, True, True]
    assert await platform.next_death() == ("1", DeathReason.DELIVERY_LIMIT)


async def test_a_message_refused_without_requeue_is_gone_and_nobody_is_told(
    platform: Platform, connect: Connect
) -> None:
    await platform.publish("refused")
    queue = platform.address.queue

    def client() -> None:
        with connected(connect, platform) as one:
            one.consume(queue)
            one.reject(one.next().tag, requeue=False)
            one.reopen()
            assert one.get(queue) is None

    await in_thread(client)
    await platform.publish("expired", expiration_ms=1)
    await platform.pass_time(timedelta(milliseconds=2))
    assert await platform.next_death() == ("expired", DeathReason.EXPIRED)


async def test_a_living_message_in_front_delays_the_death_of_those_behind(platform: Platform, connect: Connect) -> None:
    await platform.publish("lives")
    await platform.publish("expired", expiration_ms=100)
    await platform.pass_time(timedelta(milliseconds=400))
    queue = platform.address.queue

    def client() -> None:
        with connected(connect, platform) as one:
            assert one.look(queue)[0] == 2
            one.consume(queue, prefetch=1)
            received = one.next()
            assert received.melding_id == "lives"
            one.ack(received.tag)

    await in_thread(client)
    assert await platform.next_death() == ("expired", DeathReason.EXPIRED)


async def test_recover_brings_again_what_is_not_acknowledged(platform: Platform, connect: Connect) -> None:
    await platform.publish("1")
    await platform.publish("2")

    def client() -> None:
        with connected(connect, platform) as one:
            one.consume(platform.address.queue, prefetch=2)
            acknowledged = one.next()
            one.next()
            one.ack(acknowledged.tag)
            one.recover()
            again = one.next()
            assert (again.melding_id, again.redelivered) == ("2", True)

    await in_thread(client)


async def test_a_cancelled_consumer_gets_no_more_and_may_acknowledge_what_it_holds(
    platform: Platform, connect: Connect
) -> None:
    await platform.publish("1")
    await platform.publish("2")
    queue = platform.address.queue

    def client() -> None:
        with connected(connect, platform) as one:
            one.consume(queue, prefetch=1)
            received = one.next()
            one.cancel()
            one.ack(received.tag)
            left = one.get(queue)
            assert left is not None
            assert (left.melding_id, left.redelivered) == ("2", False)
            assert one.get(queue) is None

    await in_thread(client)


async def test_a_wrong_password_is_refused(platform: Platform, connect: Connect) -> None:
    def client() -> int:
        return code_of(lambda: connect(replace(platform.address, password="wrong token")))

    assert await in_thread(client) == 403


async def test_ones_own_queue_is_all_that_can_be_read(platform: Platform, connect: Connect) -> None:
    own, others, missing = platform.address.queue, platform.address.others_queue, platform.address.missing_queue

    def client() -> list[int]:
        with connected(connect, platform) as one:
            codes = []
            for refused in (
                lambda: one.consume(others),
                lambda: one.get(others),
                lambda: one.consume(missing),
                lambda: one.look(missing),
                lambda: one.declare("mine"),
                lambda: one.publish(own),
            ):
                codes.append(code_of(refused))
                one.reopen()
            assert one.get(own) is None
            return codes

    assert await in_thread(client) == [403, 403, 404, 404, 403, 403]


def code_of(refused: Callable[[], object]) -> int:
    with pytest.raises(Refused) as raised:
        refused()
    return raised.value.code
