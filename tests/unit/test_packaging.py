"""What is shipped to run a receiver with."""

import configparser
import shlex
import subprocess
from pathlib import Path

import pytest

from fiksmelding.config import ReceiverSettings
from support.tools import tool

PACKAGING = Path(__file__).parents[2] / "packaging"
UNIT = PACKAGING / "fiksmelding-receiver.service"
UNITS = sorted(path.name for path in PACKAGING.glob("fiksmelding*.*"))


@pytest.fixture
def beside_each_other(tmp_path: Path) -> Path:
    """Every unit, as systemd finds them once they are copied; the program they start is not installed here."""
    for unit in PACKAGING.glob("fiksmelding*.*"):
        text = unit.read_text("utf-8").replace("/opt/fiksmelding/bin/fiksmelding", "/bin/true")
        (tmp_path / unit.name).write_text(text, "utf-8")
    return tmp_path


@pytest.mark.parametrize("name", UNITS)
def test_systemd_understands_every_line_of_a_unit(name: str, beside_each_other: Path) -> None:
    verify = [tool("systemd-analyze"), "verify", "--man=no", str(beside_each_other / name)]
    checked = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


@pytest.mark.parametrize("name", [name for name in UNITS if name.endswith(".service")])
def test_systemd_finds_a_service_hardly_exposed(name: str, beside_each_other: Path) -> None:
    weigh = [tool("systemd-analyze"), "security", "--offline=true", "--threshold=20", str(beside_each_other / name)]
    weighed = subprocess.run(weigh, capture_output=True, text=True, check=False)
    assert weighed.returncode == 0, weighed.stdout


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


def test_everything_that_the_container_needs_from_the_checkout_is_there() -> None:
    lines = (PACKAGING / "Containerfile").read_text("utf-8").splitlines()
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    wanted = [name for names in copied for name in names]
    assert wanted
    assert [name for name in wanted if not (PACKAGING.parent / name).exists()] == []
