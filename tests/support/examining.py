"""What the doctor finds, and settings with something wrong in them."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import BaseModel

from fiksmelding.clock import Clock, SystemClock
from fiksmelding.config import Settings
from fiksmelding.doctor import Condition, Diagnosis, Level
from fiksmelding.doctor.examining import CHECKS, diagnose
from fiksmelding.doctor.patient import Patient, Role


class WrongClock(SystemClock):
    """A machine's clock that is ahead by so much, or behind."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        return super().now() + self._ahead


async def examined(
    settings: Settings,
    *checks: str,
    role: Role = "receiver",
    receivers: int | None = None,
    thorough: bool = False,
    clock: Clock | None = None,
) -> Diagnosis:
    """What some checks find; all when none is named."""
    patient = Patient(settings, clock or SystemClock(), role=role, receivers=receivers, thorough=thorough, limit=10)
    return await diagnose(patient, {name: check for name, check in CHECKS.items() if name in checks or not checks})


def conditions(diagnosis: Diagnosis, *, but: Iterable[Level] = ()) -> set[Condition]:
    """What was found, but for findings of some levels."""
    return {finding.condition for finding in diagnosis.findings if finding.level not in set(but)}


def text_of(diagnosis: Diagnosis, condition: Condition) -> str:
    """What is said of a condition that was found."""
    return next(finding.text for finding in diagnosis.findings if finding.condition is condition)


def changed(settings: Settings, table: str, **values: object) -> Settings:
    """The settings, with other values in one table."""
    present: BaseModel = getattr(settings, table)
    return settings.model_copy(update={table: present.model_copy(update=values)})
