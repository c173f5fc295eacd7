"""Statistics of a year over a journal of a million entries, and of a tenth of that.

The million are those of `journal_million`, spread over a year and over twenty municipalities with fifteen offices each,
forty channels and both kinds. Counting runs in a process of its own, so that its peak memory is its own.

Limits: 30 s for the million; at most 1.2 times the memory of a tenth.
`python -m benchmarks statistics_million [ENTRIES]`; not among those of `make bench`.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from sqlalchemy import Connection, text

from benchmarks.journal_million import ENTRIES, made
from support import postgresql

BY_NAME_ONLY = True
LIMIT_SECONDS = 30
MEMORY_LIMIT = 1.2
MOMENTS = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', '2026-01-01', '+' || (sequence * 364.0 / :entries) || ' days'{plus})",
    "postgresql": "timestamptz '2026-01-01 12:00:00Z' + (sequence * 364.0 / :entries) * interval '1 day'{plus}",
}
LATER = {
    "sqlite": ", '+' || (sequence % {most} + {least}) || ' seconds'",
    "postgresql": " + (sequence % {most} + {least}) * interval '1 second'",
}
COUNTING = """
import asyncio, json, sys, time
from datetime import date
from fiksmelding.config import JournalSettings
from fiksmelding.operations import Period
from fiksmelding.statistics import published
from fiksmelding.statistics.counting import count_journal

async def main():
    began, used = time.perf_counter(), time.process_time()
    year = Period.of_days(date(2026, 1, 1), date(2027, 1, 1))
    shown = published(await count_journal(JournalSettings(url=sys.argv[1]), year))
    took = time.perf_counter() - began, time.process_time() - used
    total = shown.totals["received"].count
    # Not of `resource`, which begins with what the process that started this one had.
    [peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
    print(json.dumps([*took, int(peak) / 1024, total]))

asyncio.run(main())
"""


def spread(connection: Connection, count: int) -> None:
    """Let the entries be of a year, and of many places."""
    kind = connection.dialect.name
    received = MOMENTS[kind].format(plus="")
    registered = MOMENTS[kind].format(plus=LATER[kind].format(most=900, least=5))
    taken = MOMENTS[kind].format(plus=LATER[kind].format(most=900, least=20)).replace("sequence", "entries.sequence")
    connection.execute(
        text(
            f"UPDATE entries SET received_at = {received}, registered_at = {registered},"
            " kommunenummer = CAST(4600 + sequence % 20 AS varchar(4)),"
            " bydelsnummer = CAST(10 + sequence % 15 AS varchar(2)), leveringskanal = 'Kanal ' || (sequence % 40),"
            " melding_type = CASE WHEN sequence % 3 = 0 THEN 'no.ks.fiks.bekymringsmelding.privat.v2'"
            " ELSE 'no.ks.fiks.bekymringsmelding.offentlig.v2' END".replace(":%", "\\:%")
        ),
        {"entries": count},
    )
    connection.execute(
        text(f"UPDATE receipts SET taken_at = {taken} FROM entries WHERE entries.id = receipts.entry_id"),
        {"entries": count},
    )


async def filled(url: str, count: int) -> None:
    journal = await made(url, count)
    await journal.aclose()
    with mock.patch("fiksmelding.journal.postgresql.CALL_SECONDS", 7200):  # for filling only
        await journal.__aenter__()
        await journal._database.write(lambda connection: spread(connection, count))  # noqa: SLF001 - bulk SQL only
        await journal.aclose()


def counted(url: str) -> tuple[float, float, float, int]:
    """Seconds by the clock and of the processor, peak memory in MB, and how many were counted."""
    done = subprocess.run([sys.executable, "-c", COUNTING, url], check=True, capture_output=True, text=True)
    seconds, processor, megabytes, total = json.loads(done.stdout)
    return seconds, processor, megabytes, total


def compare(kind: str, urls: dict[int, str]) -> bool:
    results = {}
    for count, url in urls.items():
        began = time.perf_counter()
        asyncio.run(filled(url, count))
        took = time.perf_counter() - began
        seconds, processor, megabytes, total = results[count] = counted(url)
        assert total == count
        print(
            f"{kind}: {count:,} entries counted in {seconds:.1f} s ({processor:.1f} s of a processor), "
            f"{megabytes:.0f} MB at most (filled in {took:.0f} s)",
            flush=True,
        )
    small, large = results[min(urls)], results[max(urls)]
    print(f"  memory: ratio {large[2] / small[2]:.2f}, limit {MEMORY_LIMIT:g}; limit {LIMIT_SECONDS} s", flush=True)
    return large[0] <= LIMIT_SECONDS and large[2] <= MEMORY_LIMIT * small[2]


def main() -> None:
    count = next((int(word) for word in sys.argv[1:] if word.isdecimal()), ENTRIES)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        fine = compare("SQLite", {n: f"sqlite:///{folder}/{n}.db" for n in (count // 10, count)})
        databases = postgresql.Databases(stack.enter_context(postgresql.server()))
        fine &= compare("PostgreSQL", {n: databases.make() for n in (count // 10, count)})
    if not fine:
        sys.exit("Statistics are too slow, or take too much memory.")


if __name__ == "__main__":
    main()
