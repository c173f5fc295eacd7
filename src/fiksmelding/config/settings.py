"""All settings together: read from a file, overridden by the environment, every mistake named."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from pydantic import ValidationError

from fiksmelding.config.tables import (
    AccountSettings,
    BrokerSettings,
    IntegrationSettings,
    JournalSettings,
    MaskinportenSettings,
    PlatformSettings,
    ReceiverSettings,
    ReconcileSettings,
    SenderSettings,
    TrustSettings,
    WebhookSettings,
)
from fiksmelding.config.values import Table
from fiksmelding.config.watching import AlarmsSettings, CanarySettings, MetricsSettings, UnreadSettings
from fiksmelding.errors import SettingsError

ENVIRONMENT_PREFIX = "FIKSMELDING"
LISTS = {"private_keys": os.pathsep, "roots": os.pathsep, "hosts": ",", "mail_to": ","}
"""What separates the values of a list in an environment variable."""


class Settings(Table):
    """All settings, immutable. See `Settings.load`."""

    account: AccountSettings
    integration: IntegrationSettings
    maskinporten: MaskinportenSettings
    platform: PlatformSettings = PlatformSettings()
    broker: BrokerSettings = BrokerSettings()
    journal: JournalSettings
    receiver: ReceiverSettings = ReceiverSettings()
    sender: SenderSettings = SenderSettings()
    reconcile: ReconcileSettings = ReconcileSettings()
    webhook: WebhookSettings = WebhookSettings()
    trust: TrustSettings = TrustSettings()
    alarms: AlarmsSettings = AlarmsSettings()
    metrics: MetricsSettings = MetricsSettings()
    canary: CanarySettings = CanarySettings()
    unread: UnreadSettings = UnreadSettings()

    @classmethod
    def load(cls, path: str | Path, environment: Mapping[str, str] | None = None) -> Self:
        """Read the TOML file at `path`, overridden by the environment.

        Args:
            path: The settings file.
            environment: Variables to read instead of the process's own.

        Raises:
            SettingsError: The file cannot be read, or a value is missing, unknown or impossible. Names every one.
        """
        file = Path(path)
        try:
            tables = tomllib.loads(file.read_text("utf-8"))
        except OSError as error:
            raise SettingsError(f"{file} cannot be read: {error.strerror}.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{file} is not TOML: {error}.") from error
        return cls.of(tables, folder=file.resolve().parent, environment=environment, origin=str(file))

    @classmethod
    def of(
        cls,
        tables: Mapping[str, object],
        *,
        folder: Path,
        environment: Mapping[str, str] | None = None,
        origin: str = "The settings",
    ) -> Self:
        """Make settings from tables already parsed; `folder` is what relative paths start from.

        Raises:
            SettingsError: As for `load`.
        """
        merged: dict[str, object] = {"journal": {}, **tables}
        for table, key, value in _from_environment(os.environ if environment is None else environment):
            section = merged.get(table, {})
            if isinstance(section, Mapping):
                merged[table] = {**section, key: value}
        try:
            return cls.model_validate(merged, context={"folder": folder})
        except ValidationError as error:
            raise SettingsError(f"{origin}: {_explain(error)}") from None


def _from_environment(environment: Mapping[str, str]) -> list[tuple[str, str, object]]:
    found: list[tuple[str, str, object]] = []
    for table, key in _known_keys():
        value = environment.get(f"{ENVIRONMENT_PREFIX}_{table}_{key}".upper())
        if value is not None:
            found.append((table, key, value.split(LISTS[key]) if key in LISTS else value))
    return found


def _known_keys() -> list[tuple[str, str]]:
    return [
        (table, key)
        for table, field in Settings.model_fields.items()
        if isinstance(field.annotation, type) and issubclass(field.annotation, Table)
        for key in field.annotation.model_fields
    ]


def _explain(error: ValidationError) -> str:
    """Every mistake in a sentence; never the value, which may be a secret."""
    known = [".".join(pair) for pair in _known_keys()] + list(Settings.model_fields)
    sentences = []
    for mistake in error.errors(include_url=False, include_input=False, include_context=False):
        name = ".".join(str(part) for part in mistake["loc"])
        if mistake["type"] == "extra_forbidden":
            near = difflib.get_close_matches(name, known, n=1)
            sentences.append(f"{name} is unknown{f'; did you mean {near[0]}?' if near else '.'}")
        elif mistake["type"] == "missing":
            sentences.append(f"{name} is missing.")
        else:
            sentences.append(f"{name}: {mistake['msg']}.")
    return " ".join(sentences)
