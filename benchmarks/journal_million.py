"""A report's way through a journal that holds a million entries, beside one through an empty journal.

Both journals are of the same kind and on the same disk, and take the same reports in turns, round after round: keep,
claim, look for repetitions, three steps, next due. The million are the entries of four months: receipted, each with its
four events and its receipt, the oldest quarter erased, as after 90 days.

The limit: at most 1.2 times as long. `python -m benchmarks journal_million [ENTRIES]`; not among those of `make bench`.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock
from uuid import uuid4

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from sqlalchemy import Connection, text

from fiksmelding.config import JournalSettings
from fiksmelding.journal import Answer, Arrival, Change, EventKind, Journal, Receipt, State
from support import postgresql

BY_NAME_ONLY = True
ENTRIES = 1_000_000
REPORTS = 100
ROUNDS = 7
LIMIT = 1.2
BODY = bytes(20_000)
OWNER = str(uuid4())
LEASE = timedelta(seconds=60)

NUMBERS = {
    "sqlite": "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :entries)",
    "postgresql": "WITH numbers AS (SELECT generate_series(1, CAST(:entries AS integer)) AS n)",
}
UUID = {
    "sqlite": "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-8'"
    " || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))",
    "postgresql": "CAST(gen_random_uuid() AS varchar)",
}
MOMENT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%f000', 'now', '-' || (1 + (:entries - n) * 120.0 / :entries) || ' days')",
    "postgresql": "now() - (1 + (:entries - n) * 120.0 / :entries) * interval '1 day'",
}
HEADERS = '{"melding-id": "00000000-0000-4000-8000-000000000000", "avsender-navn": "Nasjonal portal"}'


def fill(connection: Connection, count: int) -> None:
    """As many entries as years of reports make, by the database itself."""
    kind = connection.dialect.name
    numbers, uuid, moment = NUMBERS[kind], UUID[kind], MOMENT[kind]
    run = connection.execute
    if kind == "sqlite":
        run(text("PRAGMA cache_size = -600000"))  # for filling only: the connection goes back to its own afterwards
    run(
        text(
            "INSERT INTO entries (id, konto_id, delivery_key, melding_id, melding_type, avsender_id,"
            " klient_melding_id, bekymringsmelding_id, headers, missing, payload_id, size, sha256, received_at,"
            " deadline_at, state, attempts, failures, report_id, reference, lease_number, event_count, event_hash)"
            f" {numbers}, made AS (SELECT n, {uuid} AS id, {uuid} AS melding_id, {uuid} AS bekymring,"
            f" {uuid} AS client, {moment} AS moment FROM numbers)"
            " SELECT id, '5f2f2b2a-6a4b-4f0e-9f57-3a4e8a2c0001', melding_id || '/sha256/' || n, melding_id,"
            " 'no.ks.fiks.bekymringsmelding.privat.v2', '4f6e21d8-3c7b-4b9c-9e0a-111111111111', client, bekymring,"
            f" '{HEADERS.replace(':', chr(92) + ':')}', '[]', 'p-' || n, 20000, 'sha-' || n, moment, moment,"
            " CASE WHEN n < :entries / 4 THEN 'ERASED' ELSE 'RECEIPTED' END, 1, 0, bekymring, 'case-' || n, 1, 4,"
            " 'hash' FROM made ORDER BY n"
        ),
        {"entries": count},
    )
    run(
        text(
            "INSERT INTO receipts (entry_id, answer, klient_melding_id, attempts, taken_at, melding_id)"
            f" SELECT id, 'mottatt', {uuid}, 1, received_at, {uuid} FROM entries"
        )
    )
    for number, event in enumerate(("kept", "opened", "registered", "receipted"), start=1):
        run(
            text(
                "INSERT INTO events (entry_id, number, at, kind, detail, hash)"
                f" SELECT id, {number}, received_at, '{event}', '{{}}', '{'0' * 64}' FROM entries ORDER BY sequence"
            )
        )
    if kind == "sqlite":
        run(text("PRAGMA cache_size = -2000"))


async def made(url: str, count: int) -> Journal:
    journal = Journal(JournalSettings(url=url))
    await journal.__aenter__()
    if count:
        await journal.aclose()
        with mock.patch("fiksmelding.journal.postgresql.CALL_SECONDS", 7200):  # for filling only
            await journal.__aenter__()
            await journal._database.write(lambda connection: fill(connection, count))  # noqa: SLF001 - bulk SQL only
            await journal._database.write(lambda connection: connection.execute(text("ANALYZE")))  # noqa: SLF001
        await journal.aclose()
        await journal.__aenter__()
    return journal


async def one(journal: Journal) -> None:
    """A report on its way, as the receiver takes it."""
    now = datetime.now(UTC)
    delivery = Arrival(
        konto_id="5f2f2b2a-6a4b-4f0e-9f57-3a4e8a2c0001",
        melding_id=str(uuid4()),
        melding_type="no.ks.fiks.bekymringsmelding.privat.v2",
        avsender_id="4f6e21d8-3c7b-4b9c-9e0a-111111111111",
        klient_melding_id=str(uuid4()),
        bekymringsmelding_id=str(uuid4()),
        received_at=now,
        deadline_at=now + timedelta(days=1),
    )
    await journal.keep(delivery, uuid4().bytes + BODY)
    [entry] = await journal.claim(datetime.now(UTC), owner=OWNER, lease=LEASE, limit=4)
    async for _ in journal.payload(entry):
        pass
    assert await journal.earlier_like(entry) == []
    report_id = delivery.bekymringsmelding_id or ""
    assert not await journal.report_id_taken(report_id, by_other_than=entry.id)
    receipt = Receipt(Answer.MOTTATT, str(uuid4()))
    changes = (
        Change(event=EventKind.OPENED, state=State.OPENED, due_at=now, attempts=1, report_id=report_id),
        Change(event=EventKind.REGISTERED, state=State.REGISTERED, due_at=now, reference="x", receipt=receipt),
        Change(event=EventKind.RECEIPTED, state=State.RECEIPTED, due_at=None, receipt=replace(receipt, taken_at=now)),
    )
    for change in changes:
        entry = await journal.record(entry, change, at=now)
    assert await journal.next_due(owner=OWNER) is None


async def milliseconds(journal: Journal) -> float:
    """What a report takes, one after the other."""
    began = time.perf_counter()
    for _ in range(REPORTS):
        await one(journal)
    return (time.perf_counter() - began) / REPORTS * 1000


async def compare(kind: str, empty_url: str, full_url: str, count: int) -> float:
    began = time.perf_counter()
    empty, full = await made(empty_url, 0), await made(full_url, count)
    filled = time.perf_counter() - began
    try:
        for journal in (empty, full):
            await milliseconds(journal)
        pairs = [(await milliseconds(empty), await milliseconds(full)) for _ in range(ROUNDS)]
        ratio = statistics.median(after / before for before, after in pairs)
        before, after = (statistics.median(times) for times in zip(*pairs, strict=True))
        print(
            f"{kind}: {after:.2f} ms a report among {count:,} entries (filled in {filled:.0f} s), "
            f"{before:.2f} ms in an empty journal; ratio {ratio:.2f}, limit {LIMIT:g}",
            flush=True,
        )
        for name, look in (
            ("unanswered", full.unanswered()),
            ("receipted_before, 500", full.receipted_before(datetime.now(UTC) - timedelta(days=90), limit=500)),
        ):
            began = time.perf_counter()
            await look
            print(f"  {name}: {(time.perf_counter() - began) * 1000:.1f} ms")
        return ratio
    finally:
        await empty.aclose()
        await full.aclose()


def main() -> None:
    count = next((int(word) for word in sys.argv[1:] if word.isdecimal()), ENTRIES)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        urls = [f"sqlite:///{folder}/{name}.db" for name in ("empty", "full")]
        ratios = [asyncio.run(compare("SQLite", urls[0], urls[1], count))]
        databases = postgresql.Databases(stack.enter_context(postgresql.server()))
        ratios.append(asyncio.run(compare("PostgreSQL", databases.make(), databases.make(), count)))
    if max(ratios) > LIMIT:
        sys.exit("A full journal is too slow.")


if __name__ == "__main__":
    main()
