"""What a simulator keeps from one run to the next: items by kind and id, in one SQLite file.

Written as things happen, each change at once, so that a simulator killed on the spot goes on where it was. Not made for
a machine that loses its power: SQLite is told not to wait for the disk, for the sake of speed.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from fiksmelding.errors import SettingsError

__all__ = ["NOWHERE", "Item", "State"]

VERSION = 1
SCHEMA = """
CREATE TABLE IF NOT EXISTS items (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    data TEXT NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (kind, id)
)
"""
PUT = """
INSERT INTO items (kind, id, data, body) VALUES (?, ?, ?, ?)
ON CONFLICT (kind, id) DO UPDATE SET data = excluded.data, body = excluded.body
"""
PREPARE = (
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = OFF",
    "PRAGMA secure_delete = OFF",
    SCHEMA,
)


class Item(NamedTuple):
    """One thing that is kept.

    Attributes:
        id: What it is known by, among those of its kind.
        data: Its JSON, or any text.
        body: Its bytes, if it has any.
    """

    id: str
    data: str
    body: bytes


class State:
    """Keeps items. Use it with `with`, from one thread.

    Args:
        path: The file; nothing is kept when None.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._database: sqlite3.Connection | None = None
        self._depth = 0

    def __enter__(self) -> Self:
        """Open the file.

        Raises:
            SettingsError: Another simulator uses it, or it is damaged, or from a newer version.
        """
        if self._path is not None:
            self._path.touch(mode=0o600)
            self._database = sqlite3.connect(self._path, isolation_level=None, timeout=0)
            try:
                self._prepare(self._database)
            except BaseException:
                self._database.close()
                raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let all changes within become durable as one. Nothing may be awaited within."""
        if self._database is None or self._depth:
            yield
            return
        self._database.execute("BEGIN")
        self._depth += 1
        try:
            yield
        finally:
            # Also after an error: memory has the changes as well, and both must tell the same.
            self._depth -= 1
            self._database.execute("COMMIT")

    def put(self, kind: str, item_id: str, data: str = "", body: bytes = b"") -> None:
        """Keep an item, or its newer version."""
        if self._database is not None:
            self._database.execute(PUT, (kind, item_id, data, body))

    def remove(self, kind: str, item_id: str) -> None:
        """Forget an item; one that is not there changes nothing."""
        if self._database is not None:
            self._database.execute("DELETE FROM items WHERE kind = ? AND id = ?", (kind, item_id))

    def all(self, kind: str) -> list[Item]:
        """Every item of a kind, in the order in which they were first kept."""
        if self._database is None:
            return []
        query = "SELECT id, data, body FROM items WHERE kind = ? ORDER BY number"
        return [Item(*row) for row in self._database.execute(query, (kind,))]

    def get(self, kind: str, item_id: str) -> str | None:
        """The data of an item."""
        return next((item.data for item in self.all(kind) if item.id == item_id), None)

    def _prepare(self, database: sqlite3.Connection) -> None:
        try:
            [version] = database.execute("PRAGMA user_version").fetchone()
            if version > VERSION:
                raise SettingsError(
                    f"{self._path} is from a newer version of fiksmelding.", advice="Use that, or start with --fresh."
                )
            for statement in PREPARE:
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {VERSION}")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise self._damaged() from error
            raise SettingsError(f"Another simulator runs in {_folder(self._path)}.") from error
        except sqlite3.DatabaseError as error:
            raise self._damaged() from error

    def _damaged(self) -> SettingsError:
        return SettingsError(f"{self._path} cannot be read.", advice="Start with --fresh to begin without it.")

    @staticmethod
    def forget(path: Path) -> None:
        """Delete a file of state, and what SQLite has beside it."""
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                path.with_name(path.name + suffix).unlink()


NOWHERE = State(None)
"""Where nothing is kept."""


def _folder(path: Path | None) -> Path | None:
    return None if path is None else path.parent
