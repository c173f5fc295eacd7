"""Each test of this folder runs against both brokers, and where it says `connect`, with both clients."""

import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from fiksmelding.simulator.pki import Authority
from support.amqp_clients import Connect, PikaClient, PyAmqpClient
from support.broker_platforms import Platform, embedded_platform, rabbit_platform
from support.embedded_broker import server_tls
from support.rabbitmq import Node, rabbitmq

EMBEDDED, RABBITMQ = "embedded", "rabbitmq"


@pytest.fixture(scope="session")
def broker_folder(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds `server.pem`, `server.key` and `roots.pem`."""
    folder = tmp_path_factory.mktemp("broker")
    (folder / "roots.pem").write_bytes(authority.roots_pem)
    return folder


@pytest.fixture(scope="session")
def broker_tls(authority: Authority, broker_folder: Path) -> ssl.SSLContext:
    return server_tls(authority.server("127.0.0.1", "localhost"), broker_folder)


@pytest.fixture(scope="session")
def rabbitmq_node(broker_tls: ssl.SSLContext, broker_folder: Path) -> Iterator[Node]:
    with rabbitmq(broker_folder) as node:
        yield node


@pytest.fixture(params=[EMBEDDED, RABBITMQ])
async def platform(
    request: pytest.FixtureRequest, broker_tls: ssl.SSLContext, broker_folder: Path
) -> AsyncIterator[Platform]:
    roots = str(broker_folder / "roots.pem")
    client_tls = ssl.create_default_context(cafile=roots)
    if request.param == EMBEDDED:
        made = embedded_platform(broker_tls, client_tls, roots)
    else:
        made = rabbit_platform(request.getfixturevalue("rabbitmq_node"), client_tls, roots)
    async with made as platform:
        yield platform


@pytest.fixture(params=[PikaClient, PyAmqpClient], ids=["pika", "py-amqp"])
def connect(request: pytest.FixtureRequest) -> Connect:
    connect: Connect = request.param
    return connect
