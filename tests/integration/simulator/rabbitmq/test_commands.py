"""The commands: what a RabbitMQ in a container is given, and a simulator that runs on one."""

import asyncio
import stat
import sys
from pathlib import Path

from cryptography import x509
from yarl import URL

from fiksmelding.config import Settings
from fiksmelding.simulator.rabbitmq import RabbitAddress
from support.commands import command, running
from support.rabbitmq import Node


async def test_configuration_certificate_and_addresses_are_written(tmp_path: Path) -> None:
    options = ["--api-port", "8088", "--api-host", "host.docker.internal", "--port", "5600"]
    done = await command("simulator", "rabbitmq", "--dir", tmp_path, *options)
    assert done.status == 0, done.complaints

    folder = tmp_path / "rabbitmq"
    configuration = (folder / "rabbitmq.conf").read_text("utf-8")
    assert "auth_http.user_path = http://host.docker.internal:8088/rabbitmq/user" in configuration
    assert "ssl_options.keyfile = /etc/rabbitmq/server.key" in configuration
    assert "rabbitmq_auth_backend_http" in (folder / "enabled_plugins").read_text("utf-8")
    certificate = x509.load_pem_x509_certificates((folder / "server.pem").read_bytes())[0]
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "host.docker.internal" in names.get_values_for_type(x509.DNSName)

    lines = (folder / "simulator.env").read_text("utf-8").splitlines()
    variables = dict(line.removeprefix("export ").split("=", 1) for line in lines)
    address = RabbitAddress.of(
        variables["FIKSMELDING_SIMULATOR_AMQP_URL"], variables["FIKSMELDING_SIMULATOR_AMQP_ADMIN"]
    )
    assert address is not None
    assert (address.host, address.port) == ("localhost", 5600)
    assert f"default_pass = {address.password}\n" in configuration
    assert address.password not in done.out
    if sys.platform != "win32":
        for secret in ("rabbitmq.conf", "server.key", "simulator.env"):
            assert stat.S_IMODE((folder / secret).stat().st_mode) == 0o600


async def test_a_simulator_of_the_command_runs_on_a_rabbitmq(rabbitmq_node: Node, tmp_path: Path) -> None:
    given = rabbitmq_node.simulator
    port = str(given["api_port"])
    roots = rabbitmq_node.roots
    url = str(URL(given["amqp_url"]).with_query(cafile=str(roots)))
    words = ("simulator", "--dir", tmp_path, "--api-port", port, "--amqp-url", url, "--amqp-admin", given["amqp_admin"])
    async with running(*words) as process:
        assert process.stdout is not None
        ready = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        settings = Settings.load(tmp_path / "settings-bergen.toml", environment={})
    assert ready.startswith("ready: ")
    assert "@" not in ready
    assert f"amqp=amqps://127.0.0.1:{settings.broker.port} " in ready
    assert settings.broker.ca_file == roots
