"""Which database a journal's URL means."""

from pathlib import Path

from fiksmelding.config.values import SQLITE_PREFIX
from fiksmelding.journal.database import Database
from fiksmelding.journal.sqlite import SqliteDatabase


def database_at(url: str, role: str = "receiver", *, read_only: bool = False) -> Database:
    """The database at `url`, not yet open.

    Args:
        url: Where it is.
        role: As what we claim entries: where only one process may, it is one for each role.
        read_only: Whether it is only looked at.
    """
    if url.startswith(SQLITE_PREFIX):
        return SqliteDatabase(sqlite_file(url), role, read_only=read_only)
    from fiksmelding.journal.postgresql import PostgresqlDatabase  # noqa: PLC0415 - an optional part

    return PostgresqlDatabase(url, read_only=read_only)


def sqlite_file(url: str) -> Path:
    """The file of a SQLite journal."""
    return Path(url.removeprefix(SQLITE_PREFIX))
