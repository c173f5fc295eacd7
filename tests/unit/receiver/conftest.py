from collections.abc import Callable
from typing import Protocol

import pytest

from fiksmelding.envelope import Trust
from fiksmelding.journal import Journal
from fiksmelding.receiver import Confirm, Handler
from fiksmelding.simulator.pki import Credential
from support.journal_fixtures import at, databases, journal, postgresql_url
from support.roads import CaseSystem, Journeys

__all__ = ["at", "databases", "journal", "postgresql_url"]


@pytest.fixture
def case_system() -> CaseSystem:
    return CaseSystem()


class MakeJourneys(Protocol):
    def __call__(
        self,
        *,
        handler: Handler | None = None,
        confirm: Confirm | None = None,
        unstructured: bool = True,
        timeout: float = 30.0,
        trust: Trust | None = None,
    ) -> Journeys: ...


@pytest.fixture
def make(
    journal: Journal, sender_credential: Credential, recipient_credential: Credential, case_system: CaseSystem
) -> MakeJourneys:
    def make_journeys(
        *,
        handler: Handler | None = None,
        confirm: Confirm | None = None,
        unstructured: bool = True,
        timeout: float = 30.0,
        trust: Trust | None = None,
    ) -> Journeys:
        return Journeys(
            journal,
            sender_credential,
            recipient_credential,
            handler=handler or case_system,
            confirm=confirm,
            unstructured=unstructured,
            timeout=timeout,
            trust=trust,
        )

    return make_journeys


@pytest.fixture
def journeys(make: Callable[[], Journeys]) -> Journeys:
    return make()
