"""Who may log in to RabbitMQ, and what for: the simulator answers what RabbitMQ asks."""

import asyncio
from datetime import timedelta

import pika
import pika.exceptions
import pytest
from yarl import URL

from fiksmelding.errors import BrokerAccessRefused, BrokerUnavailable, SettingsError
from fiksmelding.simulator import Keys, Simulator
from support.platform_client import PlatformClient
from support.rabbitmq import Node, OnRabbit, free_port

PATH = "/rabbitmq"


@pytest.fixture
def simulator(rabbitmq_node: Node, keys: Keys) -> Simulator:
    return Simulator(keys=keys, **rabbitmq_node.simulator)


async def ask(client: PlatformClient, question: str, **fields: str) -> str:
    async with client.http.post(f"{PATH}/{question}", data=fields) as response:
        assert response.status == 200
        return await response.text()


async def test_only_reading_ones_own_queue_is_allowed(fiks: Simulator) -> None:
    async with PlatformClient(fiks) as bergen:
        user = str(bergen.party.integration.id)
        own, others = (fiks.party(name).account.queue for name in ("bergen", "oslo"))
        right = {"username": user, "vhost": "/", "resource": "queue", "name": own, "permission": "read"}

        assert await ask(bergen, "resource", **right) == "allow"
        for wrong in (
            {"name": others},
            {"name": "fiksmelding.dead-letters"},
            {"permission": "write"},
            {"permission": "configure"},
            {"resource": "exchange"},
            {"vhost": "other"},
            {"username": "nobody"},
            {"username": str(fiks.party("oslo").integration.id)},
        ):
            assert await ask(bergen, "resource", **{**right, **wrong}) == "deny"
        assert await ask(bergen, "topic", **right) == "deny"
        assert await ask(bergen, "resource") == "deny"


async def test_a_login_is_checked_as_over_http(fiks: Simulator) -> None:
    async with PlatformClient(fiks) as bergen, PlatformClient(fiks, "oslo") as oslo:
        user = str(bergen.party.integration.id)

        assert await ask(bergen, "user", username=user, password=await bergen.password()) == "allow"
        assert await ask(bergen, "user", username=user, password=await oslo.password()) == "deny"
        assert await ask(bergen, "user", username=user, password=await bergen.token()) == "deny"
        assert await ask(bergen, "user", username=user) == "deny"
        assert await ask(bergen, "vhost", username=user, vhost="/") == "allow"
        assert await ask(bergen, "vhost", username=user, vhost="other") == "deny"
        assert await ask(bergen, "vhost", username="nobody", vhost="/") == "deny"


async def test_an_expired_token_is_no_password(fiks: Simulator) -> None:
    async with PlatformClient(fiks) as bergen:
        password = await bergen.password()
        fiks.clock.advance(timedelta(minutes=3))
        with pytest.raises(pika.exceptions.AMQPConnectionError):
            await asyncio.to_thread(bergen.connect, password)


async def test_a_rabbitmq_that_does_not_ask_the_simulator_is_found_out_at_once(keys: Keys, rabbitmq_node: Node) -> None:
    elsewhere = OnRabbit({**rabbitmq_node.simulator, "api_port": 0})
    with pytest.raises(SettingsError, match="does not ask the simulator"):
        async with Simulator(keys=keys, **elsewhere):
            pass


async def test_two_simulators_cannot_share_one_rabbitmq(fiks: Simulator, keys: Keys, rabbitmq_node: Node) -> None:
    with pytest.raises(SettingsError, match="Another simulator"):
        async with Simulator(keys=keys, **OnRabbit({**rabbitmq_node.simulator, "api_port": 0})):
            pass
    assert len(await fiks.account_states()) == len(fiks.accounts)


async def test_a_wrong_administrator_or_address_is_told(keys: Keys, rabbitmq_node: Node) -> None:
    given = rabbitmq_node.simulator
    password = str(URL(given["amqp_url"]).password)
    closed = f"127.0.0.1:{free_port()}"
    amqp_url, amqp_admin = given["amqp_url"], given["amqp_admin"]
    mistakes: list[tuple[type[Exception], str, str]] = [
        (BrokerAccessRefused, amqp_url.replace(password, "wrong"), amqp_admin),
        (BrokerUnavailable, amqp_url, amqp_admin.replace(password, "wrong")),
        (BrokerUnavailable, f"amqps://a:b@{closed}", amqp_admin),
        (BrokerUnavailable, amqp_url, f"http://a:b@{closed}"),
    ]
    for kind, url, admin in mistakes:
        with pytest.raises(kind):
            async with Simulator(keys=keys, amqp_url=url, amqp_admin=admin):
                pass


async def test_what_an_earlier_run_left_is_gone_and_its_clients_are_sent_away(keys: Keys, rabbitmq_node: Node) -> None:
    async with Simulator(keys=keys, **rabbitmq_node.simulator) as first, PlatformClient(first) as bergen:
        for _ in range(2):
            first.put_on_queue("bergen", headers={"melding-id": "old"})
        password = await bergen.password()
        connection = await asyncio.to_thread(bergen.connect, password)
        await first.account_states()
        held = await asyncio.to_thread(connection.channel().basic_get, bergen.party.account.queue)
        assert held[0] is not None
    async with Simulator(keys=keys, **rabbitmq_node.simulator) as second:
        assert [state.queue.waiting for state in await second.account_states()] == [0] * len(second.accounts)
    with pytest.raises(pika.exceptions.ConnectionClosedByBroker):
        await asyncio.to_thread(connection.process_data_events, 10)
