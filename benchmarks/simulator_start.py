"""From `fiksmelding simulator` to its line `ready:`, in an empty folder and in one used before, beside the goal of 2 s.

In processor time: the wall clock tells more of what else the machine does. Left alone the two are alike, since starting
waits for nothing but the disk.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

GOAL_SECONDS = 2.0
RUNS = 5


def start(folder: Path) -> tuple[float, float]:
    """Seconds of the wall clock until it is ready, and of the processor until it has ended."""
    before = _processor()
    began = time.perf_counter()
    command = [sys.executable, "-m", "fiksmelding", "simulator", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith(b"ready:")
        elapsed = time.perf_counter() - began
        process.terminate()
    return elapsed, _processor() - before


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    times: dict[str, list[tuple[float, float]]] = {"empty folder, keys made": [], "folder used before": []}
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            for measured in times.values():
                measured.append(start(Path(folder)))
    for name, measured in times.items():
        wall, processor = (statistics.median(column) for column in zip(*measured, strict=True))
        share = processor / GOAL_SECONDS
        print(f"{name:24} {share:.2f} of the goal ({processor:.2f} s processor, {wall:.2f} s wall clock)")


if __name__ == "__main__":
    main()
