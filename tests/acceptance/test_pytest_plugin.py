"""The pytest plugin as a vendor has it: in a project of its own, under whatever asynchronous framework."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.documentation import Page
from support.tools import required

VENDOR = Path(__file__).parents[2] / "examples" / "vendor"

UNDER_EVERY_FRAMEWORK = """
import asyncio
import threading
import unittest

import anyio
import pytest

STATE = "SENDT_FAGSYSTEM"


def test_synchronous(fiks, fiks_account, fiks_report):
    report = fiks_report(kind="offentlig", version=1).wait_for(STATE)
    assert report.states == ("AKSEPTERT", STATE)
    assert fiks.reports()[0].account_id == fiks_account.id
    assert fiks_account.settings_file.exists() and fiks_account.private_key.exists()
    assert fiks_account.integration_password not in repr(fiks_account)


@pytest.mark.asyncio
async def test_pytest_asyncio(fiks_report):
    report = await asyncio.to_thread(fiks_report)
    await asyncio.to_thread(report.wait_for, STATE)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.anyio
async def test_anyio(fiks_report):
    report = await anyio.to_thread.run_sync(fiks_report)
    await anyio.to_thread.run_sync(report.wait_for, STATE)


class Test(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _fixtures(self, fiks_report):
        self.submit = fiks_report

    def test_unittest(self):
        self.submit().wait_for(STATE)


@pytest.mark.fiks_account("tromso")
def test_marked_for_another_account(fiks_account, fiks_report):
    assert fiks_account.name == "tromso"
    assert fiks_report().message_type.endswith("privat.v1")
    assert fiks_report(account="oslo", bydelsnummer="15").message_type.endswith("privat.v2")


@pytest.mark.fiks_seed(7)
def test_invented_reports_are_the_seeds_own(fiks_report):
    from fiksmelding.simulator.synthetic import SyntheticReports

    report = fiks_report()
    assert report.data == SyntheticReports(7).report(report.message_type).to_json()


def test_a_report_of_ones_own(fiks_report):
    data = fiks_report().data
    assert fiks_report(data).data == data


@pytest.mark.parametrize("fiks_incident", ["lost", "duplicated"], indirect=True)
def test_chosen_incidents(fiks, fiks_incident, fiks_report):
    assert fiks_incident.name in {"lost", "duplicated"}
    fiks_report()
    assert fiks.struck() == 1


def test_all_incidents(fiks_incident):
    assert fiks_incident.what


def test_the_platform_is_gone_when_its_test_is():
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("fiks-simulator")]
"""

UNUSED = """
import sys


def test_nothing_of_it_is_loaded(fiks_of_our_own):
    assert fiks_of_our_own == "ours"
    loaded = sorted(name for name in sys.modules if name.startswith("fiksmelding."))
    assert loaded == ["fiksmelding.pytest_plugin"]
    assert "aiohttp" not in sys.modules
    assert "cryptography" not in sys.modules
"""
OWN_FIXTURE = """
import pytest


@pytest.fixture
def fiks():
    return "ours"


@pytest.fixture
def fiks_of_our_own(fiks):
    return fiks
"""


A_VENDOR_S_OWN = """
import subprocess
import sys

import pytest


class CaseSystem:
    def __init__(self, folder):
        self.folder = folder

    def start(self, settings):
        words = ["receive", "--settings", settings, "--to-folder", self.folder]
        self.process = subprocess.Popen([sys.executable, "-m", "fiksmelding", *words])

    def has(self, report_id):
        return any(report_id in file.read_text() for file in self.folder.glob("*/report.json"))


@pytest.fixture
def case_system(tmp_path):
    one = CaseSystem(tmp_path / "cases")
    yield one
    one.process.terminate()
    one.process.wait(30)


@pytest.fixture
def receiver(case_system, fiks_account):
    case_system.start(fiks_account.settings_file)
"""


def run_pytest(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(folder / "src"), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-m", "pytest", "--strict-markers", "-q", "-p", "no:cov", "-p", "no:xdist", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    return tmp_path


def test_it_works_without_a_framework_and_under_each(project: Path) -> None:
    (project / "test_vendor.py").write_text(UNDER_EVERY_FRAMEWORK)

    done = run_pytest(project)

    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


def test_the_tests_on_its_page_pass_as_they_stand(project: Path) -> None:
    (project / "conftest.py").write_text(A_VENDOR_S_OWN)
    programs = [block.code for block in Page("docs/testing.md").blocks if block.language == "python"]
    for number, program in enumerate(programs):
        (project / f"test_page_{number}.py").write_text(f"import asyncio\n\nimport pytest\n\n\n{program}")

    done = run_pytest(project)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(programs)} passed" in done.stdout


def test_it_costs_nothing_where_it_is_not_used_and_gives_way_to_fixtures_of_the_same_name(project: Path) -> None:
    (project / "conftest.py").write_text(OWN_FIXTURE)
    (project / "test_unused.py").write_text(UNUSED)

    done = run_pytest(
        project, "-p", "no:asyncio", "-p", "no:anyio", "-p", "no:schemathesis", "-p", "no:hypothesispytest"
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.timeout(300)  # Every incident, some of which last until a deadline has passed.
def test_the_example_vendors_own_tests_pass() -> None:
    chosen = () if required() else ("-k", "intake or duplicated or lost")

    done = run_pytest(VENDOR, "-p", "no:asyncio", "-p", "no:cacheprovider", *chosen)

    assert done.returncode == 0, done.stdout + done.stderr
