"""A RabbitMQ's configuration that fits the simulator: TLS, an administrator, and log-in answered by the simulator."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr

from fiksmelding.simulator.files import write_private
from fiksmelding.simulator.keys import Keys

__all__ = ["ADMINISTRATOR", "QUESTIONS_PATH", "NodeConfiguration", "write_configuration"]

ADMINISTRATOR = "fiksmelding"
QUESTIONS_PATH = "/rabbitmq"
PLUGINS = "[rabbitmq_auth_backend_http,rabbitmq_management]."
CONFIGURATION = """\
# Clients come over TLS, as on the platform.
listeners.tcp = none
listeners.ssl.default = {address}{port}
ssl_options.certfile = {seen_at}/server.pem
ssl_options.keyfile = {seen_at}/server.key
ssl_options.verify = verify_none
ssl_options.versions.1 = tlsv1.2
management.tcp.port = {admin_port}{admin_ip}
# Everyone but the administrator is whom the simulator says.
default_user = {user}
default_pass = {password}
default_user_tags.administrator = true
auth_backends.1 = internal
auth_backends.2 = http
auth_http.http_method = post
auth_http.user_path = {questions}/user
auth_http.vhost_path = {questions}/vhost
auth_http.resource_path = {questions}/resource
auth_http.topic_path = {questions}/topic
"""


@dataclass(frozen=True, slots=True)
class NodeConfiguration:
    """What a node is to be like.

    Attributes:
        api_url: The simulator's API, as RabbitMQ reaches it.
        port: The AMQPS port.
        admin_port: The management API's port.
        host: The address to listen on; every one when None, as in a container.
        names: What clients may call it, beside localhost and 127.0.0.1.
        seen_at: The folder, as RabbitMQ sees it.
    """

    api_url: str
    port: int = 5671
    admin_port: int = 15672
    host: str | None = None
    names: tuple[str, ...] = ()
    seen_at: str = "/etc/rabbitmq"


def write_configuration(folder: Path, node: NodeConfiguration, keys: Keys) -> SecretStr:
    """Write `rabbitmq.conf`, `enabled_plugins`, and a certificate from the simulator's own authority.

    Returns:
        The password of `ADMINISTRATOR`.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    certificate = keys.server("localhost", "127.0.0.1", *node.names)
    password = keys.password("rabbitmq")
    write_private(folder / "server.key", certificate.key_pem)
    (folder / "server.pem").write_bytes(certificate.certificate_pem)
    (folder / "enabled_plugins").write_text(PLUGINS + "\n", "utf-8")
    configuration = CONFIGURATION.format(
        address="" if node.host is None else f"{node.host}:",
        port=node.port,
        seen_at=node.seen_at,
        admin_port=node.admin_port,
        admin_ip="" if node.host is None else f"\nmanagement.tcp.ip = {node.host}",
        user=ADMINISTRATOR,
        password=password.get_secret_value(),
        questions=node.api_url.rstrip("/") + QUESTIONS_PATH,
    )
    write_private(folder / "rabbitmq.conf", configuration.encode())
    return password
