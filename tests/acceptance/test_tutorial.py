"""The tutorial, walked as it is written: its own code blocks, in an empty folder."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from support.tools import tool

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial-first-report.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SHELL = [code for language, code in BLOCKS if language == "sh"]


class Walker:
    """Someone with an empty folder, and terminals."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        # The virtual environment of the first block is the one that runs this test.
        path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
        self._environment = os.environ | {"PATH": path, "COLUMNS": "200"}

    def run(self, block: str) -> str:
        done = subprocess.run(
            [tool("bash"), "-euc", block],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def leave_running(self, block: str, *, until: str) -> "subprocess.Popen[str]":
        """Start it in a terminal of its own, and wait for a line that begins so."""
        process = subprocess.Popen(
            [tool("bash"), "-euc", f"exec {block.strip()}"],
            cwd=self._folder, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        self._stack.callback(self._end, process)
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith(until):
                return process
        raise AssertionError("".join(said))

    def end(self) -> None:
        self._stack.close()

    def _end(self, process: "subprocess.Popen[str]") -> None:
        process.terminate()
        process.communicate()


@pytest.fixture
def walker(tmp_path: Path) -> Iterator[Walker]:
    walking = Walker(tmp_path)
    yield walking
    walking.end()


def test_the_receiver_on_the_page_has_nothing_of_fiksmelding_in_it() -> None:
    [receiver] = [code for language, code in BLOCKS if language == "python"]

    assert not re.search(r"^\s*(from|import) fiksmelding", receiver, re.MULTILINE)
    assert "fiksmelding[simulator]" in SHELL[0]


@pytest.mark.timeout(120)
def test_a_stranger_gets_the_first_report_by_the_page_alone(walker: Walker, tmp_path: Path) -> None:
    tool("openssl")
    _, start, receive, submit, go_wrong = SHELL
    [receiver] = [code for language, code in BLOCKS if language == "python"]

    walker.leave_running(start, until="ready:")
    (tmp_path / "receiver.py").write_text(receiver, "utf-8")
    running = walker.leave_running(receive, until="waiting for reports")
    told = walker.run(submit)

    assert "AKSEPTERT → SENDT_FAGSYSTEM → LEVERT" in told
    assert told.split()[-2:] == ["bekymringsmelding.json", "bekymringsmelding.pdf"]
    [report] = (tmp_path / "received").iterdir()
    assert (report / "bekymringsmelding.pdf").read_bytes().startswith(b"%PDF-")
    assert "LEVERT" in walker.run(go_wrong)
    assert running.wait(30) != 0, "the page says that the receiver has died"
