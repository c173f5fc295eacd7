"""The case system of the test: its own durable record of what it was asked and what it holds.

It behaves as case systems do: it may be asked again, and answers the same reference for the same key. Beside that it
notes every call, so that afterwards it can be told whether it was asked once too often. The library has no hand in it.
"""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

__all__ = ["Call", "Case", "CaseSystem", "Misbehaviour", "read_misbehaviours", "write_misbehaviours"]

TABLES = """
CREATE TABLE IF NOT EXISTS calls (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    report_key TEXT NOT NULL,
    melding_id TEXT NOT NULL,
    content TEXT NOT NULL,
    told_repeat INTEGER NOT NULL,
    had_already INTEGER NOT NULL,
    misbehaviour TEXT,
    process INTEGER NOT NULL,
    asked_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS calls_by_key ON calls (report_key);
CREATE TABLE IF NOT EXISTS cases (
    reference TEXT PRIMARY KEY,
    report_key TEXT NOT NULL UNIQUE,
    melding_id TEXT NOT NULL,
    content TEXT NOT NULL,
    had_at INTEGER
);
"""


class Misbehaviour(StrEnum):
    """What the case system does wrong the first time that it is asked for a certain report.

    Attributes:
        FAILS: It raises, and has stored nothing.
        FAILS_AFTER: It stores the report, and raises then.
        HANGS: It does not come back, and has stored nothing.
        HANGS_AFTER: It stores the report, and does not come back.
        DIES: The process is killed before anything is stored.
        DIES_AFTER: It stores the report, and the process is killed before it can say so.
        LIES: It says that it has the report, and has not: what happened in 2020-2023.
    """

    FAILS = "handler_fails"
    FAILS_AFTER = "handler_fails_after_storing"
    HANGS = "handler_hangs"
    HANGS_AFTER = "handler_hangs_after_storing"
    DIES = "handler_dies"
    DIES_AFTER = "handler_dies_after_storing"
    LIES = "handler_lies"


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the handler.

    Attributes:
        sequence: Its place among all calls, of all processes.
        key: The idempotency key it was given.
        melding_id: The platform's id of the sending.
        content: SHA-256 of `bekymringsmelding.json`, hexadecimal.
        told_repeat: Whether the library said that this might be a repetition.
        had_already: Whether the case system held a report under that key when it was asked.
        misbehaviour: What it did wrong then, or None.
        process: Which process asked.
        asked_at: When, in nanoseconds of the machine's monotonic clock, which all its processes share.
    """

    sequence: int
    key: str
    melding_id: str
    content: str
    told_repeat: bool
    had_already: bool
    misbehaviour: Misbehaviour | None
    process: int
    asked_at: int


@dataclass(frozen=True, slots=True)
class Case:
    """A report that the case system holds.

    Attributes:
        reference: What the case system calls it.
        key: The idempotency key it came under.
        melding_id: The platform's id of the sending it was stored from.
        content: SHA-256 of `bekymringsmelding.json`, hexadecimal.
        had_at: When it was known to be on disk, in nanoseconds as above; None when nobody lived to see it.
    """

    reference: str
    key: str
    melding_id: str
    content: str
    had_at: int | None


class CaseSystem:
    """The record; several processes may use one at a time. Each call is on disk when it returns.

    Args:
        path: The file.
        misbehaviours: For which report what goes wrong at its first call.
    """

    def __init__(self, path: Path, misbehaviours: Mapping[str, Misbehaviour] | None = None) -> None:
        self._misbehaviours = misbehaviours or {}
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.executescript(TABLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def ask(self, key: str, *, melding_id: str, content: str, told_repeat: bool) -> Misbehaviour | None:
        """Note a call; returns what is to go wrong with it."""
        with self._lock, self._database:
            self._database.execute("BEGIN IMMEDIATE")
            misbehaviour = self._due(key)
            self._database.execute(
                "INSERT INTO calls "
                "(report_key, melding_id, content, told_repeat, had_already, misbehaviour, process, asked_at) "
                "VALUES (?, ?, ?, ?, EXISTS (SELECT 1 FROM cases WHERE report_key = ?), ?, ?, ?)",
                (key, melding_id, content, told_repeat, key, misbehaviour, os.getpid(), time.monotonic_ns()),
            )
        return misbehaviour

    def store(self, key: str, *, melding_id: str, content: str) -> str:
        """Store a report, unless it is there already; returns its reference."""
        reference = f"SAK-{key}"
        with self._lock:
            with self._database:
                self._database.execute("BEGIN IMMEDIATE")
                self._database.execute(
                    "INSERT OR IGNORE INTO cases (reference, report_key, melding_id, content) VALUES (?, ?, ?, ?)",
                    (reference, key, melding_id, content),
                )
            # Only what is noted after the commit proves that it was on disk by then.
            self._note_had(reference)
        return reference

    def has(self, reference: str) -> bool:
        """Whether a report is stored under a reference."""
        with self._lock:
            found = self._database.execute("SELECT 1 FROM cases WHERE reference = ?", (reference,)).fetchone()
            if found is not None:
                self._note_had(reference)
            return found is not None

    def calls(self) -> Sequence[Call]:
        """Every call, oldest first."""
        rows = self._database.execute("SELECT * FROM calls ORDER BY sequence").fetchall()
        return [_call(row) for row in rows]

    def cases(self) -> Sequence[Case]:
        """Every report that is stored."""
        rows = self._database.execute("SELECT reference, report_key, melding_id, content, had_at FROM cases").fetchall()
        return [Case(*row) for row in rows]

    def _due(self, key: str) -> Misbehaviour | None:
        planned = self._misbehaviours.get(key)
        if planned is None:
            return None
        asked = self._database.execute("SELECT 1 FROM calls WHERE report_key = ?", (key,)).fetchone()
        return planned if asked is None else None

    def _note_had(self, reference: str) -> None:
        with self._database:
            self._database.execute(
                "UPDATE cases SET had_at = ? WHERE reference = ? AND had_at IS NULL", (time.monotonic_ns(), reference)
            )


def write_misbehaviours(path: Path, misbehaviours: Mapping[str, Misbehaviour]) -> None:
    """Write down for the receivers' processes what is to go wrong."""
    path.write_text(json.dumps(misbehaviours, indent=1), "utf-8")


def read_misbehaviours(path: Path) -> Mapping[str, Misbehaviour]:
    """Read what `write_misbehaviours` wrote."""
    return {key: Misbehaviour(kind) for key, kind in json.loads(path.read_text("utf-8")).items()}


def _call(row: tuple[int, str, str, str, int, int, str | None, int, int]) -> Call:
    sequence, key, melding_id, content, told_repeat, had_already, misbehaviour, process, asked_at = row
    return Call(
        sequence=sequence,
        key=key,
        melding_id=melding_id,
        content=content,
        told_repeat=bool(told_repeat),
        had_already=bool(had_already),
        misbehaviour=Misbehaviour(misbehaviour) if misbehaviour else None,
        process=process,
        asked_at=asked_at,
    )
