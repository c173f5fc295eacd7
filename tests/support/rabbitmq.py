"""A RabbitMQ node of our own, on free ports, that asks us over HTTP who may log in and read."""

import os
import shutil
import socket
import subprocess
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from support.embedded_broker import PASSWORD, USER
from support.tools import required

ADMIN = "administrator"
ADMIN_PASSWORD = "of this node only"
READY = "completed with"
CONFIGURATION = """
listeners.tcp = none
listeners.ssl.default = 127.0.0.1:{port}
ssl_options.certfile = {folder}/server.pem
ssl_options.keyfile = {folder}/server.key
ssl_options.verify = verify_none
ssl_options.versions.1 = tlsv1.2
auth_backends.1 = internal
auth_backends.2 = http
auth_http.http_method = post
auth_http.user_path = {auth}/user
auth_http.vhost_path = {auth}/vhost
auth_http.resource_path = {auth}/resource
auth_http.topic_path = {auth}/topic
default_user = {admin}
default_pass = {admin_password}
default_user_tags.administrator = true
log.file = false
log.console = false
"""


@dataclass
class Node:
    """A running node.

    Attributes:
        port: Its AMQPS port on 127.0.0.1.
        readable: Which queues `USER` may read.
    """

    port: int
    readable: set[str] = field(default_factory=set)


@contextmanager
def rabbitmq(folder: Path) -> Iterator[Node]:
    """Run a node; `folder` holds `server.pem` and `server.key` and takes its data. Skips where it is not installed."""
    node = Node(_free_port())
    with _authentication(node) as auth:
        configuration = CONFIGURATION.format(
            port=node.port, folder=folder, auth=auth, admin=ADMIN, admin_password=ADMIN_PASSWORD
        )
        (folder / "rabbitmq.conf").write_text(configuration)
        (folder / "enabled_plugins").write_text("[rabbitmq_auth_backend_http].")
        environment = _environment(folder)
        with subprocess.Popen(
            [_program()], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            try:
                _await_start(process)
                yield node
            finally:
                process.terminate()
                with suppress(subprocess.TimeoutExpired):
                    process.communicate(timeout=30)
                process.kill()
                _end_port_mapper(environment)


def installed() -> list[Path]:
    """The server scripts of the RabbitMQ versions on this machine, oldest first."""
    # Not the wrapper on the path: it changes user, and then cannot write where we tell it to.
    return sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))


def _program() -> Path:
    found = installed()
    if not found:
        text = "RabbitMQ is not installed; to run this test: apt install rabbitmq-server"
        if required():
            pytest.fail(text)
        pytest.skip(text)
    return found[-1]


def _environment(folder: Path) -> dict[str, str]:
    own = {
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"fiksmelding{os.getpid()}@localhost",
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_DIST_PORT": str(_free_port()),
        "ERL_EPMD_PORT": str(_free_port()),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
    }
    return {**os.environ, **own}


def _await_start(process: "subprocess.Popen[str]") -> None:
    printed = []
    assert process.stdout is not None
    for line in process.stdout:
        if READY in line:
            return
        printed.append(line)
    pytest.fail("RabbitMQ did not start: " + "".join(printed[-30:]))


def _end_port_mapper(environment: dict[str, str]) -> None:
    """End the epmd that the node started on its own port; it ends only where no node is left."""
    program = shutil.which("epmd")
    if program:
        subprocess.run([program, "-kill"], env=environment, capture_output=True, check=False)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextmanager
def _authentication(node: Node) -> Iterator[str]:
    class Handler(_Questions):
        readable: ClassVar[set[str]] = node.readable

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Questions(BaseHTTPRequestHandler):
    """Answers what the plugin rabbitmq_auth_backend_http asks."""

    readable: ClassVar[set[str]]

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        fields = dict(urllib.parse.parse_qsl(asked.decode(), keep_blank_values=True))
        answer = b"allow" if self._allows(fields) else b"deny"
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _allows(self, fields: dict[str, str]) -> bool:
        if fields["username"] != USER:
            return False
        if self.path == "/user":
            return fields.get("password") == PASSWORD
        if self.path == "/resource":
            wanted = (fields["resource"], fields["permission"])
            return wanted == ("queue", "read") and fields["name"] in self.readable
        return self.path == "/vhost" and fields["vhost"] == "/"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (the base class's name for it)
        """Print nothing."""
