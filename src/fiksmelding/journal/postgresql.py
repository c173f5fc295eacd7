"""The journal in PostgreSQL: as many receivers as there are machines."""

import logging
from typing import ClassVar

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from fiksmelding.errors import JournalUnavailable, SettingsError
from fiksmelding.journal.database import Database, Result, Work, faults

log = logging.getLogger("fiksmelding.journal")

CONNECT_SECONDS = 10
CALL_SECONDS = 60
"""How long one statement may take, in seconds: a server that is gone without a word must not hold us for ever."""
CONNECTIONS = 8


class PostgresqlDatabase(Database):
    """A database on a PostgreSQL server.

    Args:
        url: `postgresql://` as libpq reads it, options such as `sslmode` included. Never shown: it may hold a password.
    """

    shared: ClassVar[bool] = True

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    async def open(self) -> None:
        """Connect, bring the tables to the present version, and see whether the server keeps what it promises."""
        await super().open()
        async with self.read() as connection:
            syncing = (await connection.execute(text("SELECT current_setting('fsync')"))).scalar_one()
        if syncing != "on":
            log.critical("PostgreSQL runs with fsync=%s: a power failure may lose acknowledged reports", syncing)

    async def write(self, work: Work[Result]) -> Result:
        """Run `work` in a transaction of its own; the server syncs those that commit at the same time together."""
        async with faults(), self.opened().begin() as connection:
            return await work(connection)

    async def become_claimer(self) -> bool:
        """Everybody may: leases keep receivers apart."""
        return False

    async def event_cut(self, connection: AsyncConnection) -> None:
        """Wait for those who write events; new ones wait for us, and number theirs afterwards."""
        await connection.execute(text("LOCK TABLE events IN SHARE MODE"))

    async def _make_engine(self) -> AsyncEngine:
        try:
            import asyncpg  # noqa: PLC0415 - an optional part
        except ImportError as error:
            raise SettingsError(
                "A PostgreSQL journal needs the package asyncpg.", advice="Install fiksmelding[postgres]."
            ) from error

        async def connect() -> object:
            try:
                connection = await asyncpg.connect(self._url, timeout=CONNECT_SECONDS, command_timeout=CALL_SECONDS)
            except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
                # Its text may quote the URL.
                raise JournalUnavailable(
                    f"The journal's database cannot be reached: {error.__class__.__name__}.",
                    advice="See journal.url, and whether the server lets us in.",
                ) from error
            # A server that is told to answer before its disk does is told otherwise; stricter settings stay.
            await connection.execute(
                "SELECT set_config('synchronous_commit', 'on', false) "
                "WHERE current_setting('synchronous_commit') = 'off'"
            )
            return connection

        return create_async_engine(
            "postgresql+asyncpg://",
            async_creator=connect,
            pool_size=CONNECTIONS,
            max_overflow=CONNECTIONS,
            hide_parameters=True,  # in no traceback either
        )

    async def _reading(self, connection: AsyncConnection) -> AsyncConnection:
        return await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
