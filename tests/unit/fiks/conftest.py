from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fiksmelding.config import Settings
from fiksmelding.fiks import FiksSession
from fiksmelding.simulator.pki import Credential
from support.fake_clock import FakeClock
from support.platform import Platform, running_platform, settings_for


@pytest.fixture
async def platform() -> AsyncIterator[Platform]:
    async with running_platform() as platform:
        yield platform


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def settings(platform: Platform, tmp_path: Path, recipient_credential: Credential) -> Settings:
    return settings_for(platform.url, tmp_path, recipient_credential)


@pytest.fixture
async def session(settings: Settings, clock: FakeClock) -> AsyncIterator[FiksSession]:
    async with FiksSession(settings, clock=clock) as session:
        yield session
