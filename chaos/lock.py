"""A journal's file that somebody else writes to, for longer than is polite."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from chaos.services import to_the_end

__all__ = ["locked"]

BUSY_SECONDS = 30.0


async def locked(file: Path, seconds: float) -> None:
    """Hold the right to write into a SQLite file for a while, as another program does; nothing is written."""
    with closing(await to_the_end(_connected, file)) as connection:
        await asyncio.sleep(seconds)
        connection.rollback()


def _connected(file: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.Error:
        connection.close()
        raise
    return connection
