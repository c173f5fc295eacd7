"""Which database a journal's URL means."""

from pathlib import Path

from fiksmelding.config.values import SQLITE_PREFIX
from fiksmelding.journal.database import Database
from fiksmelding.journal.sqlite import SqliteDatabase


def database_at(url: str, role: str = "receiver") -> Database:
    """The database at `url`, not yet open.

    Args:
        url: Where it is.
        role: As what we claim entries: where only one process may, it is one for each role.
    """
    if url.startswith(SQLITE_PREFIX):
        return SqliteDatabase(Path(url.removeprefix(SQLITE_PREFIX)), role)
    from fiksmelding.journal.postgresql import PostgresqlDatabase  # noqa: PLC0415 - an optional part

    return PostgresqlDatabase(url)
