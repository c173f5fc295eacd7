"""TLS for the broker's tests."""

import ssl

import pytest

from fiksmelding.simulator.pki import Authority
from support.embedded_broker import server_tls


@pytest.fixture(scope="session")
def broker_tls(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return server_tls(authority.server("127.0.0.1", "localhost"), tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def client_tls(authority: Authority) -> ssl.SSLContext:
    return ssl.create_default_context(cadata=authority.roots_pem.decode())
