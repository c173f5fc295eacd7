from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from fiksmelding.config import JournalSettings, SenderSettings
from fiksmelding.journal.outbox import Outbox
from fiksmelding.simulator.pki import Credential
from support.shipping import Platform, Shipping

MakeShipping = Callable[..., Shipping]


@pytest.fixture
async def outbox(tmp_path: Path) -> AsyncIterator[Outbox]:
    async with Outbox(JournalSettings(url=f"sqlite:///{tmp_path}/journal.db")) as opened:
        yield opened


@pytest.fixture
def platform(sender_credential: Credential, recipient_credential: Credential) -> Platform:
    return Platform(receiver=recipient_credential, printer=sender_credential)


@pytest.fixture
def make(outbox: Outbox, platform: Platform) -> MakeShipping:
    return lambda **policy: Shipping(outbox, platform, SenderSettings(**policy))


@pytest.fixture
def shipping(make: MakeShipping) -> Shipping:
    return make()
