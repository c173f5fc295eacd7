"""From submission to `LEVERT`, with simulator and receiver as processes of their own.

The limit is two seconds. The receiver keeps, opens, stores the report in a folder, reads it back and answers; each step
is synced to disk before the next.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

LIMIT_SECONDS = 2.0
REPORTS = 25
COMMAND = [sys.executable, "-m", "fiksmelding"]
REPORT = Path(__file__).parents[1] / "examples" / "privat-v2.json"


@contextmanager
def process(*words: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        try:
            yield started
        finally:
            started.terminate()
            started.communicate(timeout=30)


def submit(control_url: str) -> str:
    query = "messageType=no.ks.fiks.bekymringsmelding.privat.v2&account=bergen"
    request = urllib.request.Request(
        f"{control_url}/control/reports?{query}", REPORT.read_bytes(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return str(json.load(response)["id"])


def seconds_to_levert(control_url: str, report_id: str) -> float | None:
    with urllib.request.urlopen(f"{control_url}/control/reports/{report_id}", timeout=10) as response:
        states = {change["tilstand"]: change["tidspunkt"] for change in json.load(response)["states"]}
    if "LEVERT" not in states:
        return None
    took = datetime.fromisoformat(states["LEVERT"]) - datetime.fromisoformat(states["AKSEPTERT"])
    return took.total_seconds()


def one(control_url: str) -> float:
    """Seconds from the moment the platform has accepted the report."""
    report_id = submit(control_url)
    for _ in range(1000):
        took = seconds_to_levert(control_url, report_id)
        if took is not None:
            return took
        time.sleep(0.02)
    raise SystemExit(f"report {report_id} was not delivered")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, process("simulator", "--dir", folder) as simulator:
        assert simulator.stdout is not None
        simulator.stdout.readline()
        control_url = json.loads((Path(folder) / "simulator.json").read_text("utf-8"))["control_url"]
        settings = f"{folder}/settings-bergen.toml"
        with process("receive", "--settings", settings, "--to-folder", f"{folder}/reports"):
            one(control_url)  # until the receiver has started
            took = sorted(one(control_url) for _ in range(REPORTS))
    median, worst = statistics.median(took), took[-1]
    print(f"submission to LEVERT, {REPORTS} reports one at a time: median {median:.3f} s, worst {worst:.3f} s")
    shares = f"median {median / LIMIT_SECONDS:.3f}, worst {worst / LIMIT_SECONDS:.3f}"
    print(f"share of the limit of {LIMIT_SECONDS:g} s: {shares}")


if __name__ == "__main__":
    main()
