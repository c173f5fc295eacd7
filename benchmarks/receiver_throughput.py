"""Reports a second from a full queue, and how long one takes from publishing to the receipt that the platform took.

Our receiver, on SQLite and on PostgreSQL, beside a consumer on KS's Java client that writes the files and answers
`mottatt`: ours has each report durable before the acknowledgement and each step before the next, that one nothing. Same
queue (RabbitMQ, quorum queue, TLS), same prefetch, same reports, same platform, each in a process of its own, in turns.

The limit: at least 1.5 times the Java consumer's throughput.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from benchmarks import _queue, _receivers
from benchmarks._platform import Platform, platform
from support import ks_client, postgresql

REPORTS = 900
NOT_COUNTED = 600
"""The first ones: until the receiver has started, and Java has compiled. After 100 it runs at half its speed."""
ROUNDS = 3
LATENCY_REPORTS = 200
PER_SECOND = 10.0
LIMIT = 1.5
PATIENCE_SECONDS = 300.0

JAVA = "Java consumer"

Command = Callable[[], Sequence[str]]


@dataclass
class Figures:
    """What was measured of one receiver.

    Attributes:
        per_second: Reports a second, per round.
        processor_ms: Processor time for each report, in ms, per round.
    """

    per_second: list[float] = field(default_factory=list)
    processor_ms: list[float] = field(default_factory=list)


def drain(queue: _queue.Queue, its: Platform, command: Sequence[str], *, receivers: int = 1) -> tuple[float, float]:
    """Reports a second from a full queue, and the receivers' processor time for each, in ms."""
    its.forget()
    queue.fill(REPORTS)
    with ExitStack() as stack:
        running = [stack.enter_context(_receivers.running(command)) for _ in range(receivers)]
        wait_for(its, NOT_COUNTED)
        began, already = sum(one.processor_seconds() for one in running), its.count()
        wait_for(its, REPORTS)
        used = sum(one.processor_seconds() for one in running) - began
    moments = sorted(moment for moment, _ in its.taken().values())
    return (REPORTS - NOT_COUNTED) / (moments[-1] - moments[NOT_COUNTED - 1]), used / (REPORTS - already) * 1000


def latency(queue: _queue.Queue, its: Platform, command: Sequence[str]) -> tuple[float, float]:
    """Median and 99th percentile from publishing to the receipt, in ms, with reports coming now and then."""
    its.forget()
    queue.fill(20)
    with _receivers.running(command):
        wait_for(its, 20)
        sent = queue.publish(LATENCY_REPORTS, PER_SECOND)
        wait_for(its, 20 + LATENCY_REPORTS)
    taken = its.taken()
    took = sorted((taken[melding_id][0] - moment) * 1000 for melding_id, moment in sent)
    return statistics.median(took), took[int(len(took) * 0.99)]


def wait_for(its: Platform, reports: int, *, patience: float = PATIENCE_SECONDS) -> None:
    until = time.monotonic() + patience
    while its.count() < reports:
        if time.monotonic() > until:
            raise SystemExit(f"only {its.count()} of {reports} reports were answered in {patience:.0f} s")
        time.sleep(0.05)


@contextmanager
def contestants() -> Iterator[tuple[_queue.Queue, Platform, dict[str, Command]]]:
    """The queue, the platform, and each receiver's command; ours starts with an empty journal each time."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        queue = stack.enter_context(_queue.queue(folder))
        its = stack.enter_context(platform(queue.account.api_port))
        databases = postgresql.Databases(stack.enter_context(postgresql.server()))
        (folder / "reports").mkdir()
        ks_client.build()
        numbers = count(1)

        def ours(journal_url: str) -> Sequence[str]:
            return _receivers.ours(_receivers.write_settings(queue.account, its.url, journal_url), folder / "reports")

        commands: dict[str, Command] = {
            "SQLite": lambda: ours(f"sqlite:///{folder}/journal-{next(numbers)}.db"),
            "PostgreSQL": lambda: ours(databases.make()),
            JAVA: lambda: _receivers.java(queue.account, its.url, folder / "java"),
        }
        yield queue, its, commands


def main() -> None:
    with contestants() as (queue, its, commands):
        figures = {name: Figures() for name in commands}
        for _ in range(ROUNDS):
            for name, command in commands.items():
                per_second, processor_ms = drain(queue, its, command())
                figures[name].per_second.append(per_second)
                figures[name].processor_ms.append(processor_ms)
        speeds = {name: statistics.median(found.per_second) for name, found in figures.items()}
        for name, found in figures.items():
            cost = statistics.median(found.processor_ms)
            median, worst = latency(queue, its, commands[name]())
            print(
                f"{name}: {speeds[name]:.0f} reports/s, {cost:.1f} ms processor time each; "
                f"publish to receipt at {PER_SECOND:g}/s: p50 {median:.0f} ms, p99 {worst:.0f} ms",
                flush=True,
            )
    shares = ", ".join(f"{name} {speed / speeds[JAVA]:.2f}" for name, speed in speeds.items() if name != JAVA)
    print(f"times the Java consumer's throughput: {shares}; limit {LIMIT:g}")


if __name__ == "__main__":
    main()
