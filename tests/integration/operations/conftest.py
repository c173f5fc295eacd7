from pathlib import Path

import pytest

from fiksmelding.config import Settings
from fiksmelding.simulator import Simulator
from support.journal_fixtures import databases, postgresql_url

__all__ = ["databases", "postgresql_url"]


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(fiks: Simulator, request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """A receiver's settings, on either kind of database."""
    url = f"sqlite:///{tmp_path}/journal.db"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgresql_url")
    given = fiks.settings_for("bergen")
    return given.model_copy(update={"journal": given.journal.model_copy(update={"url": url})})
