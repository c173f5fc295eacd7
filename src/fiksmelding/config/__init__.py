"""Settings: one TOML file, every value also by environment variable, checked when loaded.

A value `key` in the table `[table]` is overridden by the environment variable `FIKSMELDING_TABLE_KEY`. Paths are
relative to the file that names them. Secrets are read from a file of their own or from the environment, and are never
shown.
"""

from fiksmelding.config.settings import Settings
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
from fiksmelding.config.watching import AlarmsSettings, CanarySettings, MetricsSettings, UnreadSettings

__all__ = [
    "AccountSettings",
    "AlarmsSettings",
    "BrokerSettings",
    "CanarySettings",
    "IntegrationSettings",
    "JournalSettings",
    "MaskinportenSettings",
    "MetricsSettings",
    "PlatformSettings",
    "ReceiverSettings",
    "ReconcileSettings",
    "SenderSettings",
    "Settings",
    "TrustSettings",
    "UnreadSettings",
    "WebhookSettings",
]
