"""The sender's half of the promise: killed right after any step, it goes on, loses nothing, and doubts aloud."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from fiksmelding import FolderHandler, Receiver, Settings
from fiksmelding.journal import EventKind, Journal
from fiksmelding.journal.outbox import Outbox, OutgoingState
from fiksmelding.sender import SendStep
from fiksmelding.simulator import Simulator
from support.documents import EXAMPLES

PROGRAM = Path(__file__).with_name("sender_process.py")
HURRY = {
    "RETRY_FIRST_SECONDS": "0.05",
    "STATUS_FIRST_SECONDS": "0.05",
    "STATUS_LONGEST_SECONDS": "0.2",
    "UNCERTAIN_HOURS": "0",
    "KEEP_DAYS": "0",
}
DOUBTFUL = (SendStep.SUBMITTING, SendStep.HANDED_OVER)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")


async def ended(*words: str) -> int:
    environment = os.environ | {f"FIKSMELDING_SENDER_{name}": value for name, value in HURRY.items()}
    process = await asyncio.create_subprocess_exec(sys.executable, str(PROGRAM), *words, env=environment)
    try:
        return await asyncio.wait_for(process.wait(), timeout=40)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("step", list(SendStep))
async def test_a_sender_killed_after_a_step_sends_once_or_says_that_it_may_be_twice(
    fiks: Simulator, tmp_path: Path, step: SendStep
) -> None:
    settings, report = fiks.write_settings("skole"), EXAMPLES / "privat-v2.json"
    handler = FolderHandler(tmp_path / "reports")
    async with Receiver(fiks.settings_for("bergen"), handler, confirm=handler.confirm) as receiver:
        running = asyncio.create_task(receiver.run())
        assert await ended(str(settings), str(report), step.value) == -signal.SIGKILL
        assert await ended(str(settings), str(report)) == 0
        receiver.stop()
        await running

    async with Outbox(Settings.load(settings).journal) as outbox:
        [outgoing] = await outbox.list()
        kinds = [event.kind for event in await outbox.events(outgoing.id)]
    assert outgoing.state is OutgoingState.ERASED
    assert outgoing.uncertain == (step in DOUBTFUL)
    assert (EventKind.OUTCOME_UNKNOWN in kinds) == (step in DOUBTFUL)
    assert kinds.count(EventKind.SUBMITTED) == 1
    assert len(fiks.reports()) == (2 if step is SendStep.HANDED_OVER else 1)
    assert len(list((tmp_path / "reports").iterdir())) == 1, "the receiver knows the same sealed bytes again"
    async with Journal(Settings.load(settings).journal) as journal:
        assert await journal.first_altered_event() is None
