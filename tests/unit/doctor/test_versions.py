import ssl
from datetime import UTC, datetime, timedelta

import pytest

from fiksmelding.config import Settings
from fiksmelding.doctor import Condition
from fiksmelding.doctor.versions import python_until
from support.examining import WrongClock, conditions, examined, text_of


async def test_versions_are_told(settings: Settings) -> None:
    diagnosis = await examined(settings, "versions")
    assert conditions(diagnosis) == {Condition.VERSIONS_GOOD}
    told = text_of(diagnosis, Condition.VERSIONS_GOOD)
    assert all(name in told for name in ("fiksmelding", "Python", "OpenSSL", "SQLite", "cryptography", "aiormq"))
    assert "missing" not in told


async def test_a_python_that_gets_no_updates_any_more(settings: Settings) -> None:
    diagnosis = await examined(settings, "versions", clock=WrongClock(timedelta(days=5000)))
    assert Condition.PYTHON_UNSUPPORTED in conditions(diagnosis)


def test_when_a_python_ends() -> None:
    assert python_until(11) == datetime(2027, 11, 1, tzinfo=UTC)
    assert python_until(14) == datetime(2030, 11, 1, tzinfo=UTC)


async def test_an_openssl_that_gets_no_updates_any_more(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssl, "OPENSSL_VERSION_INFO", (1, 1, 1, 20, 15))
    assert Condition.OPENSSL_UNSUPPORTED in conditions(await examined(settings, "versions"))
