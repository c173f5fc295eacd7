"""The settings themselves: what no single key shows to be wrong."""

from collections.abc import Sequence

from yarl import URL

from fiksmelding.alarms.routing import AlarmRoutes
from fiksmelding.config import Settings
from fiksmelding.doctor.conditions import Condition, Level
from fiksmelding.doctor.findings import Finding
from fiksmelding.doctor.patient import Patient, in_thread
from fiksmelding.errors import SettingsError
from fiksmelding.receiver import WebhookHandler
from fiksmelding.tls import is_this_machine

__all__ = ["examine_alarms", "examine_settings"]


async def examine_settings(patient: Patient) -> Sequence[Finding]:
    """Do the settings fit together?"""
    found = await in_thread(lambda: _secrets(patient))
    found += [*_encryption(patient), *_time_limits(patient)]
    if patient.receives:
        found += _trust(patient.settings)
    wrong = any(finding.level is Level.FAULT for finding in found)
    return found if wrong else [Finding(Condition.SETTINGS_SOUND, "The settings fit together."), *found]


async def examine_alarms(patient: Patient) -> Sequence[Finding]:
    """Is somebody told of alarms? Nobody is told of any now."""
    try:
        async with AlarmRoutes(patient.settings.alarms) as routes:
            names = [lane.route.name for lane in routes.lanes]
    except SettingsError as error:
        return [Finding(Condition.ALARMS_WRONG, error.text)]
    if not names:
        return [Finding(Condition.ALARMS_REACH_NOBODY, "Alarms go to the log, and nowhere else.")]
    return [Finding(Condition.ALARMS_ROUTED, f"Alarms go to the log, and by {' and '.join(names)}.")]


def _secrets(patient: Patient) -> list[Finding]:
    found = []
    try:
        if not patient.settings.integration.secret().get_secret_value():
            found.append(Finding(Condition.PASSWORD_MISSING, "The integration's password is empty."))
    except SettingsError as error:
        found.append(Finding(Condition.PASSWORD_MISSING, f"The integration's password cannot be had: {error.text}"))
    if patient.receives and patient.settings.webhook.url is not None:
        found += _webhook(patient.settings)
    return found


def _webhook(settings: Settings) -> list[Finding]:
    try:
        WebhookHandler(settings.webhook)  # connects only when it is entered
    except SettingsError as error:
        return [Finding(Condition.WEBHOOK_WRONG, error.text)]
    return []


def _encryption(patient: Patient) -> list[Finding]:
    settings, found = patient.settings, []
    addresses = {
        "platform.api_url": settings.platform.api_url,
        "maskinporten's token endpoint": settings.maskinporten.token_url or settings.maskinporten.issuer,
    }
    for name, text in addresses.items():
        url = URL(text)
        if url.scheme != "https" and not is_this_machine(url.host or ""):
            found.append(Finding(Condition.NOT_ENCRYPTED, f"{name} is not https."))
    if not settings.broker.tls and not all(is_this_machine(host) for host, _ in settings.broker.addresses):
        found.append(Finding(Condition.NOT_ENCRYPTED, "broker.tls is off for a broker on another machine."))
    return found


def _time_limits(patient: Patient) -> list[Finding]:
    settings = patient.settings
    pairs = []
    if patient.receives and settings.webhook.url is not None:
        limits = (settings.receiver.handler_timeout_seconds, settings.webhook.timeout_seconds)
        pairs.append(("receiver.handler_timeout_seconds", "webhook.timeout_seconds", limits))
    if patient.sends:
        limits = (settings.sender.stop_seconds, settings.platform.timeout_seconds)
        pairs.append(("sender.stop_seconds", "platform.timeout_seconds", limits))
    return [
        Finding(Condition.TIME_LIMITS_CROSS, f"{outer} ({above:g} s) is not above {inner} ({below:g} s).")
        for outer, inner, (above, below) in pairs
        if above <= below
    ]


def _trust(settings: Settings) -> list[Finding]:
    if settings.trust.roots:
        return []
    if settings.trust.policy == "require_chain":
        return [Finding(Condition.NOBODY_TRUSTED, "trust.policy asks for a chain, and trust.roots is empty.")]
    return [Finding(Condition.SIGNERS_UNCHECKED, "trust.roots is empty: who signed a report is not checked.")]
