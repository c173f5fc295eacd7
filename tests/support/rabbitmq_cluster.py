"""RabbitMQ nodes that form a cluster on this machine, each of which a test may kill, start again and command."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.rabbitmq import installed
from support.tools import required

HOST = "127.0.0.1"
USER, PASSWORD = "administrator", "of this cluster only"
READY = "completed with"
CONFIGURATION = """
listeners.tcp.default = {host}:{port}
default_user = {user}
default_pass = {password}
default_user_tags.administrator = true
log.file = false
log.console = false
cluster_partition_handling = ignore
cluster_formation.peer_discovery_backend = classic_config
"""
# What is due is looked at every second, not every minute.
IMPATIENT = "[{rabbit, [{channel_tick_interval, 1000}]}].\n"


class ClusterNode:
    """One node.

    Args:
        name: Its Erlang name.
        folder: Takes its data.
        peers: The names of all nodes.
        shared: The part of the environment that all nodes have in common.
    """

    def __init__(self, name: str, folder: Path, peers: list[str], shared: dict[str, str]) -> None:
        self.name = name
        self.port = free_port()
        self._process: subprocess.Popen[str] | None = None
        folder.mkdir()
        nodes = [f"cluster_formation.classic_config.nodes.{number} = {peer}\n" for number, peer in enumerate(peers, 1)]
        settings = CONFIGURATION.format(host=HOST, port=self.port, user=USER, password=PASSWORD)
        (folder / "rabbitmq.conf").write_text(settings + "".join(nodes))
        (folder / "advanced.config").write_text(IMPATIENT)
        (folder / "enabled_plugins").write_text("[].\n")
        self._environment = {
            **os.environ,
            **shared,
            "RABBITMQ_NODENAME": name,
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_DIST_PORT": str(free_port()),
            # Several nodes share a few cores with the tests: they are not to spin while they wait.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
        }

    @property
    def address(self) -> str:
        """Where clients connect."""
        return f"{HOST}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether it was started and not killed since."""
        return self._process is not None

    def begin_to_start(self) -> None:
        """Start it; see `await_start`."""
        self._process = subprocess.Popen(
            [_script("rabbitmq-server")],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
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
        pytest.fail(f"{self.name} did not start: " + "".join(printed[-30:]))

    def start(self) -> None:
        """Start it again; it is ready when this returns."""
        self.begin_to_start()
        self.await_start()

    def kill(self) -> None:
        """SIGKILL: as when its machine loses power."""
        process, self._process = self._process, None
        if process is not None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()

    def control(self, *command: str) -> str:
        """Run `rabbitmqctl` on it; returns what it printed."""
        done = subprocess.run(
            [_script("rabbitmqctl"), "--quiet", *command],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"rabbitmqctl {command[0]}: {done.stdout}"
        return done.stdout


@contextmanager
def rabbitmq_cluster(folder: Path, size: int = 3) -> Iterator[list[ClusterNode]]:
    """Run a cluster; skips where RabbitMQ is not installed."""
    if not installed():
        text = "RabbitMQ is not installed; to run this test: apt install rabbitmq-server"
        if required():
            pytest.fail(text)
        pytest.skip(text)
    cookie = folder / ".erlang.cookie"
    cookie.write_text("of-this-cluster-only")
    cookie.chmod(0o400)
    shared = {"HOME": str(folder), "ERL_EPMD_PORT": str(free_port()), "ERL_EPMD_ADDRESS": HOST}
    names = [f"fiksmelding{os.getpid()}n{number}@localhost" for number in range(size)]
    nodes = [ClusterNode(name, folder / name.split("@")[0], names, shared) for name in names]
    try:
        for node in nodes:
            node.begin_to_start()
        for node in nodes:
            node.await_start()
        yield nodes
    finally:
        for node in nodes:
            node.kill()
        program = shutil.which("epmd")
        if program:
            subprocess.run([program, "-kill"], env={**os.environ, **shared}, capture_output=True, check=False)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        port: int = found.getsockname()[1]
        return port


def _script(name: str) -> str:
    return str(installed()[-1].with_name(name))
