"""The commands on the pages: run as they stand, or at least there with the options that are shown."""

import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from fiksmelding.cli.app import app
from support.documentation import Block, Page, pages
from support.documents import ROOT
from support.terminal import Terminal, terminal
from support.tools import tool

WALKED = {"docs/start.md", "docs/tutorial-first-report.md", "docs/kommune/installere.md", "docs/kommune/drift.md"}
"""Pages that a test walks from top to bottom: here, in test_tutorial, and in tests/package/test_operators_path."""
RUN = [
    ("README.md", "Receive without programming"),
    ("README.md", "Send without programming"),
    ("docs/doctor.md", "The doctor"),
    ("docs/kommune/feil.md", "Når noe går galt"),
    ("docs/kommune/feil.md", "En melding er lagt til side"),
    ("docs/simulator.md", "The simulator"),
    ("docs/statistics.md", "Statistics"),
    ("docs/statistics.md", "For the whole country"),
]
"""Pages and headings whose blocks are run below."""
BLOCKS = [block for page in pages() for block in page.blocks if block.language == "sh"]
INLINE = re.compile(r"`(fiksmelding [^`]+)`")
OURS = re.compile(r"^(?:/opt/fiksmelding/bin/)?fiksmelding ")
COMMANDS = typer.main.get_command(app)


def command_lines(code: str) -> Iterator[list[str]]:
    """Each command of ours in a block, as words."""
    here = re.sub(r"<<'(\w+)'\n.*?^\1$", "", code, flags=re.MULTILINE | re.DOTALL).replace("\\\n", " ")
    here = re.sub(r"\$\([^)]*\)", "OUTPUT", here)
    for line in here.splitlines():
        if OURS.match(line):
            words = shlex.split(line, comments=True)[1:]
            ends = [number for number, word in enumerate(words) if word in {">", "|", "&&"}]
            yield words[: ends[0]] if ends else words


def mistake_in(words: list[str]) -> str | None:
    """What our command line would say against these words; None if it would run them."""
    command: object = COMMANDS
    context = typer.Context(COMMANDS, info_name="fiksmelding")
    while isinstance(command, TyperGroup) and words and not words[0].startswith("-"):
        name, *words = words
        if name not in command.commands:
            return f"there is no {context.command_path} {name}"
        command = command.commands[name]
        context = typer.Context(command, info_name=name, parent=context)
    try:
        context.command.parse_args(context, list(words))
    except typer.Exit:
        return None
    except Exception as error:  # noqa: BLE001 - whatever it says is the mistake
        return f"{shlex.join(words)}: {error}"
    return None


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_the_commands_and_options_on_a_page_exist(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIKSMELDING_SETTINGS", "fiksmelding.toml")  # as the municipality's short command does
    subprocess.run([tool("bash"), "-n"], input=block.code.replace("retry|cancel|taken", "retry"), text=True, check=True)
    # `retry|cancel|taken ID …` shows several at once; what follows is told elsewhere.
    shown = [[word.split("|")[0] for word in words if word != "…"] for words in command_lines(block.code)]
    mistakes = [mistake_in(words) for words in shown]
    assert [mistake for mistake in mistakes if mistake] == []


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_commands_in_the_text_of_a_page_exist(page: Page) -> None:
    unknown = []
    for shown in INLINE.findall(page.text):
        command: object = COMMANDS
        for name in re.split(r"[ |…(]", shown)[1:]:
            if not isinstance(command, TyperGroup) or not re.fullmatch(r"[a-z][a-z-]*", name):
                break
            command = command.commands.get(name)
        if command is None:
            unknown.append(shown)
    assert unknown == []


def every_command(command: TyperGroup) -> Iterator[object]:
    for one in command.commands.values():
        yield one
        if isinstance(one, TyperGroup):
            yield from every_command(one)


def test_every_command_that_takes_settings_finds_them_by_the_variable_too() -> None:
    assert isinstance(COMMANDS, TyperGroup)
    options = [option for one in every_command(COMMANDS) for option in getattr(one, "params", ())]
    settings = [option for option in options if option.name == "settings"]
    assert len(settings) > 10
    assert {option.envvar for option in settings} == {"FIKSMELDING_SETTINGS"}


def test_every_block_of_commands_is_run_or_says_why_not() -> None:
    left = [block for block in BLOCKS if block.page not in WALKED and (block.page, block.heading) not in RUN]
    assert [str(block) for block in left if block.mark != "not run"] == []
    run = [block for block in BLOCKS if (block.page, block.heading) in RUN]
    assert [str(block) for block in run if block.mark == "not run"] == []


def test_what_make_is_asked_for_on_a_page_it_can_do() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    text = "\n".join(page.text for page in pages())
    asked = set(re.findall(r"^make ([a-z]+)", "\n".join(block.code for block in BLOCKS), re.MULTILINE))
    asked |= set(re.findall(r"`make ([a-z]+)[` ]", text))
    assert asked <= targets


def test_what_pip_is_asked_for_on_a_page_can_be_had() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    asked = {name for page in pages() for name in re.findall(r"fiksmelding\[([a-z,]+)\]", page.text)}
    assert {name for names in asked for name in names.split(",")} <= set(extras)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Terminal]:
    with terminal(tmp_path) as typing:
        yield typing


@pytest.mark.timeout(120)
def test_the_first_five_minutes_go_as_the_page_says(reader: Terminal, tmp_path: Path) -> None:
    page = Page("docs/start.md")
    [see] = page.code("2.")
    start, receive = page.code("3.")
    assert "LEVERT" in reader.run(see)
    reader.leave_running(start, until="ready:")
    assert "LEVERT" in reader.run(receive)
    [report] = (tmp_path / "reports").iterdir()
    assert {"bekymringsmelding.json", "bekymringsmelding.xml", "bekymringsmelding.pdf"} <= {
        file.name for file in report.iterdir()
    }


@pytest.mark.timeout(120)
def test_the_read_me_s_commands_receive_and_send(reader: Terminal, tmp_path: Path) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    page = Page("README.md")
    [receive], [send] = page.code("Receive without"), page.code("Send without")
    install, start, submit, *rest = [line for line in receive.splitlines() if line]
    assert install.startswith("pip install")
    reader.leave_running(start.partition("#")[0], until="ready:")
    told = reader.run("\n".join([submit, *rest]))
    assert '"LEVERT"' in told
    # Somebody has to receive what is sent, and to say yes.
    receiver = "fiksmelding --verbose receive --settings fiks/settings-bergen.toml --to-folder reports"
    reader.leave_running(receiver, until="")
    first, *others = send.splitlines()
    told = reader.run("\n".join([f"{first.partition('#')[0]} --yes", *others]))
    assert "LEVERT" in told


@pytest.mark.timeout(120)
def test_the_doctor_and_the_list_of_what_is_set_aside_are_run_as_their_pages_say(
    reader: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    [start] = Page("docs/simulator.md").code("The simulator")
    monkeypatch.setenv("FIKSMELDING_SETTINGS", "fiks/settings-bergen.toml")
    reader.leave_running(start, until="ready:")
    [doctor] = Page("docs/doctor.md").code("The doctor")
    assert "nobody-listening" in reader.run(doctor)
    [set_aside] = Page("docs/kommune/feil.md").code("En melding er lagt til side")
    reader.run("fiksmelding journal migrate")
    assert "Nothing is set aside." in reader.run(set_aside)
    [general] = Page("docs/kommune/feil.md").code("Når noe går galt")
    assert "nobody-listening" in reader.run(general)


@pytest.mark.timeout(120)
def test_statistics_are_made_and_merged_as_their_page_says(reader: Terminal, tmp_path: Path) -> None:
    [start] = Page("docs/simulator.md").code("The simulator")
    reader.leave_running(start, until="ready:")
    for account in ("bergen", "oslo"):
        reader.run(f"fiksmelding journal migrate --settings fiks/settings-{account}.toml")
    page = Page("docs/statistics.md")
    [count], [merge] = page.code("Statistics"), page.code("For the whole country")
    assert "Ingen meldinger i perioden." in reader.run(count)
    reader.run(merge)
    assert "Hele landet" in (tmp_path / "landet.html").read_text("utf-8")
