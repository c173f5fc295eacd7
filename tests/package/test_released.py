"""The wheel and the source distribution, as somebody has them who has nothing else."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from support.documents import EXAMPLES, ROOT
from support.released import Installed, Released, build

pytestmark = [pytest.mark.package, pytest.mark.timeout(300)]

PROGRAM = """
from pathlib import Path

from fiksmelding import Receiver, Registered, Report, Settings
from fiksmelding.messages import OffentligBekymringsmelding, parse_json


async def register(report: Report) -> Registered:
    assert report.message is not None
    return Registered(reference=report.message.kommunenummer)


async def main() -> None:
    async with Receiver(Settings.load(Path("fiksmelding.toml")), register) as receiver:
        await receiver.run()
"""
MISTAKE = PROGRAM.replace("reference=report.message.kommunenummer", "reference=4601")


def test_twine_has_nothing_to_say_against_either(released: Released) -> None:
    check = [sys.executable, "-m", "twine", "check", "--strict", str(released.wheel), str(released.source)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_source_distribution_builds_the_same_wheel(released: Released, tmp_path: Path) -> None:
    with tarfile.open(released.source) as archive:
        archive.extractall(tmp_path, filter="data")
    [unpacked] = tmp_path.iterdir()
    build(unpacked, tmp_path, "--wheel")
    assert (tmp_path / released.wheel.name).read_bytes() == released.wheel.read_bytes()


def test_the_wheel_carries_schemas_template_fonts_and_type_information_and_no_tests(released: Released) -> None:
    with zipfile.ZipFile(released.wheel) as archive:
        names = archive.namelist()
    assert "fiksmelding/py.typed" in names
    assert {f"fiksmelding/schemas/{path.name}" for path in (ROOT / "schemas").glob("*.xsd")} <= set(names)
    assert any(name.endswith(".typ") for name in names)
    assert any(name.endswith(".ttf") for name in names)
    assert {name.split("/", 1)[0].split("-", 1)[0] for name in names} == {"fiksmelding"}


def test_the_demo_runs_from_the_wheel_alone(installed: Installed, tmp_path: Path) -> None:
    told = installed.run("fiksmelding", "demo", folder=tmp_path)
    assert "LEVERT" in told
    assert list(tmp_path.iterdir()) == []


def test_the_wheel_makes_a_pdf_with_its_own_fonts_and_xml_by_its_own_schemas(
    installed: Installed, tmp_path: Path
) -> None:
    report = EXAMPLES / "offentlig-v2.json"
    installed.run("fiksmelding", "pdf", report, "--out", "report.pdf", folder=tmp_path)
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")
    installed.run("fiksmelding", "convert", report, "--to", "xml", "--out", "report.xml", folder=tmp_path)
    installed.run("fiksmelding", "validate", "report.xml", folder=tmp_path)


def test_a_user_s_mypy_reads_the_wheel_s_types(installed: Installed, tmp_path: Path) -> None:
    (tmp_path / "right.py").write_text(PROGRAM, "utf-8")
    (tmp_path / "mistaken.py").write_text(MISTAKE, "utf-8")
    python = installed.programs / "python"
    check = [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--python-executable={python}", "."]
    done = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True, check=False)
    *problems, _ = done.stdout.splitlines()
    [problem] = problems
    assert problem.startswith("mistaken.py:")
    assert 'Argument "reference" to "Registered" has incompatible type "int"; expected "str"' in problem
