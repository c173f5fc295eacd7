"""Fixtures for journals on each kind of database; a conftest takes those it needs by importing them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from fiksmelding.config import JournalSettings
from fiksmelding.journal import Journal
from support.postgresql import Databases, in_own_loop, server

__all__ = ["at", "databases", "journal", "postgresql_url"]


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


@pytest.fixture(params=["sqlite", "postgresql"])
def at(request: pytest.FixtureRequest, tmp_path: Path) -> JournalSettings:
    """Where the journal is: whatever a test shows holds on each kind of database."""
    url = f"sqlite:///{tmp_path}/journal.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    return JournalSettings(url=url, chunk_bytes=1024)


@pytest.fixture
async def journal(at: JournalSettings) -> AsyncIterator[Journal]:
    """An open journal."""
    async with Journal(at) as opened:
        yield opened
