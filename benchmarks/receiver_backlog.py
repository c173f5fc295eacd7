"""A long backlog, half of it waiting in the journal and half in the queue: is it drained steadily, in constant memory?

Prints the reports a second and the receiver's memory for each tenth. The limits: the slowest tenth, the first left out,
is at least half as fast as the median; memory grows by at most a tenth after the first tenth.

`python -m benchmarks receiver_backlog [REPORTS]`; not among those of `make bench`.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from benchmarks import _queue, _receivers
from benchmarks._platform import platform
from benchmarks.receiver_throughput import wait_for
from fiksmelding.config import JournalSettings
from fiksmelding.journal import Arrival, Journal

BY_NAME_ONLY = True
REPORTS = 100_000
PARTS = 10
AT_ONCE = 50
SLOWEST = 0.5
GROWTH = 1.1


async def fill_journal(url: str, queue: _queue.Queue, reports: int) -> None:
    """Keep reports that nobody has worked on yet."""
    waiting = iter(range(reports))
    async with Journal(JournalSettings(url=url)) as journal:

        async def keep() -> None:
            for number in waiting:
                now = datetime.now(UTC)
                arrival = Arrival(
                    konto_id=str(queue.account.konto_id),
                    melding_id=str(uuid4()),
                    melding_type=_queue.MELDING_TYPE,
                    avsender_id=_queue.AVSENDER_ID,
                    klient_melding_id=str(uuid4()),
                    bekymringsmelding_id=str(uuid4()),
                    received_at=now,
                    deadline_at=now + timedelta(days=1),
                )
                await journal.keep(arrival, queue.body(number))

        await asyncio.gather(*(keep() for _ in range(AT_ONCE)))


def main() -> None:
    reports = next((int(word) for word in sys.argv[1:] if word.isdecimal()), REPORTS)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        queue = stack.enter_context(_queue.queue(folder))
        its = stack.enter_context(platform(queue.account.api_port))
        url = f"sqlite:///{folder}/journal.db"
        asyncio.run(fill_journal(url, queue, reports // 2))
        queue.fill(reports - reports // 2)
        (folder / "reports").mkdir()
        settings = _receivers.write_settings(queue.account, its.url, url)
        receiver = stack.enter_context(_receivers.running(_receivers.ours(settings, folder / "reports")))
        speeds, memory, began = [], [], time.monotonic()
        for part in range(1, PARTS + 1):
            wait_for(its, reports * part // PARTS, patience=3600.0)
            now = time.monotonic()
            speeds.append(reports / PARTS / (now - began))
            memory.append(receiver.memory() / 2**20)
            began = now
            print(f"{reports * part // PARTS:,} of {reports:,}: {speeds[-1]:.0f}/s, {memory[-1]:.0f} MiB", flush=True)
    steady, growth = min(speeds[1:]) / statistics.median(speeds), max(memory[1:]) / memory[0]
    print(f"slowest tenth {steady:.2f} of the median, limit {SLOWEST:g}; memory {growth:.2f}, limit {GROWTH:g}")
    if steady < SLOWEST or growth > GROWTH:
        sys.exit("The backlog is not drained steadily in constant memory.")


if __name__ == "__main__":
    main()
