"""The journal's tables through its versions: alembic scripts, run by the library itself when a journal is opened."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep, StampStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from fiksmelding.errors import JournalError

__all__ = ["UNVERSIONED", "current", "head", "is_current", "is_known", "upgrade"]

UNVERSIONED: Final = "0001"
"""What the tables were before they carried a version."""
Steps = list[RevisionStep] | list[StampStep]
_LOCK: Final = 4_242_710_533
"""Any number that nobody else locks in the same database."""


def head() -> str:
    """The present version."""
    return _scripts().get_current_head() or ""


def current(connection: Connection) -> str | None:
    """The version of the tables there are; None where there are none."""
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None and inspect(connection).has_table("entries"):
        return UNVERSIONED
    return revision


def is_known(version: str) -> bool:
    """Whether tables of that version can be brought to the present one."""
    return version in {script.revision for script in _scripts().walk_revisions()}


def is_current(connection: Connection) -> bool:
    """Whether there is nothing to do."""
    return current(connection) == head()


def upgrade(connection: Connection, to: str = "head") -> None:
    """Bring the tables to the present version (or to `to`), within the transaction that `connection` is in.

    Safe when several processes do it at once: one does it, the others wait and find it done.

    Raises:
        JournalError: A newer version of this library made the tables.
    """
    if connection.dialect.name == "postgresql":  # on SQLite the transaction itself excludes other writers
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    scripts = _scripts()
    found = current(connection)
    if found is not None and not is_known(found):
        raise JournalError(
            f"The journal was made by a newer version of fiksmelding (its tables are of version {found}).",
            advice="Install that version again.",
        )
    if found == UNVERSIONED:
        _run(connection, scripts, lambda present: scripts._stamp_revs(UNVERSIONED, present))  # noqa: SLF001
    _run(connection, scripts, lambda present: scripts._upgrade_revs(to, present))  # noqa: SLF001


def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(Path(__file__).parent))


def _run(connection: Connection, scripts: ScriptDirectory, plan: Callable[[str], Steps]) -> None:
    """Run the steps of `plan`, which alembic's own commands call the same way."""
    with EnvironmentContext(Config(), scripts, fn=lambda present, _context: plan(present)) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()
