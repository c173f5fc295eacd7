from collections.abc import AsyncIterator

import pytest

from fiksmelding.simulator import Keys, Simulator
from fiksmelding.simulator.pki import Authority
from support.platform_client import PlatformClient


@pytest.fixture(scope="session")
def keys(authority: Authority) -> Keys:
    return Keys(authority)


@pytest.fixture
async def fiks(keys: Keys) -> AsyncIterator[Simulator]:
    async with Simulator(keys=keys) as fiks:
        yield fiks


@pytest.fixture
async def bergen(fiks: Simulator) -> AsyncIterator[PlatformClient]:
    async with PlatformClient(fiks) as client:
        yield client
