"""The promise itself: killed right after any step of the road, the receiver goes on and loses nothing."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from fiksmelding.config import Settings
from fiksmelding.journal import EventKind, Journal, State
from fiksmelding.receiver import Step
from fiksmelding.simulator import Simulator
from support.roads import privat_json

PROGRAM = Path(__file__).with_name("receiver_process.py")
MOTTATT = "no.ks.fiks.bekymringsmelding.mottatt.v1"
STEPS = [
    Step.KEPT,
    Step.ACKNOWLEDGED,
    Step.OPENED,
    Step.HANDLED,
    Step.REGISTERED,
    Step.CONFIRMED,
    Step.RECEIPT_SENT,
    Step.RECEIPTED,
]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")


async def ended(*command: str) -> int:
    process = await asyncio.create_subprocess_exec(sys.executable, *command)
    try:
        return await asyncio.wait_for(process.wait(), timeout=40)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("step", STEPS)
async def test_a_receiver_killed_after_a_step_registers_once_and_answers(
    fiks: Simulator, tmp_path: Path, step: Step
) -> None:
    settings, folder = fiks.write_settings("bergen"), tmp_path / "reports"
    report_id = await fiks.submit(privat_json(), message_type="no.ks.fiks.bekymringsmelding.privat.v2")

    assert await ended(str(PROGRAM), str(settings), str(folder), step.value) == -signal.SIGKILL
    again = ["-m", "fiksmelding", "receive", "--settings", str(settings), "--to-folder", str(folder)]
    assert await ended(*again, "--until-idle", "0.5") == 0

    report = await fiks.wait_for(report_id, "LEVERT", timeout=5)
    stored = [path.name for path in folder.iterdir()]
    assert stored == [report_id]
    assert json.loads((folder / report_id / "bekymringsmelding.json").read_bytes()) == json.loads(privat_json())
    assert {receipt.message_type for receipt in report.receipts} == {MOTTATT}
    assert len({receipt.klient_melding_id for receipt in report.receipts}) == 1
    assert len(report.receipts) == (2 if step is Step.RECEIPT_SENT else 1)

    async with Journal(Settings.load(settings).journal) as journal:
        [entry] = await journal.entries()
        assert entry.state is State.RECEIPTED
        kinds = [event.kind for event in await journal.events(entry.id)]
        assert kinds.count(EventKind.REGISTERED) == 1
        assert kinds.count(EventKind.RECEIPTED) == 1
        assert await journal.first_altered_event() is None
