"""`fiksmelding recover` with a handler of one's own, killed in the middle, and what it refuses."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from fiksmelding.config import Settings
from fiksmelding.messages import MessageType
from fiksmelding.receiver import Step
from fiksmelding.simulator import Simulator
from support.commands import command
from support.receiving import receiving
from support.roads import privat_json

REPORTS = 5
HANDLER = """
import os
import signal

from fiksmelding import Registered

async def register(report):
    with open("calls", "a") as calls:
        print(report.id, report.repeat, file=calls, flush=True)
    if os.path.exists("deadly") and len(open("calls").readlines()) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return Registered(reference=report.id)

async def has(reference, report):
    return reference == report.id
"""


async def test_killed_in_the_middle_it_goes_on_where_it_was(fiks: Simulator, tmp_path: Path) -> None:
    file = fiks.write_settings("bergen")
    for number in range(REPORTS):
        await fiks.submit(privat_json(str(number)), message_type=MessageType.PRIVAT_V2)
    async with receiving(Settings.load(file), tmp_path / "reports") as work:
        await work.until(Step.RECEIPTED, REPORTS)
    (tmp_path / "case_system.py").write_text(HANDLER)
    (tmp_path / "deadly").touch()
    words = ["recover", "--settings", str(file), "--handler", "case_system:register", "--confirm", "case_system:has"]
    program = [sys.executable, "-m", "fiksmelding", *words, "--days", "2"]
    process = await asyncio.create_subprocess_exec(*program, cwd=tmp_path, env={**os.environ, "PYTHONPATH": ""})
    assert await asyncio.wait_for(process.wait(), 60) == -signal.SIGKILL
    (tmp_path / "deadly").unlink()
    program[-2:] = ["--resume", "--json"]
    process = await asyncio.create_subprocess_exec(*program, cwd=tmp_path, env={**os.environ, "PYTHONPATH": ""})
    assert await asyncio.wait_for(process.wait(), 60) == 0
    calls = [line.split() for line in (tmp_path / "calls").read_text().splitlines()]
    assert {report_id for report_id, _ in calls} == {path.name for path in (tmp_path / "reports").iterdir()}
    assert len(calls) <= REPORTS + 4, "those under way when it died, and no others, come twice"
    assert {repeat for _, repeat in calls} == {"True"}
    assert (await command("journal", "verify", "--settings", file)).status == 0


async def test_what_it_cannot_do_it_says(fiks: Simulator, tmp_path: Path) -> None:
    options: list[str | Path] = ["--settings", fiks.write_settings("bergen")]
    (tmp_path / "odd.json").write_text("{}")
    wrongs: list[list[str | Path]] = [
        [],
        ["id", "--days", "2"],
        ["--resume", "--days", "2"],
        ["--from-reconciliation", tmp_path / "odd.json"],
        ["--from-reconciliation", tmp_path / "absent.json"],
        ["id", "--to-folder", tmp_path, "--handler", "json:loads"],
        ["id", "--to-folder", tmp_path, "--confirm", "json:loads"],
    ]
    for wrong in wrongs:
        assert (await command("recover", *options, *wrong)).status == 2, wrong
    unknown = await command("recover", *options, "unknown", "--wait", "0")
    assert (unknown.status, "not in the journal of this account" in unknown.out) == (1, True)
