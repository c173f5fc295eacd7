from collections.abc import AsyncIterator

import pytest

from support.scripted_broker import ScriptedBroker


@pytest.fixture
async def broker() -> AsyncIterator[ScriptedBroker]:
    async with ScriptedBroker() as broker:
        yield broker
