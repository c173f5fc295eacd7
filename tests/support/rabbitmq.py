"""A RabbitMQ node for the run's tests: one of our own on free ports, or one that the environment names."""

import os
import random
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import pytest
from yarl import URL

from fiksmelding.simulator import Keys
from fiksmelding.simulator.rabbitmq.configuration import ADMINISTRATOR, NodeConfiguration, write_configuration
from support.tools import required

URL_VARIABLE = "FIKSMELDING_TEST_RABBITMQ_URL"
ADMIN_VARIABLE = "FIKSMELDING_TEST_RABBITMQ_ADMIN"
API_PORT_VARIABLE = "FIKSMELDING_TEST_RABBITMQ_API_PORT"
HOW_TO_GET = (
    f"RabbitMQ is not installed; to run this test: apt install rabbitmq-server, or set {URL_VARIABLE}, "
    f"(with ?cafile=), {ADMIN_VARIABLE}, and {API_PORT_VARIABLE} to the port that its auth_http.user_path names"
)
HOST = "127.0.0.1"
BROKERS = EMBEDDED, RABBITMQ = "embedded", "rabbitmq"
on_either_broker = pytest.mark.parametrize("simulator", BROKERS, indirect=True)
"""Runs a test twice: its simulator, or `fiks`, on the embedded broker and on RabbitMQ."""
READY = "completed with"
QUIET = "log.file = false\nlog.console = false\n"


class OnRabbit(TypedDict):
    """What a `Simulator` needs to run on a node."""

    api_port: int
    amqp_url: str
    amqp_admin: str


@dataclass(frozen=True)
class Node:
    """A node. One simulator at a time runs on it, and begins with empty queues.

    Attributes:
        simulator: What a `Simulator` is given to run on it.
        roots: The PEM file that its certificate chains to.
        program: How it is run, when it is our own.
    """

    simulator: OnRabbit
    roots: Path
    program: "Program | None" = None


class Program:
    """The server as a program with its data in a folder.

    Args:
        folder: Holds its configuration.
        environment: What is different from a node that stands alone.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self._command = [str(_server_script())]
        self._folder = folder
        self._environment = {**_environment(folder), **(environment or {})}
        self._process: subprocess.Popen[str] | None = None

    @property
    def running(self) -> bool:
        """Whether it was started and not killed since."""
        return self._process is not None

    def start(self) -> None:
        """Start it; it is ready when this returns."""
        self.begin_to_start()
        self.await_start()

    def begin_to_start(self) -> None:
        """Start it; see `await_start`."""
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            cwd=self._folder,  # Where it leaves a dump, should it crash.
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # The script starts others, which end with it.
        )

    def await_start(self) -> None:
        """Return when it is ready."""
        assert self._process is not None
        assert self._process.stdout is not None
        printed = []
        for line in self._process.stdout:
            if READY in line:
                return
            printed.append(line)
        pytest.fail("RabbitMQ did not start: " + "".join(printed[-30:]))

    def kill(self) -> None:
        """End it as a power cut does; what it had confirmed is on disk."""
        if self._process is None:
            return
        process, self._process = self._process, None
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    def stop(self) -> None:
        """Ask it to stop, as a service manager does, and wait until it has."""
        if self._process is None:
            return
        process, self._process = self._process, None
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate()

    def control(self, *command: str) -> str:
        """Run `rabbitmqctl` on it; returns what it printed."""
        done = subprocess.run(
            [str(_server_script().with_name("rabbitmqctl")), "--quiet", *command],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"rabbitmqctl {command[0]}: {done.stdout}"
        return done.stdout

    def end_port_mapper(self) -> None:
        """End the epmd that the node started on its own port; it ends only where no node is left."""
        program = shutil.which("epmd")
        if program:
            subprocess.run([program, "-kill"], env=self._environment, capture_output=True, check=False)


@contextmanager
def rabbitmq(keys: Keys, folder: Path) -> Iterator[Node]:
    """The node that the environment names, or one of our own; skips where there is neither."""
    given = os.environ.get(URL_VARIABLE)
    if given:
        api_port = int(os.environ[API_PORT_VARIABLE])
        roots = Path(URL(given).query["cafile"])
        yield Node(OnRabbit(api_port=api_port, amqp_url=given, amqp_admin=os.environ[ADMIN_VARIABLE]), roots)
        return
    program = Program(folder)
    port, admin_port, api_port = free_port(), free_port(), _port_for_api()
    configuration = NodeConfiguration(
        f"http://{HOST}:{api_port}", port=port, admin_port=admin_port, host=HOST, seen_at=str(folder)
    )
    password = write_configuration(folder, configuration, keys).get_secret_value()
    with (folder / "rabbitmq.conf").open("a") as file:
        file.write(QUIET)
    roots = folder / "roots.pem"
    roots.write_bytes(keys.authority.roots_pem)
    login = f"{ADMINISTRATOR}:{password}@{HOST}"
    try:
        program.start()
        amqp_url, amqp_admin = f"amqps://{login}:{port}", f"http://{login}:{admin_port}"
        yield Node(OnRabbit(api_port=api_port, amqp_url=amqp_url, amqp_admin=amqp_admin), roots, program)
    finally:
        program.kill()
        program.end_port_mapper()


def installed() -> list[Path]:
    """The server scripts of the RabbitMQ versions on this machine, oldest first."""
    # Not the wrapper on the path: it changes user, and then cannot write where we tell it to.
    return sorted(Path("/usr/lib/rabbitmq/lib").glob("rabbitmq_server-*/sbin/rabbitmq-server"))


def _server_script() -> Path:
    found = installed()
    if not found:
        if required():
            pytest.fail(HOW_TO_GET)
        pytest.skip(HOW_TO_GET)
    return found[-1]


def _environment(folder: Path) -> dict[str, str]:
    own = {
        "HOME": str(folder),
        "RABBITMQ_NODENAME": f"fiksmelding{os.getpid()}@localhost",
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
        "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_DIST_PORT": str(free_port()),
        "ERL_EPMD_PORT": str(free_port()),
        "ERL_EPMD_ADDRESS": HOST,
    }
    return {**os.environ, **own}


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        port: int = found.getsockname()[1]
        return port


def _port_for_api() -> int:
    """A free port for one simulator after the other: below those that the system gives away in between."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as tried, suppress(OSError):
            tried.bind((HOST, port))
            return port
    pytest.fail("No free port was found.")
