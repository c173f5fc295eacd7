"""The PDF of a typical report, and of one of twenty pages, against the limit of 25 ms."""

import statistics
import time

from fiksmelding.messages import Bekymringsmelding, MessageType, render_pdf
from fiksmelding.simulator.synthetic import Length, SyntheticReports

LIMIT_SECONDS = 0.025
REPORTS = 60


def seconds(report: Bekymringsmelding) -> tuple[float, float]:
    """Time on the clock, and of the processors: on a busy machine only the latter tells."""
    start, busy = time.perf_counter(), time.process_time()
    render_pdf(report, report_id="8d1b0a0e-6f0c-4a3e-9d53-2f5f6f6f5f00")
    return time.perf_counter() - start, time.process_time() - busy


def main() -> None:
    made = SyntheticReports(1)
    seconds(made.report(MessageType.PRIVAT_V2))  # reads the fonts
    took = [seconds(made.report(MessageType.OFFENTLIG_V2, length=Length.TYPICAL)) for _ in range(REPORTS)]
    median = statistics.median(clock for clock, _ in took)
    busy = statistics.median(busy for _, busy in took)
    print(f"PDF of a typical report: median {median * 1000:.1f} ms, of processors {busy * 1000:.1f} ms")
    print(f"PDF of a typical report: {median / LIMIT_SECONDS:.2f} of the limit of {LIMIT_SECONDS * 1000:.0f} ms")
    _, book = seconds(made.report(MessageType.OFFENTLIG_V2, length=Length.TWENTY_PAGES))
    print(f"PDF of a report of about twenty pages: {book / busy:.1f} times a typical one")


if __name__ == "__main__":
    main()
