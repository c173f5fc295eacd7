from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fiksmelding.simulator import Keys, Simulator
from fiksmelding.simulator.pki import Authority


@pytest.fixture(scope="session")
def keys(authority: Authority) -> Keys:
    """Every simulator of the run shares its keys: making them is slow."""
    return Keys(authority)


@pytest.fixture
async def fiks(keys: Keys, tmp_path: Path) -> AsyncIterator[Simulator]:
    async with Simulator(folder=tmp_path / "fiks", keys=keys) as running:
        yield running
