from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from fiksmelding.config import JournalSettings
from fiksmelding.journal import Journal
from support.postgresql import Databases, in_own_loop, server


async def _open_once(url: str) -> None:
    async with Journal(JournalSettings(url=url)):
        pass


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """A PostgreSQL server, with a template that holds the journal's tables."""
    with server() as running:
        made = Databases(running)
        made.run(f'CREATE DATABASE "{made.template}" TEMPLATE template0')
        in_own_loop(_open_once(running.database(made.template)))
        yield made
        made.drop(running.database(made.template))


@pytest.fixture
def postgresql_url(databases: Databases) -> Iterator[str]:
    """An empty journal on PostgreSQL."""
    url = databases.make(databases.template)
    yield url
    databases.drop(url)


def url_of(kind: str, request: pytest.FixtureRequest, folder: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{folder}/journal.db"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture(params=["sqlite", "postgresql"])
def at(request: pytest.FixtureRequest, tmp_path: Path) -> JournalSettings:
    """Where the journal is: whatever a test shows holds on each kind of database."""
    kind: str = request.param
    return JournalSettings(url=url_of(kind, request, tmp_path), chunk_bytes=1024)


@pytest.fixture
async def journal(at: JournalSettings) -> AsyncIterator[Journal]:
    async with Journal(at) as opened:
        yield opened
