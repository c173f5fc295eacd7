"""Messages kept per second on SQLite, many at once, beside one commit for each: what sharing a sync of the disk brings.

The same journal on the same disk; the second figure lets the writer take one transaction at a time, as it would without
the grouping. How much faster it is depends on how slowly the disk syncs; how many syncs it saves does not.
"""

import asyncio
import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock
from uuid import uuid4

from sqlalchemy import event

from fiksmelding.config import JournalSettings
from fiksmelding.journal import Arrival, Journal, writer
from fiksmelding.journal.sqlite import SqliteDatabase

MESSAGES = 300
AT_ONCE = 50
BODY = b"x" * 20_000
ROUNDS = 3
LIMIT = 0.1
"""Commits, and so syncs, per message that were kept together."""


def arrival() -> Arrival:
    now = datetime.now(UTC)
    return Arrival(
        konto_id=str(uuid4()),
        melding_id=str(uuid4()),
        melding_type="no.ks.fiks.bekymringsmelding.privat.v2",
        avsender_id=str(uuid4()),
        received_at=now,
        deadline_at=now + timedelta(days=1),
    )


async def kept_per_second(file: Path, group: int) -> tuple[float, float]:
    """Messages kept per second, and commits per message."""
    commits: list[int] = []
    with mock.patch.object(writer, "LARGEST_GROUP", group):
        async with Journal(JournalSettings(url=f"sqlite:///{file}")) as journal:
            database = journal._database  # noqa: SLF001 - where commits are counted
            assert isinstance(database, SqliteDatabase)
            event.listen(database._opened().engine, "commit", lambda _: commits.append(1))  # noqa: SLF001
            waiting = iter(range(MESSAGES))

            async def keep() -> None:
                for _ in waiting:
                    await journal.keep(arrival(), BODY)

            began = time.perf_counter()
            await asyncio.gather(*(keep() for _ in range(AT_ONCE)))
            return MESSAGES / (time.perf_counter() - began), len(commits) / MESSAGES


def main() -> None:
    alone: list[tuple[float, float]] = []
    together: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(ROUNDS):
            alone.append(asyncio.run(kept_per_second(Path(folder) / f"alone-{number}.db", 1)))
            grouped = Path(folder) / f"together-{number}.db"
            together.append(asyncio.run(kept_per_second(grouped, writer.LARGEST_GROUP)))
    one, many = (statistics.median(speed for speed, _ in runs) for runs in (alone, together))
    print(f"kept per second, {AT_ONCE} at once: {many:.0f} with shared commits, {one:.0f} with one each")
    print(f"ratio {many / one:.2f}")
    commits = max(share for _, share in together)
    print(f"commits per message: {commits:.3f}, limit {LIMIT:g}; with one each {alone[0][1]:.3f}")


if __name__ == "__main__":
    main()
