"""What is shipped to run a receiver with."""

import configparser
import shlex
import subprocess
from pathlib import Path

from fiksmelding.config import ReceiverSettings
from support.tools import tool

PACKAGING = Path(__file__).parents[2] / "packaging"
UNIT = PACKAGING / "fiksmelding-receiver.service"


def test_systemd_understands_every_line_of_the_unit(tmp_path: Path) -> None:
    here = tmp_path / UNIT.name
    here.write_text(UNIT.read_text("utf-8").replace("/opt/fiksmelding/bin/fiksmelding", "/bin/true"), "utf-8")
    checked = subprocess.run(
        [tool("systemd-analyze"), "verify", "--man=no", here], capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_unit_lets_a_receiver_stop_in_order_and_starts_it_again_for_ever() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.read(UNIT, "utf-8")
    assert float(unit["Service"]["TimeoutStopSec"]) > ReceiverSettings().stop_seconds
    assert (unit["Service"]["Restart"], unit["Unit"]["StartLimitIntervalSec"]) == ("always", "0")
    assert shlex.split(unit["Service"]["ExecStart"])[1] == "receive"


def test_the_container_runs_as_nobody_of_the_machine_and_writes_to_its_volume_alone() -> None:
    lines = (PACKAGING / "Containerfile").read_text("utf-8").splitlines()
    last_stage = lines[max(number for number, line in enumerate(lines) if line.startswith("FROM ")) :]
    assert "USER 10001" in last_stage
    assert "VOLUME /var/lib/fiksmelding" in last_stage
    assert "STOPSIGNAL SIGTERM" in last_stage
