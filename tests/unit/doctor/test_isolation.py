"""One check that fails or hangs, and the others."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from fiksmelding.clock import SystemClock
from fiksmelding.config import Settings
from fiksmelding.doctor import Condition, Finding
from fiksmelding.doctor.examining import diagnose
from fiksmelding.doctor.patient import Patient, in_thread
from fiksmelding.errors import JournalUnavailable


async def good(_: Patient) -> Sequence[Finding]:
    return [Finding(Condition.VERSIONS_GOOD, "Well.")]


async def breaks(_: Patient) -> Sequence[Finding]:
    raise ValueError("Kari Nordmann")


async def fails(_: Patient) -> Sequence[Finding]:
    raise JournalUnavailable("It is gone.")


async def hangs(_: Patient) -> Sequence[Finding]:
    await asyncio.Event().wait()
    raise AssertionError


async def test_a_check_that_breaks_or_hangs_stops_no_other(settings: Settings) -> None:
    release = threading.Event()

    async def hangs_in_a_thread(_: Patient) -> Sequence[Finding]:
        await in_thread(release.wait)
        raise AssertionError

    checks = {"a": breaks, "b": hangs, "c": hangs_in_a_thread, "d": fails, "e": good}
    try:
        diagnosis = await diagnose(Patient(settings, SystemClock(), limit=0.2), checks)
    finally:
        release.set()
    told = {finding.check: (finding.condition, finding.text) for finding in diagnosis.findings}
    assert told == {
        "a": (Condition.CHECK_BROKE, "The check itself failed: ValueError."),  # its words may be personal data
        "b": (Condition.CHECK_UNFINISHED, "This was not found out within 0.2 s."),
        "c": (Condition.CHECK_UNFINISHED, "This was not found out within 0.2 s."),
        "d": (Condition.CHECK_BROKE, "It is gone."),
        "e": (Condition.VERSIONS_GOOD, "Well."),
    }
    assert not diagnosis.healthy


async def test_what_a_thread_raises_is_raised_where_it_is_waited_for() -> None:
    def work() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await in_thread(work)
