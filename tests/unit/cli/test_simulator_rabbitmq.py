"""`fiksmelding simulator rabbitmq`: what a RabbitMQ in a container is given."""

import stat
import sys
from pathlib import Path

from cryptography import x509
from typer.testing import CliRunner

from fiksmelding.cli.app import app
from fiksmelding.simulator.rabbitmq import RabbitAddress


def test_configuration_certificate_and_addresses_are_written(tmp_path: Path) -> None:
    options = ["--api-port", "8088", "--api-host", "host.docker.internal", "--port", "5600"]
    done = CliRunner().invoke(app, ["simulator", "rabbitmq", "--dir", str(tmp_path), *options])
    assert done.exit_code == 0, done.output

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
    assert address.password not in done.output
    if sys.platform != "win32":
        for secret in ("rabbitmq.conf", "server.key", "simulator.env"):
            assert stat.S_IMODE((folder / secret).stat().st_mode) == 0o600
