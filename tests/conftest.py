"""Fixtures for every test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fiksmelding.simulator import Keys, Simulator
from fiksmelding.simulator.pki import Authority, Credential


@pytest.fixture(scope="session")
def authority() -> Authority:
    """One certificate authority for the whole run: making keys is slow."""
    return Authority.new()


@pytest.fixture(scope="session")
def sender_credential(authority: Authority) -> Credential:
    """The business certificate of the one who seals and signs."""
    return authority.business("974760673", "Bergen skole (test)")


@pytest.fixture(scope="session")
def recipient_credential(authority: Authority) -> Credential:
    """The business certificate of the one it is sealed for."""
    return authority.business("964338531", "Bergen kommune (test)")


@pytest.fixture(scope="session")
def keys(authority: Authority) -> Keys:
    """What all simulators of the run share."""
    return Keys(authority)


@pytest.fixture
async def fiks(keys: Keys, tmp_path: Path) -> AsyncIterator[Simulator]:
    """A running simulator."""
    async with Simulator(folder=tmp_path / "fiks", keys=keys) as running:
        yield running
