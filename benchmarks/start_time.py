"""`import fiksmelding` and `fiksmelding --help`, beside their limits and beside a Python that does nothing.

Median of pairs, each a run of ours right after a bare one, so that both meet the same machine. What counts is the wall
clock, which is what somebody waits for; processor time stands beside it, for a busy machine adds to the clock alone.
"""

import resource
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

RUNS = 15
BARE = (sys.executable, "-c", "pass")
MEASURED = {
    "import fiksmelding": ((sys.executable, "-c", "import fiksmelding"), 0.2),
    "fiksmelding --help": ((str(Path(sys.executable).with_name("fiksmelding")), "--help"), 0.4),
}


@dataclass(frozen=True)
class Cost:
    """What one run took, in seconds of the wall clock and of the processor."""

    wall: float
    processor: float


def cost(command: tuple[str, ...]) -> Cost:
    before = _processor()
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return Cost(time.perf_counter() - began, _processor() - before)


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    for name, (command, limit) in MEASURED.items():
        cost(command)  # compiles what is not compiled yet
        pairs = [(cost(BARE), cost(command)) for _ in range(RUNS)]
        wall = statistics.median(ours.wall for _, ours in pairs)
        processor = statistics.median(ours.processor for _, ours in pairs)
        ratio = statistics.median(ours.wall / bare.wall for bare, ours in pairs)
        print(
            f"{name:18} {wall / limit:.2f} of the limit of {limit * 1000:.0f} ms"
            f" ({wall * 1000:.0f} ms wall clock, {processor * 1000:.0f} ms processor, {ratio:.1f} times a bare Python)"
        )


if __name__ == "__main__":
    main()
