"""RabbitMQ nodes that form a cluster on this machine, each of which a test may kill, start again and command."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.rabbitmq import HOST, QUIET, Program, free_port

USER, PASSWORD = "administrator", "of this cluster only"
CONFIGURATION = """
listeners.tcp.default = {host}:{port}
default_user = {user}
default_pass = {password}
default_user_tags.administrator = true
cluster_partition_handling = ignore
cluster_formation.peer_discovery_backend = classic_config
"""
# What is due is looked at every second, not every minute.
IMPATIENT = "[{rabbit, [{channel_tick_interval, 1000}]}].\n"


class ClusterNode(Program):
    """One node.

    Args:
        name: Its Erlang name.
        folder: Takes its data.
        peers: The names of all nodes.
        shared: The part of the environment that all nodes have in common.
    """

    def __init__(self, name: str, folder: Path, peers: list[str], shared: dict[str, str]) -> None:
        folder.mkdir()
        advanced = folder / "advanced.config"
        own = {
            "RABBITMQ_NODENAME": name,
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(advanced),
            # Several nodes share a few cores with the tests: they are not to spin while they wait.
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+sbwt none +sbwtdcpu none +sbwtdio none",
        }
        super().__init__(folder, shared | own)
        self.port = free_port()
        nodes = [f"cluster_formation.classic_config.nodes.{number} = {peer}\n" for number, peer in enumerate(peers, 1)]
        settings = CONFIGURATION.format(host=HOST, port=self.port, user=USER, password=PASSWORD)
        (folder / "rabbitmq.conf").write_text("".join([settings, *nodes, QUIET]))
        (folder / "enabled_plugins").write_text("[].\n")
        advanced.write_text(IMPATIENT)

    @property
    def address(self) -> str:
        """Where clients connect."""
        return f"{HOST}:{self.port}"


@contextmanager
def rabbitmq_cluster(folder: Path, size: int = 3) -> Iterator[list[ClusterNode]]:
    """Run a cluster; skips where RabbitMQ is not installed."""
    cookie = folder / ".erlang.cookie"
    cookie.write_text("of-this-cluster-only")
    cookie.chmod(0o400)
    shared = {"HOME": str(folder), "ERL_EPMD_PORT": str(free_port())}
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
        nodes[0].end_port_mapper()
