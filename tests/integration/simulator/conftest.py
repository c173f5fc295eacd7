from collections.abc import AsyncIterator

import pytest

from fiksmelding.simulator import Simulator
from support.platform_client import PlatformClient


@pytest.fixture
async def bergen(fiks: Simulator) -> AsyncIterator[PlatformClient]:
    async with PlatformClient(fiks) as client:
        yield client
