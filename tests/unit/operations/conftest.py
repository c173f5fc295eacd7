from collections.abc import Callable
from pathlib import Path

import pytest

from fiksmelding.config import JournalSettings, Settings
from support.arrivals import KONTO
from support.clocks import StillClock
from support.journal_fixtures import at, databases, journal, postgresql_url

__all__ = ["at", "databases", "journal", "postgresql_url"]


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def make_settings(at: JournalSettings, tmp_path: Path) -> Callable[..., Settings]:
    """Settings on the test's journal; no file that they name is there."""

    def make(**tables: dict[str, object]) -> Settings:
        names = {
            "account": {"id": KONTO, "private_keys": ["key.pem"]},
            "integration": {"id": KONTO},
            "maskinporten": {"client_id": "c", "private_key": "key.pem"},
            "journal": {"url": at.url},
        }
        return Settings.of({**names, **tables}, folder=tmp_path, environment={})

    return make


@pytest.fixture
def settings(make_settings: Callable[..., Settings]) -> Settings:
    return make_settings()
