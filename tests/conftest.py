"""Fixtures for every test."""

import pytest

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
