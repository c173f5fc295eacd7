"""One, two and four receivers on one PostgreSQL journal and one queue: reports a second together.

Each receiver is a process. How far it scales depends on the machine's processors, of which RabbitMQ, PostgreSQL and the
platform want their share too; the figures name how many there are. Not among those of `make bench`.
"""

import os
import statistics

from benchmarks import receiver_throughput as throughput

BY_NAME_ONLY = True
RECEIVERS = (1, 2, 4)
ROUNDS = 3


def main() -> None:
    with throughput.contestants() as (queue, its, commands):
        found: dict[int, list[float]] = {number: [] for number in RECEIVERS}
        for _ in range(ROUNDS):
            for number in RECEIVERS:
                # One command for all of them: the same settings, and so the same journal.
                per_second, _cost = throughput.drain(queue, its, commands["PostgreSQL"](), receivers=number)
                found[number].append(per_second)
    medians = {number: statistics.median(speeds) for number, speeds in found.items()}
    for number, speed in medians.items():
        print(
            f"{number} receivers on {os.cpu_count()} processors: {speed:.0f} reports/s, {speed / medians[1]:.2f} of one"
        )


if __name__ == "__main__":
    main()
