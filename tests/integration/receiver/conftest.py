import pytest

from fiksmelding.config import Settings
from fiksmelding.simulator import Simulator
from support.journal_fixtures import databases, postgresql_url

__all__ = ["databases", "postgresql_url"]


@pytest.fixture(params=["sqlite", "postgresql"])
def settings(request: pytest.FixtureRequest, fiks: Simulator) -> Settings:
    """A receiver's settings: whatever a test shows holds with the journal on each kind of database."""
    given = fiks.settings_for("bergen")
    if request.param == "sqlite":
        return given
    journal = given.journal.model_copy(update={"url": request.getfixturevalue("postgresql_url")})
    return given.model_copy(update={"journal": journal})
