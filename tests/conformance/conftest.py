"""Each test of this folder runs against both brokers, and where it says `connect`, with both clients."""

from collections.abc import AsyncIterator

import pytest

from fiksmelding.simulator import Simulator
from support.amqp_clients import Connect, PikaClient, PyAmqpClient
from support.broker_platforms import Platform, platform_of


@pytest.fixture
async def platform(simulator: Simulator) -> AsyncIterator[Platform]:
    async with platform_of(simulator) as platform:
        yield platform


@pytest.fixture(params=[PikaClient, PyAmqpClient], ids=["pika", "py-amqp"])
def connect(request: pytest.FixtureRequest) -> Connect:
    connect: Connect = request.param
    return connect
