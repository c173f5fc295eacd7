"""The cases, in SQLite."""

import sqlite3
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS cases (
    number INTEGER PRIMARY KEY,
    report_id TEXT NOT NULL UNIQUE,
    report TEXT NOT NULL,
    pdf BLOB NOT NULL
)
"""


class Cases:
    """Cases by the report they began with: a report that comes again is the same case."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path)
        self._database.execute("PRAGMA synchronous = FULL")
        with self._database:
            self._database.execute(SCHEMA)

    def create(self, report_id: str, report: str, pdf: bytes) -> int:
        """Make a case, or find the one that is there; its number. It is on disk on return."""
        with self._database:
            self._database.execute(
                "INSERT INTO cases (report_id, report, pdf) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (report_id, report, pdf),
            )
        found = self._database.execute("SELECT number FROM cases WHERE report_id = ?", (report_id,))
        return int(found.fetchone()[0])

    def has(self, number: int) -> bool:
        """Whether there is such a case, with its report and its PDF."""
        query = "SELECT count(*) FROM cases WHERE number = ? AND report <> '' AND length(pdf) > 0"
        return bool(self._database.execute(query, (number,)).fetchone()[0])

    def reports(self) -> dict[str, str]:
        """The report of each case, by the report's id."""
        return dict(self._database.execute("SELECT report_id, report FROM cases ORDER BY number"))

    def close(self) -> None:
        self._database.close()
