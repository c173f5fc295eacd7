from pathlib import Path

import pytest

from fiksmelding.config import Settings
from fiksmelding.simulator import Simulator
from support.journal_fixtures import databases, postgresql_url
from support.rabbitmq import BROKERS

__all__ = ["databases", "postgresql_url"]

DATABASES = ["sqlite", "postgresql"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what has to do with them on each kind of database and on each broker: no test here may forget one."""
    for fixture, kinds in (("journal_url", DATABASES), ("simulator", BROKERS)):
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, kinds, indirect=True)


@pytest.fixture
def journal_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty journal, on either kind of database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/journal.db"
    url: str = request.getfixturevalue("postgresql_url")
    return url


@pytest.fixture
def settings(fiks: Simulator, journal_url: str) -> Settings:
    """A receiver's settings."""
    given = fiks.settings_for("bergen")
    return given.model_copy(update={"journal": given.journal.model_copy(update={"url": journal_url})})
