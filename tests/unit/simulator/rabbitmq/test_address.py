"""The addresses of a RabbitMQ, and mistakes in them."""

from pathlib import Path

import pytest

from fiksmelding.errors import SettingsError
from fiksmelding.simulator import Simulator
from fiksmelding.simulator.rabbitmq import RabbitAddress
from fiksmelding.simulator.tls import client_context

URL, ADMIN = "amqps://admin:p%40ss@host:5672", "http://admin:p%40ss@host:15672"


def test_names_passwords_and_ports_are_read() -> None:
    address = RabbitAddress.parse(f"{URL}/?cafile=/roots.pem", ADMIN)
    assert (address.host, address.port, address.user, address.password) == ("host", 5672, "admin", "p@ss")
    assert address.ca_file == Path("/roots.pem")
    assert "p@ss" not in repr(address)
    assert RabbitAddress.parse("amqps://a:b@host", ADMIN).port == 5671


@pytest.mark.parametrize(
    ("amqp_url", "amqp_admin", "told"),
    [
        (URL, None, "one is missing"),
        (None, ADMIN, "one is missing"),
        ("amqp://admin:secret@host", ADMIN, "amqps://"),
        ("amqps://admin:secret@host:99999", ADMIN, "no URL"),
        ("amqps:///", ADMIN, "amqps://"),
        ("amqps://admin:secret@host/other", ADMIN, "virtual host"),
        ("amqps://host", ADMIN, "password"),
        ("amqps://secret@host", ADMIN, "password"),
        (URL, "http://host:15672", "password"),
        (URL, "host:15672", "management API"),
    ],
)
def test_a_mistake_is_named_and_no_password_with_it(amqp_url: str | None, amqp_admin: str | None, told: str) -> None:
    with pytest.raises(SettingsError, match=told) as raised:
        Simulator(amqp_url=amqp_url, amqp_admin=amqp_admin)
    assert "secret" not in str(raised.value)


def test_root_certificates_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    (tmp_path / "roots.pem").write_text("no certificate")
    for name in ("roots.pem", "missing.pem"):
        with pytest.raises(SettingsError, match=name):
            client_context(b"", tmp_path / name)
