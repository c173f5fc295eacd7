"""The journal: readable, of our version, whole, with room to grow, and with nothing standing still in it."""

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from fiksmelding.config.values import SQLITE_PREFIX
from fiksmelding.doctor.conditions import Condition
from fiksmelding.doctor.findings import Finding
from fiksmelding.doctor.patient import Patient, Unexaminable, in_thread
from fiksmelding.errors import FiksmeldingError, JournalUnavailable
from fiksmelding.journal import migrations
from fiksmelding.journal.databases import sqlite_file
from fiksmelding.journal.viewing import Backlog, JournalView

__all__ = ["examine_backlog", "examine_disk", "examine_journal", "examine_log"]

NEWEST = 2_000
"""How many of the newest messages have their events verified when not all are: some seconds at most."""
UNATTENDED = timedelta(minutes=15)
LOW_BYTES = 2_000_000_000
FULL_BYTES = 200_000_000


async def examine_journal(patient: Patient) -> Sequence[Finding]:
    """Can the journal be read, and is it of the version that this library works on?"""
    if not await in_thread(lambda: _is_there(patient)):
        return [Finding(Condition.JOURNAL_ABSENT, "There is no journal yet.")]
    try:
        async with JournalView(patient.settings.journal) as journal:
            version = await journal.version()
            synced = await journal.keeps_its_word()
    except FiksmeldingError as error:
        return [Finding(Condition.JOURNAL_UNREADABLE, error.text)]
    found = _version(version)
    if not synced:
        found.append(Finding(Condition.JOURNAL_NOT_SYNCED, "PostgreSQL runs with fsync = off."))
    return found


def _version(version: str | None) -> list[Finding]:
    present = migrations.head()
    if version is None:
        return [Finding(Condition.JOURNAL_ABSENT, "The database holds no journal yet.")]
    if version == present:
        return [Finding(Condition.JOURNAL_READ, f"The journal can be read; its tables are of version {version}.")]
    if migrations.is_known(version):
        text = f"The journal's tables are of version {version}; this library works on version {present}."
        return [Finding(Condition.JOURNAL_OLDER, text)]
    text = f"The journal's tables are of version {version}, which this library does not know."
    return [Finding(Condition.JOURNAL_NEWER, text)]


def _is_there(patient: Patient) -> bool:
    url = patient.settings.journal.url
    return not url.startswith(SQLITE_PREFIX) or sqlite_file(url).exists()


async def examine_log(patient: Patient) -> Sequence[Finding]:
    """Is the event log as it was written?"""
    async with JournalView(patient.settings.journal) as journal:
        if not await _can_be_asked(patient, journal):
            return []
        altered = await journal.first_altered(None if patient.thorough else NEWEST)
    if altered is not None:
        where = "" if altered.entry_id is None else f" (message {altered.entry_id})"
        return [Finding(Condition.JOURNAL_ALTERED, f"The event log was altered: {altered.what}{where}.")]
    seen = "is whole" if patient.thorough else f"of the newest {NEWEST} messages is whole; --thorough looks at all"
    return [Finding(Condition.JOURNAL_WHOLE, f"The event log {seen}.")]


async def examine_backlog(patient: Patient) -> Sequence[Finding]:
    """Does anything stand still?"""
    policy = patient.settings.sender
    async with JournalView(patient.settings.journal) as journal:
        if not await _can_be_asked(patient, journal):
            return []
        backlog = await journal.backlog(
            patient.clock.now(),
            konto_id=str(patient.settings.account.id),
            unattended=UNATTENDED,
            unsent=timedelta(minutes=policy.alarm_unsent_minutes),
        )
    found = [*(_received(backlog) if patient.receives else ()), *(_outgoing(backlog) if patient.sends else ())]
    told = [Finding(condition, f"{count} {text}.") for condition, count, text in found if count]
    return told or [Finding(Condition.NOTHING_STUCK, "Nothing in the journal stands still.")]


def _received(backlog: Backlog) -> Sequence[tuple[Condition, int, str]]:
    return (
        (Condition.DEADLINES_PASSED, backlog.overdue, "message(s) are past their deadline, and not answered"),
        (Condition.ENTRIES_UNATTENDED, backlog.unattended, "message(s) are due, and nobody works on them"),
        (Condition.QUARANTINE_WAITS, backlog.quarantined, "message(s) in quarantine wait for a person"),
    )


def _outgoing(backlog: Backlog) -> Sequence[tuple[Condition, int, str]]:
    return (
        (Condition.REPORTS_OUTLIVED, backlog.outlived, "report(s) not sent yet are sealed for an expired certificate"),
        (
            Condition.REPORTS_UNSENT,
            backlog.unsent,
            "report(s), kept for long, have not been taken by the platform",
        ),
        (Condition.REPORTS_UNDECIDED, backlog.undecided, "report(s) to send wait for a person"),
    )


async def _can_be_asked(patient: Patient, journal: JournalView) -> bool:
    """Whether there is a journal; only tables of the present version can be asked.

    Raises:
        Unexaminable: There is one that cannot.
    """
    if not await in_thread(lambda: _is_there(patient)):
        return False
    try:
        version = await journal.version()
    except JournalUnavailable as error:
        raise Unexaminable("the journal cannot be read") from error
    if version not in {None, migrations.head()}:
        raise Unexaminable("the journal is not of the present version")
    return version is not None


async def examine_disk(patient: Patient) -> Sequence[Finding]:
    """Is there room where the journal is, and may we write there?"""
    url = patient.settings.journal.url
    if not url.startswith(SQLITE_PREFIX):
        return [
            Finding(Condition.DISK_ELSEWHERE, "The journal is on a database server; its disk is not seen from here.")
        ]
    return await in_thread(lambda: _disk(patient, sqlite_file(url).absolute()))


def _disk(patient: Patient, file: Path) -> Sequence[Finding]:
    folder = _first_that_exists(file.parent)
    if not folder.is_dir() or not os.access(folder, os.W_OK) or (file.exists() and not os.access(file, os.W_OK)):
        text = f"The journal's folder {folder} is not to be written to by this user."
        return [Finding(Condition.FOLDER_NOT_WRITABLE, text)]
    free = patient.free_bytes(folder)
    condition = (
        Condition.DISK_FULL if free < FULL_BYTES else Condition.DISK_LOW if free < LOW_BYTES else Condition.DISK_SPACE
    )
    return [Finding(condition, f"{free / 1e9:.1f} GB are free where the journal is.")]


def _first_that_exists(folder: Path) -> Path:
    return next(path for path in (folder, *folder.parents) if path.exists())
