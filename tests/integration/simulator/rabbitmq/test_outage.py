"""RabbitMQ goes down and comes back: what the platform has taken is neither lost nor, once confirmed, doubled."""

import asyncio
from collections import Counter

import pytest

from fiksmelding.errors import BrokerUnavailable
from fiksmelding.simulator import Keys, Simulator
from support.platform_client import PlatformClient
from support.rabbitmq import Node, Program
from support.roads import privat_json

PRIVAT_V2 = "no.ks.fiks.bekymringsmelding.privat.v2"
MOTTATT = "no.ks.fiks.bekymringsmelding.mottatt.v1"
RESENT = "not confirmed"


@pytest.fixture
def simulator(rabbitmq_node: Node, keys: Keys) -> Simulator:
    return Simulator(keys=keys, **rabbitmq_node.simulator)


@pytest.fixture
def program(rabbitmq_node: Node) -> Program:
    if rabbitmq_node.program is None:
        pytest.skip("only a RabbitMQ of our own may be killed: unset FIKSMELDING_TEST_RABBITMQ_URL")
    return rabbitmq_node.program


def put(fiks: Simulator, number: int) -> None:
    fiks.put_on_queue("bergen", headers={"melding-id": str(number), "type": "t"}, body=bytes(1000))


async def all_on_queue(fiks: Simulator) -> list[str]:
    async with PlatformClient(fiks) as bergen:
        password = await bergen.password()

        def read() -> list[str]:
            arrived = []
            channel = bergen.connect(password).channel()
            while (got := channel.basic_get(bergen.party.account.queue, auto_ack=True))[0]:
                arrived.append(got[1].headers["melding-id"])
            channel.connection.close()
            return arrived

        return await asyncio.to_thread(read)


async def test_messages_taken_around_a_crash_are_all_on_the_queue(
    fiks: Simulator, program: Program, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(30):
        put(fiks, number)
    await fiks.platform.broker.state(fiks.party("bergen").account.queue)
    for number in range(30, 300):
        put(fiks, number)
    await asyncio.sleep(0)  # Some are under way, none is confirmed.
    await asyncio.to_thread(program.kill)
    for number in range(300, 330):
        put(fiks, number)
    await asyncio.to_thread(program.start)

    await settled(fiks)
    again = sum(RESENT in message for message in caplog.messages)
    arrived = Counter(await all_on_queue(fiks))

    assert set(arrived) == {str(number) for number in range(330)}
    assert sum(arrived.values()) - len(arrived) <= again
    assert all(arrived[str(number)] == 1 for number in range(30))


async def test_a_report_s_road_goes_on_after_a_crash(fiks: Simulator, program: Program) -> None:
    report_id = await fiks.submit(privat_json(), message_type=PRIVAT_V2)
    async with PlatformClient(fiks) as bergen:
        await fiks.platform.broker.state(bergen.party.account.queue)
        await asyncio.to_thread(program.kill)
        status, _ = await bergen.get(f"/fiks-io/katalog/api/v1/kontoer/{bergen.party.account.id}/status")
        with pytest.raises(BrokerUnavailable):
            await fiks.sever_connections()
        later = await fiks.submit(privat_json(), message_type=PRIVAT_V2)
        await asyncio.to_thread(program.start)
        await settled(fiks)
        for _ in range(2):
            await bergen.answer(await bergen.receive(), MOTTATT)
    assert status == 503
    for one in (report_id, later):
        assert len((await fiks.wait_for(one, "LEVERT", timeout=20)).receipts) == 1


async def settled(fiks: Simulator) -> None:
    """Wait until RabbitMQ is back and has all that was kept for it."""
    async with asyncio.timeout(40):
        while True:
            try:
                await fiks.account_states()
            except BrokerUnavailable:
                await asyncio.sleep(0.1)  # There is no event for a node that has come back.
            else:
                return
