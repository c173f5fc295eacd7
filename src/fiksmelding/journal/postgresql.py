"""The journal in PostgreSQL: as many receivers as there are machines."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import ClassVar, Protocol

from sqlalchemy import Connection, event, text
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from fiksmelding.errors import JournalError, JournalUnavailable, SettingsError
from fiksmelding.journal.database import Database, Result, Work, faults

log = logging.getLogger("fiksmelding.journal")

CONNECT_SECONDS = 10
CALL_SECONDS = 20
"""How long one statement may take, in seconds: a server that is gone without a word must not hold us for ever."""
CLOSE_SECONDS = 5
IDLE_SECONDS = 15
"""How long the server lets a transaction stand still, in seconds: nor must one of us that is gone hold the others."""
CONNECTIONS = 8


class _Connection(Protocol):
    """What we need to know of the driver's connection."""

    def is_closed(self) -> bool: ...

    def terminate(self) -> None: ...


class PostgresqlDatabase(Database):
    """A database on a PostgreSQL server.

    Args:
        url: `postgresql://` as libpq reads it, options such as `sslmode` included. Never shown: it may hold a password.
        read_only: Whether it is only looked at: the server itself then refuses to change anything.
    """

    shared: ClassVar[bool] = True

    def __init__(self, url: str, *, read_only: bool = False) -> None:
        self._url = url
        self._read_only = read_only
        self._connections: set[_Connection] = set()
        self._engine: AsyncEngine | None = None

    async def open(self) -> None:
        """Connect, bring the tables to the present version, and see whether the server keeps what it promises."""
        await super().open()
        if not await self.keeps_its_word():
            log.critical("PostgreSQL runs with fsync=off: a power failure may lose acknowledged reports")

    async def keeps_its_word(self) -> bool:
        """Whether the server syncs what it says is written."""
        query = text("SELECT current_setting('fsync')")
        return bool(await self.read(lambda connection: connection.execute(query).scalar_one() == "on"))

    async def connect(self) -> None:
        """Make ready to connect.

        Raises:
            SettingsError: The package for it is not installed.
        """
        try:
            import asyncpg  # noqa: PLC0415 - an optional part
        except ImportError as error:
            raise SettingsError(
                "A PostgreSQL journal needs the package asyncpg.", advice="Install fiksmelding[postgres]."
            ) from error

        async def connect() -> object:
            try:
                connection = await asyncpg.connect(self._url, timeout=CONNECT_SECONDS, command_timeout=CALL_SECONDS)
                try:
                    await _insist(connection.execute)
                    if self._read_only:
                        await connection.execute("SET default_transaction_read_only = on")
                except BaseException:
                    connection.terminate()  # nobody else knows of it yet
                    raise
            except (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
                # Its text may quote the URL.
                raise JournalUnavailable(
                    f"The journal's database cannot be reached: {error.__class__.__name__}.",
                    advice="See journal.url, and whether the server lets us in.",
                ) from error
            self._connections = {one for one in self._connections if not one.is_closed()} | {connection}
            return connection

        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            async_creator=connect,
            pool_size=CONNECTIONS,
            max_overflow=CONNECTIONS,
            hide_parameters=True,  # in no traceback either
        )
        event.listen(self._engine.sync_engine, "handle_error", _distrust_all_after_silence)

    async def close(self) -> None:
        """Let go of every connection."""
        engine, self._engine = self._engine, None
        try:
            if engine is not None:
                with suppress(TimeoutError):  # a server that is gone without a word does not say good-bye either
                    async with asyncio.timeout(CLOSE_SECONDS):
                        await engine.dispose()
        finally:
            # Nor does the pool wait for those whose call was cancelled a moment ago.
            connections, self._connections = self._connections, set()
            for connection in connections:
                if not connection.is_closed():
                    connection.terminate()

    async def write(self, work: Work[Result]) -> Result:
        """Run `work` in a transaction of its own; the server syncs those that commit at the same time together."""
        with faults():
            async with self._opened().begin() as connection:
                return await connection.run_sync(work)

    async def read(self, work: Work[Result], *, one_view: bool = False) -> Result:
        """Run `work`, on one snapshot or with no more round trips than it has statements."""
        with faults():
            async with self._opened().connect() as connection:
                isolation = "REPEATABLE READ" if one_view else "AUTOCOMMIT"
                await connection.execution_options(isolation_level=isolation)
                return await connection.run_sync(work)

    async def become_claimer(self) -> bool:
        """Everybody may: leases keep receivers apart."""
        return False

    async def has_claimer(self) -> bool | None:
        """Nobody knows: each process claims for itself."""
        return None

    async def clear_erased(self) -> None:
        """Nothing: VACUUM frees old rows, and the server's log is its administrator's; see docs/retention.md."""

    def event_cut(self, connection: Connection) -> None:
        """Wait for those who write events; new ones wait for us, and number theirs afterwards."""
        connection.execute(text("LOCK TABLE events IN SHARE MODE"))

    def _opened(self) -> AsyncEngine:
        if self._engine is None:
            raise JournalError("The journal is not open.", advice="Use it inside `async with`.")
        return self._engine


async def _insist(execute: Callable[[str], Awaitable[object]]) -> None:
    """Have a server sync before it answers, and end transactions that stand still; stricter settings stay."""
    await execute(
        "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
    )
    await execute(
        f"SELECT set_config('idle_in_transaction_session_timeout', '{IDLE_SECONDS}s', false) "
        "WHERE current_setting('idle_in_transaction_session_timeout') = '0'"
    )


def _distrust_all_after_silence(context: ExceptionContext) -> None:
    """Where one connection was silent the others are too: renew them all, or each costs one more call its full time."""
    if isinstance(context.original_exception, TimeoutError):
        context.invalidate_pool_on_disconnect = True
