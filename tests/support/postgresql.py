"""A PostgreSQL of our own for the run of the tests: started from installed binaries, gone afterwards."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from support.tools import required

URL_VARIABLE = "FIKSMELDING_TEST_POSTGRESQL_URL"
HOW_TO_GET = f"PostgreSQL is not installed; to run this test: apt install postgresql, or set {URL_VARIABLE}"
USER = "postgres"


@dataclass(frozen=True)
class Server:
    """A running server and how to reach it.

    Attributes:
        url: A database in which databases may be made.
        data: Its data, when it is ours.
    """

    url: str
    data: Path | None = None

    def crash(self) -> None:
        """End the server without letting it put anything in order; it is gone when this returns."""
        assert self.data is not None, "only a server of our own may be ended"
        command = [*_as_server(), program("pg_ctl"), "stop", "-D", str(self.data), "-m", "immediate"]
        subprocess.run(command, check=False, capture_output=True, cwd=self.data.parent)

    def database(self, name: str) -> str:
        """The URL of another database on it."""
        base, _, options = self.url.partition("?")
        return f"{base.rsplit('/', 1)[0]}/{name}" + (f"?{options}" if options else "")


@contextmanager
def server() -> Iterator[Server]:
    """The server given by the environment, or one of our own; skips where there is neither."""
    given = os.environ.get(URL_VARIABLE)
    if given:
        yield Server(given)
        return
    with tempfile.TemporaryDirectory(prefix="fiksmelding-postgresql-") as folder, started(Path(folder)) as ours:
        yield ours


@contextmanager
def started(folder: Path, port: int | None = None) -> Iterator[Server]:
    """A server with its data in `folder`; what is there already is used again, as after a crash."""
    initdb, postgres = program("initdb"), program("postgres")
    data, port = folder / "data", port or free_port()
    _give_to_server(folder)
    if not data.exists():
        made = (initdb, "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        subprocess.run([*_as_server(), *map(str, made)], check=True, capture_output=True, cwd=folder)
    options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "on"}
    words = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
    command = [*_as_server(), postgres, "-D", str(data), *words]
    ours = Server(f"postgresql://{USER}@127.0.0.1:{port}/postgres", data)
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        _wait_until_ready(process, port, folder / "log")
        yield ours
    finally:
        if process.poll() is None:
            ours.crash()
        process.wait(timeout=30)


class Databases:
    """Makes databases on a server, each a copy of one that is made once.

    Args:
        server: Where.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._prefix = f"fiksmelding_{os.getpid()}"
        self._numbers = count(1)
        self.template = f"{self._prefix}_template"

    def make(self, template: str = "template0") -> str:
        """Make a database; returns its URL."""
        name = f"{self._prefix}_{next(self._numbers)}"
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self._server.database(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever still uses it."""
        name = url.partition("?")[0].rsplit("/", 1)[1]
        self.run(f'DROP DATABASE "{name}" WITH (FORCE)')

    def run(self, statement: str) -> None:
        """Run a statement of the server's."""
        run(self._server.url, statement)


def run(url: str, statement: str) -> None:
    """Run a statement in a database."""

    async def statements() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    in_own_loop(statements())


def in_own_loop(work: Coroutine[object, object, None]) -> None:
    """Run something asynchronous from a fixture that is not, whatever loop the test has."""
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415

    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, work).result()


def program(name: str) -> str:
    """One of the programs that come with PostgreSQL; skips where it is not installed."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: folder.parent.name, reverse=True)
    # Debian keeps PostgreSQL's programs, and an ordinary user's path often /usr/sbin, out of the way.
    places = [*map(str, folders), os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]
    path = shutil.which(name, path=os.pathsep.join(places))
    if path is None:
        if required():
            pytest.fail(HOW_TO_GET)
        pytest.skip(HOW_TO_GET)
    return path


def _as_server() -> list[str]:
    """PostgreSQL refuses to run as root."""
    return [program("runuser"), "-u", USER, "--"] if _is_root() else []


def _give_to_server(folder: Path) -> None:
    if _is_root():
        shutil.chown(folder, USER)


def _is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Ask until it answers: `pg_isready` waits for an answer by itself, but not for the port to be open."""
    command = [program("pg_isready"), "-h", "127.0.0.1", "-p", str(port), "-t", "30", "-q"]
    for _ in range(600):
        if subprocess.run(command, check=False).returncode == 0:
            return
        if process.poll() is not None:
            break
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
    pytest.fail(f"PostgreSQL did not start: {log.read_text(errors='replace')[-2000:]}")
