import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

PROGRAM = """
import sys
import fiksmelding
from pathlib import Path
from fiksmelding.messages import MessageType, parse_json, parse_xml, render_pdf

assert Path(fiksmelding.__file__).is_relative_to(sys.argv[1]), fiksmelding.__file__
message = parse_json(Path(sys.argv[2]).read_bytes(), MessageType.OFFENTLIG_V2)
assert parse_xml(message.to_xml()) == message
assert render_pdf(message).startswith(b"%PDF-")
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [built] = folder.glob("*.whl")
    return built


def test_the_wheel_carries_schemas_template_fonts_and_type_information(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert "fiksmelding/py.typed" in names
    assert {f"fiksmelding/schemas/{path.name}" for path in (ROOT / "schemas").glob("*.xsd")} <= set(names)
    assert any(name.endswith(".typ") for name in names)
    assert any(name.endswith(".ttf") for name in names)
    assert not any(name.startswith(("tests/", "benchmarks/")) for name in names)


def test_what_is_in_the_wheel_works_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    example = ROOT / "examples" / "offentlig-v2.json"
    # The unpacked copy must not count as code that no test runs.
    uncovered = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path), str(example)],
        cwd=tmp_path,
        env={**uncovered, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
