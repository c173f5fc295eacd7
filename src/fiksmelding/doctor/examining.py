"""The examination: every check at once, each by itself."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from fiksmelding.clock import Clock, SystemClock
from fiksmelding.config import Settings
from fiksmelding.doctor.access import examine_account, examine_catalog, examine_token
from fiksmelding.doctor.certificates import examine_certificates
from fiksmelding.doctor.clock import examine_clock
from fiksmelding.doctor.conditions import Condition
from fiksmelding.doctor.connections import examine_connections
from fiksmelding.doctor.findings import Diagnosis, Finding
from fiksmelding.doctor.journal import examine_backlog, examine_disk, examine_journal, examine_log
from fiksmelding.doctor.keys import examine_key_files, examine_published_key
from fiksmelding.doctor.patient import Patient, Role, Unexaminable
from fiksmelding.doctor.preferences import examine_alarms, examine_settings
from fiksmelding.doctor.queue import examine_broker, examine_queue
from fiksmelding.doctor.sending import examine_sending
from fiksmelding.doctor.versions import examine_versions
from fiksmelding.errors import FiksmeldingError, PlatformUnavailable, SettingsError

__all__ = ["CHECKS", "RECEIVING", "SENDING", "diagnose", "examine"]

log = logging.getLogger("fiksmelding.doctor")

Check = Callable[[Patient], Awaitable[Sequence[Finding]]]
CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "versions": examine_versions,
        "settings": examine_settings,
        "alarms": examine_alarms,
        "key files": examine_key_files,
        "certificates": examine_certificates,
        "connections": examine_connections,
        "clock": examine_clock,
        "token": examine_token,
        "account": examine_account,
        "published key": examine_published_key,
        "catalog": examine_catalog,
        "broker": examine_broker,
        "queue": examine_queue,
        "sending": examine_sending,
        "disk": examine_disk,
        "journal": examine_journal,
        "event log": examine_log,
        "backlog": examine_backlog,
    }
)
"""What is examined, in the order of the road."""
RECEIVING = frozenset({"published key", "catalog", "broker", "queue"})
SENDING = frozenset({"sending"})
LIMIT_SECONDS = 20.0


async def examine(
    settings: Settings | str | Path,
    *,
    role: Role = "receiver",
    receivers: int | None = None,
    thorough: bool = False,
    limit_seconds: float = LIMIT_SECONDS,
    clock: Clock | None = None,
) -> Diagnosis:
    """Find out what is wrong, or soon will be, and how it is mended.

    Nothing is changed: no message is taken from the queue, nothing is written to the journal, and its tables stay of
    the version they are. Safe beside a receiver that works.

    Args:
        settings: The settings, or their file.
        role: Whether they are used to receive reports, to send them, or for both.
        receivers: How many receivers of ours are to listen. When absent, one if a SQLite journal is held by one; on
            PostgreSQL that cannot be told, and nobody is taken for a stranger.
        thorough: Verify the whole event log, not that of the newest messages alone.
        limit_seconds: Time limit of each check, in seconds; all run at once. None for the event log when `thorough`.
        clock: Where the time is read.

    Returns:
        All that was found. Nothing in it is a secret or about a person.
    """
    now = clock or SystemClock()
    if not isinstance(settings, Settings):
        try:
            settings = Settings.load(settings)
        except SettingsError as error:
            return Diagnosis(now.now(), [Finding(Condition.SETTINGS_WRONG, error.text, "settings")])
    patient = Patient(settings, now, role=role, receivers=receivers, thorough=thorough, limit=limit_seconds)
    return await diagnose(patient, CHECKS)


async def diagnose(patient: Patient, checks: Mapping[str, Check]) -> Diagnosis:
    """Make those of some checks that are for the patient's role."""
    left_out = (frozenset() if patient.receives else RECEIVING) | (frozenset() if patient.sends else SENDING)
    made = {name: check for name, check in checks.items() if name not in left_out}
    async with patient:
        found = await asyncio.gather(*(_guarded(patient, name, check) for name, check in made.items()))
    return Diagnosis(patient.clock.now(), [finding for findings in found for finding in findings])


async def _guarded(patient: Patient, name: str, check: Check) -> Sequence[Finding]:
    """One check, whatever it does: no other suffers from it."""
    limit = None if patient.thorough and name == "event log" else patient.limit
    try:
        async with asyncio.timeout(limit):
            found = await check(patient)
    except TimeoutError:
        found = [Finding(Condition.CHECK_UNFINISHED, f"This was not found out within {patient.limit:g} s.")]
    except Unexaminable as hindrance:
        found = [Finding(Condition.NOT_EXAMINED, f"This cannot be examined: {hindrance}.")]
    except PlatformUnavailable as error:
        found = [Finding(Condition.PLATFORM_UNAVAILABLE, error.text)]
    except FiksmeldingError as error:
        found = [Finding(Condition.CHECK_BROKE, error.text)]
    except Exception as error:
        log.debug("the check of %s broke", name, exc_info=error)
        # Its text may hold anything.
        found = [Finding(Condition.CHECK_BROKE, f"The check itself failed: {error.__class__.__name__}.")]
    return [replace(finding, check=name) for finding in found]
