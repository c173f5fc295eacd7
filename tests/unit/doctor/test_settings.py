from pathlib import Path

import pytest
from pydantic import SecretStr

from fiksmelding.config import Settings
from fiksmelding.doctor import Condition
from support.examining import changed, conditions, examined


async def test_settings_that_fit_together(settings: Settings, tmp_path: Path) -> None:
    settings = changed(settings, "trust", roots=(tmp_path / "key.pem",))
    assert conditions(await examined(settings, "settings")) == {Condition.SETTINGS_SOUND}


@pytest.mark.parametrize("password", [None, SecretStr("")])
async def test_a_password_that_is_missing(password: SecretStr | None, settings: Settings) -> None:
    settings = changed(settings, "integration", password=password)
    assert Condition.PASSWORD_MISSING in conditions(await examined(settings, "settings"))


async def test_a_password_whose_file_is_gone(settings: Settings, tmp_path: Path) -> None:
    settings = changed(settings, "integration", password=None, password_file=tmp_path / "nothing")
    assert Condition.PASSWORD_MISSING in conditions(await examined(settings, "settings"))


async def test_nobody_is_asked_whose_signature_counts(settings: Settings) -> None:
    flagged = await examined(settings, "settings")
    assert conditions(flagged) == {Condition.SETTINGS_SOUND, Condition.SIGNERS_UNCHECKED}
    demanded = await examined(changed(settings, "trust", policy="require_chain"), "settings")
    assert conditions(demanded) == {Condition.NOBODY_TRUSTED}
    sender = await examined(changed(settings, "trust", policy="require_chain"), "settings", role="sender")
    assert conditions(sender) == {Condition.SETTINGS_SOUND}


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("platform", {"api_url": "http://api.example.org"}),
        ("maskinporten", {"token_url": "http://token.example.org/token"}),
        ("broker", {"tls": False, "host": "broker.example.org"}),
    ],
)
async def test_a_connection_to_another_machine_that_is_not_encrypted(
    table: str, values: dict[str, object], settings: Settings
) -> None:
    assert Condition.NOT_ENCRYPTED in conditions(await examined(changed(settings, table, **values), "settings"))


@pytest.mark.parametrize(
    "values", [{"secret": SecretStr("short")}, {"secret": None}, {"secret": SecretStr("x" * 16), "url": "http://a.no"}]
)
async def test_a_webhook_that_cannot_be_used(values: dict[str, object], settings: Settings) -> None:
    settings = changed(settings, "webhook", **{"url": "https://case.example.org", **values})
    assert Condition.WEBHOOK_WRONG in conditions(await examined(settings, "settings"))


async def test_time_limits_that_end_each_other(settings: Settings) -> None:
    hook = {"url": "https://case.example.org", "secret": SecretStr("x" * 16), "timeout_seconds": 90.0}
    receiving = await examined(changed(settings, "webhook", **hook), "settings")
    assert Condition.TIME_LIMITS_CROSS in conditions(receiving)
    sending = await examined(changed(settings, "sender", stop_seconds=3.0), "settings", role="sender")
    assert Condition.TIME_LIMITS_CROSS in conditions(sending)


async def test_alarms_that_reach_nobody_or_cannot_be_sent(settings: Settings) -> None:
    assert conditions(await examined(settings, "alarms")) == {Condition.ALARMS_REACH_NOBODY}
    plain = changed(settings, "alarms", webhook_url="http://alarms.example.org")
    assert conditions(await examined(plain, "alarms")) == {Condition.ALARMS_WRONG}
    safe = changed(settings, "alarms", webhook_url="https://alarms.example.org")
    assert conditions(await examined(safe, "alarms")) == {Condition.ALARMS_ROUTED}
