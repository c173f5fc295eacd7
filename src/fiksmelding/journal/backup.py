"""A copy of a SQLite journal as it is at one moment, made while a receiver works on it."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from fiksmelding.config.values import SQLITE_PREFIX
from fiksmelding.errors import JournalError, JournalUnavailable
from fiksmelding.files import sync_folder

__all__ = ["back_up"]


def back_up(url: str, to: Path) -> int:
    """Copy the journal at `url` into a new file, complete and on disk or not there at all. Blocks; in nobody's way.

    Args:
        url: A SQLite journal, as in the settings. Its tables are copied as they are, whatever their version.
        to: The file to make, readable by its owner alone; a journal itself, to be put where the first one was.

    Returns:
        The copy's size, in bytes.

    Raises:
        JournalError: The journal is in PostgreSQL, or there is such a file already.
        JournalUnavailable: It cannot be read, or the copy cannot be written.
    """
    if not url.startswith(SQLITE_PREFIX):
        raise JournalError(
            "A journal in PostgreSQL is copied by PostgreSQL's own programs.",
            advice="Use pg_dump; see docs/running.md.",
        )
    source = Path(url.removeprefix(SQLITE_PREFIX)).absolute()
    if to.exists():
        raise JournalError(f"{to} is there already; a backup replaces nothing.", advice="Choose another name.")
    part = to.with_name(f"{to.name}.part")
    try:
        part.unlink(missing_ok=True)  # of one that was broken off
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        _copy(source, part)
        part.rename(to)
        sync_folder(to.parent)
        return to.stat().st_size
    except sqlite3.Error as error:
        raise JournalUnavailable(f"The journal cannot be copied: {error}.") from error
    except OSError as error:
        raise JournalUnavailable(f"The journal cannot be copied: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)


def _copy(source: Path, part: Path) -> None:
    """Copy in one go: what is written meanwhile is not in it, and waits for nothing."""
    # Of a file that is not there, SQLite would otherwise make an empty one.
    with closing(sqlite3.connect(f"{source.as_uri()}?mode=rw", uri=True)) as journal, closing(_new(part)) as copy:
        journal.backup(copy, pages=-1)


def _new(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA synchronous = FULL")
    return connection
