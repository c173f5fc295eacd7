"""Reports found a receiver for, rendered, sealed twice, kept and submitted per second; and what a bulk does to memory.

The limit is the same platform given the same sealed bytes over and over: one HTTP client, nothing rendered, nothing
sealed, nothing kept. `FIKSMELDING_BENCH_REPORTS=10000` makes the bulk as large as a large school owner's.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fiksmelding import Sender, Settings
from fiksmelding.fiks import FiksSession, Reports
from fiksmelding.journal.outbox import OutgoingState, SealedCopies
from fiksmelding.messages import MessageType, OffentligBekymringsmelding, parse_json

ROUNDS = 3
REPORTS = 150
AT_ONCE = 8
BULK = int(os.environ.get("FIKSMELDING_BENCH_REPORTS", "1000"))
MEMORY_LIMIT = 1.25
"""How much more memory the whole bulk may take than its first fifth."""
UNSETTLED = (OutgoingState.QUEUED, OutgoingState.SUBMITTING)


@contextmanager
def platform(folder: Path) -> Iterator[Settings]:
    command = [sys.executable, "-m", "benchmarks._reporting_platform", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        try:
            assert started.stdout is not None
            started.stdout.readline()
            yield Settings.load(folder / "settings.toml", {})
        finally:
            started.kill()


def report() -> OffentligBekymringsmelding:
    data = (Path(__file__).parents[1] / "examples" / "offentlig-v2.json").read_bytes()
    read = parse_json(data, MessageType.OFFENTLIG_V2)
    assert isinstance(read, OffentligBekymringsmelding)
    return read


async def several_at_once(count: int, work: Callable[[int], Awaitable[object]], at_once: int = AT_ONCE) -> float:
    """Seconds for so many calls of `work`."""
    waiting = iter(range(count))

    async def one_after_the_other() -> None:
        for number in waiting:
            await work(number)

    began = time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(at_once)))
    return time.perf_counter() - began


async def sent_per_second(settings: Settings) -> tuple[float, SealedCopies]:
    async with Sender(settings) as sender:
        one = report()
        first = await sender.send(one)
        await first.until(OutgoingState.ACCEPTED, OutgoingState.DELIVERED)
        copies = await sender.outbox.copies(await first.now())
        began = time.perf_counter()
        await several_at_once(REPORTS, lambda _: sender.send(one))
        while await sender.outbox.count(*UNSETTLED):
            await sender.change()
        return REPORTS / (time.perf_counter() - began), copies


async def submitted_per_second(settings: Settings, copies: SealedCopies) -> float:
    async with FiksSession(settings) as session:
        reports = Reports(session)

        async def submit(_: int) -> None:
            kind = MessageType.OFFENTLIG_V2
            await reports.submit(kind, "4601", "02", asice=copies.asice, print_copy=copies.print_copy)

        await submit(0)
        return REPORTS / await several_at_once(REPORTS, submit)


def resident() -> int:
    """Memory in use, in KiB."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


async def bulk(settings: Settings) -> tuple[float, list[int]]:
    """Reports per second up to `LEVERT`, and the memory after each fifth."""
    memory: list[int] = []
    async with Sender(settings) as sender:
        one, began = report(), time.perf_counter()

        async def send(number: int) -> None:
            await sender.send(one, key=f"report-{number}")
            if (number + 1) % (BULK // 5) == 0:
                memory.append(resident())

        await several_at_once(BULK, send)
        while await sender.outbox.count(OutgoingState.DELIVERED) < BULK:
            await sender.change()
        memory.append(resident())
        return BULK / (time.perf_counter() - began), memory


def main() -> None:
    ours: list[float] = []
    limit: list[float] = []
    with tempfile.TemporaryDirectory() as folder, platform(Path(folder)) as settings:
        for _ in range(ROUNDS):
            speed, copies = asyncio.run(sent_per_second(settings))
            ours.append(speed)
            limit.append(asyncio.run(submitted_per_second(settings, copies)))
    one, other = statistics.median(ours), statistics.median(limit)
    print(f"reports per second, {AT_ONCE} at once: {one:.0f} sealed, kept and submitted; {other:.0f} submitted only")
    print(f"share of what the platform and one client can do: {one / other:.2f}")
    if not Path("/proc/self/status").exists():
        return
    with tempfile.TemporaryDirectory() as folder, platform(Path(folder)) as settings:
        speed, memory = asyncio.run(bulk(settings))
    shown = ", ".join(f"{kib / 1024:.0f}" for kib in memory)
    print(f"a bulk of {BULK} up to LEVERT: {speed:.0f} per second; MiB after each fifth and at the end: {shown}")
    print(f"memory at the end over that after a fifth: {memory[-1] / memory[0]:.2f}, limit {MEMORY_LIMIT:g}")


if __name__ == "__main__":
    main()
