"""An ordinary day."""

import subprocess
import sys
from pathlib import Path

import pytest
from kommunesak.cases import Cases


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "cases.db"


@pytest.fixture
def program(fiks_account, database: Path):
    """Our program as it is installed: a process of its own."""
    command = [sys.executable, "-m", "kommunesak", str(fiks_account.settings_file), str(database)]
    process = subprocess.Popen(command)
    yield process
    process.kill()
    process.wait()


def test_a_report_becomes_a_case_and_the_platform_hears_of_it(fiks_report, program, database: Path) -> None:
    report = fiks_report(kind="offentlig", bydelsnummer="02")

    report.wait_for("LEVERT", timeout=30)

    assert Cases(database).reports() == {report.id: report.data.decode()}
    assert [receipt.message_type for receipt in report.receipts] == ["no.ks.fiks.bekymringsmelding.mottatt.v1"]


@pytest.mark.fiks_account("tromso")
def test_a_municipality_with_version_1_gets_its_reports_too(fiks_report, program, database: Path) -> None:
    report = fiks_report().wait_for("LEVERT", timeout=30)

    assert list(Cases(database).reports()) == [report.id]
