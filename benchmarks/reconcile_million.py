"""Comparing a day of a journal that holds a million entries with what the case system has; and what memory that takes.

The journal is that of `journal_million`: a hundred and twenty days, receipted, the oldest quarter erased. Each
comparison runs in a process of its own, whose peak is compared with that of one that compares an empty day.

The limits: one day within 5 s, with 64 MB more than an empty day at most; the same day against a list of a million
references within 60 s, in as much memory. `python -m benchmarks reconcile_million [ENTRIES]`; not among those of `make
bench`.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from benchmarks.journal_million import ENTRIES, made
from fiksmelding.config import Settings
from fiksmelding.operations import Period, reconcile
from support import postgresql

BY_NAME_ONLY = True
KONTO = "5f2f2b2a-6a4b-4f0e-9f57-3a4e8a2c0001"
DAY_LIMIT = 5.0
LIST_LIMIT = 60.0
MEMORY_LIMIT = 64.0
DAYS_AGO = 60


def settings_at(url: str) -> Settings:
    tables = {
        "account": {"id": KONTO, "private_keys": ["key.pem"]},
        "integration": {"id": KONTO},
        "maskinporten": {"client_id": "c", "private_key": "key.pem"},
        "journal": {"url": url},
    }
    return Settings.of(tables, folder=Path(), environment={})


def peak_mb() -> float:
    """The most that this process has had in memory. What `getrusage` tells began with its parent's."""
    status = Path("/proc/self/status").read_text("ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


async def compared(url: str, what: str, count: int) -> dict[str, float]:
    """One comparison, in this process."""
    day = datetime.now(UTC) - timedelta(days=DAYS_AGO if what != "empty" else 4000)
    first, last = (0, 0) if what == "empty" else (1, count)
    if what == "day":  # what the case system registered around then, and some more
        middle = count - (DAYS_AGO - 1) * count // 120
        first, last = middle - 3 * count // 120, middle + 3 * count // 120

    async def references(_period: Period) -> AsyncIterator[str]:
        for number in range(first, last):
            yield f"case-{number}"

    period = Period(day, day + timedelta(days=1))
    began, busy = time.perf_counter(), time.process_time()
    result = await reconcile(settings_at(url), period, case_system=references, ask_queue=False)
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    assert what == "empty" or (result.received.kept > count // 130 and not result.missing)
    listed = result.case_system.listed if result.case_system is not None else 0
    return {"seconds": seconds, "busy": busy, "peak": peak_mb(), "kept": result.received.kept, "listed": listed}


def apart(url: str, what: str, count: int) -> dict[str, float]:
    """One comparison, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.reconcile_million", "one", what, str(count)]
    done = subprocess.run(command, env={**os.environ, "BENCH_URL": url}, stdout=subprocess.PIPE, check=True, text=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def show(kind: str, url: str, count: int) -> bool:
    """Fill a journal, compare, tell; whether it is within the limits."""
    began = time.perf_counter()
    asyncio.run(filled(url, count))
    print(f"{kind}: {count:,} entries, filled in {time.perf_counter() - began:.0f} s", flush=True)
    apart(url, "day", count)  # the first one finds nothing in any cache
    base = apart(url, "empty", count)
    good = True
    for what, limit in (("day", DAY_LIMIT), ("million", LIST_LIMIT)):
        one = apart(url, what, count)
        more = one["peak"] - base["peak"]
        within = one["seconds"] <= limit and more <= MEMORY_LIMIT
        good = good and within
        print(
            f"  a day of {one['kept']:,.0f} reports against {one['listed']:,.0f} references: {one['seconds']:.1f} s "
            f"({one['busy']:.1f} s of processor time), limit {limit:g} s; {more:.0f} MB above an empty day, "
            f"limit {MEMORY_LIMIT:g} MB",
            flush=True,
        )
    return good


async def filled(url: str, count: int) -> None:
    await (await made(url, count)).aclose()


def main() -> None:
    if sys.argv[1:2] == ["one"]:
        print(json.dumps(asyncio.run(compared(os.environ["BENCH_URL"], sys.argv[2], int(sys.argv[3])))))
        return
    count = next((int(word) for word in sys.argv[1:] if word.isdecimal()), ENTRIES)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        good = show("SQLite", f"sqlite:///{folder}/journal.db", count)
        databases = postgresql.Databases(stack.enter_context(postgresql.server()))
        good = show("PostgreSQL", databases.make(), count) and good
    if not good:
        sys.exit("Comparing a day of a full journal takes too long, or too much memory.")


if __name__ == "__main__":
    main()
