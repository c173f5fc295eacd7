"""Statistics of a year over a journal of a million entries, and of a tenth of that.

The million are answered entries and their receipts, spread over a year and over twenty municipalities with fifteen
offices each, forty channels and both kinds. Counting runs in a process of its own, so that its peak memory is its own.

Limits: 30 s for the million, of a processor's time (where others work too, the clock says little; what a PostgreSQL
server uses is not in it); at most 1.2 times the memory of a tenth.
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

from benchmarks.journal_million import ENTRIES, HEADERS, NUMBERS
from fiksmelding.config import JournalSettings
from fiksmelding.journal import Journal
from support import postgresql

BY_NAME_ONLY = True
LIMIT_SECONDS = 30
MEMORY_LIMIT = 1.2
MOMENT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', '2026-01-01', '+' || (n * 364.0 / :entries) || ' days'{later})",
    "postgresql": "timestamptz '2026-01-01 12:00:00Z' + (n * 364.0 / :entries) * interval '1 day'{later}",
}
LATER = {
    "sqlite": ", '+' || (n % 900 + {least}) || ' seconds'",
    "postgresql": " + (n % 900 + {least}) * interval '1 second'",
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


def fill(connection: Connection, count: int) -> None:
    """Answered entries of a year and of many places, and their receipts: all that statistics read."""
    kind = connection.dialect.name
    received, registered, taken = (
        MOMENT[kind].format(later=later).replace(" %H:%M:%f", r" %H\:%M\:%f").replace("12:00:00Z", r"12\:00\:00Z")
        for later in ("", LATER[kind].format(least=5), LATER[kind].format(least=20))
    )
    connection.execute(
        text(
            "INSERT INTO entries (id, konto_id, delivery_key, melding_id, melding_type, avsender_id, headers, missing,"
            " payload_id, size, received_at, deadline_at, state, attempts, failures, report_id, reference,"
            " lease_number, event_count, event_hash, kommunenummer, bydelsnummer, leveringskanal, registered_at)"
            f" {NUMBERS[kind]} SELECT 'entry-' || n, 'konto', 'key-' || n, 'melding-' || n,"
            " CASE WHEN n % 3 = 0 THEN 'no.ks.fiks.bekymringsmelding.privat.v2'"
            " ELSE 'no.ks.fiks.bekymringsmelding.offentlig.v2' END, 'avsender',"
            f" '{HEADERS.replace(':', chr(92) + ':')}', '[]', 'p-' || n, 20000, {received}, {received}, 'RECEIPTED', 1,"
            " 0, 'report-' || n, 'case-' || n, 1, 4, 'hash', CAST(4600 + n % 20 AS varchar(4)),"
            f" CAST(10 + n % 15 AS varchar(2)), 'Kanal ' || (n % 40), {registered} FROM numbers ORDER BY n"
        ),
        {"entries": count},
    )
    connection.execute(
        text(
            "INSERT INTO receipts (entry_id, answer, klient_melding_id, attempts, taken_at, melding_id)"
            f" {NUMBERS[kind]} SELECT 'entry-' || n, CASE WHEN n % 20 = 0 THEN 'feilet' ELSE 'mottatt' END, 'mine', 1,"
            f" {taken}, 'answer-' || n FROM numbers ORDER BY n"
        ),
        {"entries": count},
    )


async def filled(url: str, count: int) -> None:
    with mock.patch("fiksmelding.journal.postgresql.CALL_SECONDS", 7200):  # for filling only
        async with Journal(JournalSettings(url=url)) as journal:
            await journal._database.write(lambda connection: fill(connection, count))  # noqa: SLF001 - bulk SQL only
            await journal._database.write(lambda connection: connection.execute(text("ANALYZE")))  # noqa: SLF001


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
    return large[1] <= LIMIT_SECONDS and large[2] <= MEMORY_LIMIT * small[2]


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
