from pathlib import Path

import pytest

from fiksmelding.config import Settings
from fiksmelding.simulator.pki import Credential
from support.journal_fixtures import at, databases, journal, postgresql_url
from support.platform import settings_for

__all__ = ["at", "databases", "journal", "postgresql_url"]


@pytest.fixture
def settings(tmp_path: Path, sender_credential: Credential) -> Settings:
    """Settings of a platform that nobody asks anything."""
    return settings_for("http://127.0.0.1:1", tmp_path, sender_credential)
