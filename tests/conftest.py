"""Fixtures for every test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from fiksmelding.simulator import Keys, Simulator
from fiksmelding.simulator.pki import Authority, Credential
from support.rabbitmq import EMBEDDED, Node, rabbitmq


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let what shares a cluster come first: pytest-xdist gives it to one worker then, and no other takes it away.

    Other workers take from the end of what a worker still has to do; two would start a cluster each.
    """
    items.sort(key=lambda item: not (isinstance(item, pytest.Function) and "cluster" in item.fixturenames))


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


@pytest.fixture(scope="session")
def rabbitmq_node(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """One RabbitMQ for all tests of the run that need it; a simulator on it begins with empty queues."""
    with rabbitmq(keys, tmp_path_factory.mktemp("rabbitmq")) as node:
        yield node


@pytest.fixture
def simulator(request: pytest.FixtureRequest, keys: Keys, tmp_path: Path) -> Simulator:
    """A simulator, not yet running; a test marked `on_either_broker` gets it on RabbitMQ too."""
    if getattr(request, "param", EMBEDDED) == EMBEDDED:
        return Simulator(folder=tmp_path / "fiks", keys=keys)
    node: Node = request.getfixturevalue("rabbitmq_node")
    return Simulator(folder=tmp_path / "fiks", keys=keys, **node.simulator)


@pytest.fixture
async def fiks(simulator: Simulator) -> AsyncIterator[Simulator]:
    """A running simulator."""
    async with simulator as running:
        yield running
