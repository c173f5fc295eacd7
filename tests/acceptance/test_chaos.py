"""The promise under fire: everything around receivers and senders breaks, and no report is lost, doubled or early.

docs/reliability.md tells what is done and how it is judged; `make chaos` runs longer ones.
"""

import asyncio
import os
import re
import signal
import sys
import tempfile
from asyncio.subprocess import PIPE, STDOUT, Process
from contextlib import suppress
from pathlib import Path

import pytest

from support import postgresql, rabbitmq

ROOT = Path(__file__).parents[2]
CLOSING_LINE = re.compile(
    r"chaos: reports=(\d+) faults=(\d+) registered=(\d+) answered=(\d+) lost=(\d+) twice=(\d+) early=(\d+)"
)

BY_LETTER = re.compile(r"sent by letter: (\d+)")
# A machine under load may let the platform give up a few before they are kept.
MOST_LETTERS = 3

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL"),
    pytest.mark.timeout(400),
]


async def begun(folder: Path | None, *words: str | float) -> Process:
    """Start it."""
    where = [] if folder is None else ["--folder", str(folder)]
    program = [sys.executable, "-m", "chaos", *where, *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    return await asyncio.create_subprocess_exec(*program, cwd=ROOT, env=environment, stdout=PIPE, stderr=STDOUT)


async def chaos(folder: Path | None, *words: str | float) -> tuple[int, tuple[int, ...], str]:
    """Run it; returns its exit status, the numbers of its closing line, and all that it said."""
    process = await begun(folder, *words)
    try:
        said = (await process.communicate())[0].decode()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    found = CLOSING_LINE.search(said)
    assert found is not None, said
    return process.returncode or 0, tuple(map(int, found.groups())), said


def check(result: tuple[int, tuple[int, ...], str], *, reports: int) -> None:
    """All is well, and enough went wrong to say so."""
    status, (arrived, faults, registered, answered, *wrong), said = result
    assert status == 0, said
    letters = sum(map(int, BY_LETTER.findall(said)))
    assert letters <= MOST_LETTERS
    assert (arrived, registered, answered) == (reports, reports - letters, reports - letters)
    assert faults >= 30
    assert wrong == [0, 0, 0]


async def test_one_receiver_on_sqlite(tmp_path: Path) -> None:
    check(await chaos(tmp_path, "--reports", 120, "--minutes", 0.7, "--seed", 11), reports=120)


async def test_three_receivers_on_postgresql_and_rabbitmq(tmp_path: Path) -> None:
    rabbitmq.Program(tmp_path)
    postgresql.program("initdb")
    services = ("--journal", "postgresql", "--broker", "rabbitmq", "--receivers", 3)
    # A temporary folder of the command's own: PostgreSQL, another user where we are root, may not enter pytest's.
    check(await chaos(None, "--reports", 300, "--minutes", 1.2, "--seed", 41, *services), reports=300)


async def test_one_sender_on_sqlite(tmp_path: Path) -> None:
    words = ("--side", "sender", "--reports", 100, "--minutes", 0.5, "--seed", 11)
    check(await chaos(tmp_path, *words), reports=100)


async def test_three_senders_on_postgresql(tmp_path: Path) -> None:
    postgresql.program("initdb")
    words = ("--side", "sender", "--reports", 300, "--minutes", 1.0, "--seed", 21, "--journal", "postgresql")
    check(await chaos(None, *words), reports=300)


async def test_a_case_system_that_answers_before_it_has_stored_is_convicted(tmp_path: Path) -> None:
    status, numbers, said = await chaos(
        tmp_path, "--reports", 20, "--minutes", 0.1, "--seed", 3, "--faults", 1, "--broken"
    )
    early = numbers[-1]
    # On a busy machine the case system may be done before the platform has taken the answer: then that one was luck.
    assert status == 1
    assert early >= 10
    assert "make chaos REPORTS=20" in said


async def test_a_sender_that_calls_sent_what_it_holds_in_memory_is_convicted(tmp_path: Path) -> None:
    words = ("--side", "sender", "--reports", 20, "--minutes", 0.1, "--seed", 3, "--faults", 1, "--broken")
    status, numbers, said = await chaos(tmp_path, *words)
    assert status == 1
    assert numbers[-1] == 20, "each was called sent before the platform had it"
    assert "SIDE=sender" in said


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="processes are found by /proc, which is Linux's")
@pytest.mark.parametrize(("side", "how"), [("receiver", signal.SIGTERM), ("sender", signal.SIGINT)])
async def test_whoever_ends_a_run_ends_all_that_it_has_started(side: str, how: signal.Signals) -> None:
    postgresql.program("initdb")
    services = ["--journal", "postgresql", *(["--broker", "rabbitmq"] if side == "receiver" else [])]
    with tempfile.TemporaryDirectory(prefix="fiksmelding-chaos-") as folder:
        if side == "receiver":
            rabbitmq.Program(Path(folder))
        process = await begun(Path(folder), "--side", side, "--reports", 500, "--minutes", 2, *services)
        assert process.stdout is not None
        async for line in process.stdout:
            if b" fault " in line:
                break
        started = those_of(folder)
        process.send_signal(how)
        rest = await process.stdout.read()
        assert await process.wait() == 130, rest
        assert len(started) > 3
        assert those_of(folder) == []


def those_of(folder: str) -> list[str]:
    """The processes that know of a folder, by their command or their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile, or is somebody else's
            words = [(process / name).read_bytes() for name in ("cmdline", "environ")]
            if any(folder.encode() in word for word in words):
                found.append(words[0].replace(b"\0", b" ").decode())
    return found
