"""The tutorial, walked as it is written: its own code blocks, in an empty folder."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.documentation import Page
from support.terminal import Terminal, terminal
from support.tools import tool

PAGE = Page("docs/tutorial-first-report.md")
SHELL = [block.code for block in PAGE.blocks if block.language == "sh"]
PYTHON = [block.code for block in PAGE.blocks if block.language == "python"]


@pytest.fixture
def walker(tmp_path: Path) -> Iterator[Terminal]:
    with terminal(tmp_path) as walking:
        yield walking


def test_the_receiver_on_the_page_has_nothing_of_fiksmelding_in_it() -> None:
    [receiver] = PYTHON

    assert not re.search(r"^\s*(from|import) fiksmelding", receiver, re.MULTILINE)
    assert "fiksmelding[simulator]" in SHELL[0]


@pytest.mark.timeout(120)
def test_a_stranger_gets_the_first_report_by_the_page_alone(walker: Terminal, tmp_path: Path) -> None:
    tool("openssl")
    _, start, receive, submit, go_wrong = SHELL
    [receiver] = PYTHON

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
