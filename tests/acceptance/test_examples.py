"""The examples do what they say."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from fiksmelding import FolderHandler, Receiver, Registered, Reject, Report
from fiksmelding.simulator import Simulator
from support.documents import EXAMPLES

FILES = [EXAMPLES / "privat-v2.json", EXAMPLES / "offentlig-v2.json"]


async def school(settings: Path, *files: Path) -> str:
    words = [str(EXAMPLES / "school.py"), str(settings), *map(str, files)]
    process = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=PIPE, stderr=PIPE)
    out, complaints = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, complaints.decode()
    return out.decode()


@pytest.fixture
def settings(fiks: Simulator, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FIKSMELDING_SENDER_STATUS_FIRST_SECONDS", "0.05")
    return fiks.write_settings("skole")


async def test_the_school_sends_follows_and_shows_and_sends_nothing_twice(
    fiks: Simulator, settings: Path, tmp_path: Path
) -> None:
    handler = FolderHandler(tmp_path / "reports")
    async with Receiver(fiks.settings_for("bergen"), handler, confirm=handler.confirm) as receiver:
        running = asyncio.create_task(receiver.run())
        shown = [await school(settings, *FILES) for _ in range(2)]
        receiver.stop()
        await running
    for file in FILES:
        for told in ("SENDT_FAGSYSTEM\n", "LEVERT\n", "LEVERT at Bergen"):
            assert f"{file.name}: {told}" in shown[0]
    assert "ALARM" not in shown[0]
    assert sorted(shown[0].splitlines()) == sorted(shown[1].splitlines())
    assert len(fiks.reports()) == 2


async def test_the_school_is_told_what_went_otherwise(fiks: Simulator, settings: Path, tmp_path: Path) -> None:
    async def refuse(report: Report) -> Registered:
        raise Reject("Feil kommune.")

    document = json.loads(FILES[0].read_bytes()) | {"kommunenummer": "1103"}
    (tmp_path / "stavanger.json").write_text(json.dumps(document))
    async with Receiver(fiks.settings_for("bergen"), refuse) as receiver:
        running = asyncio.create_task(receiver.run())
        shown = await school(settings, FILES[0], tmp_path / "stavanger.json")
        receiver.stop()
        await running
    assert "ALARM (WARNING)" in shown
    assert "SENDT_PRINT" in shown
    assert "stavanger.json: not sent. Stavanger takes no reports over Fiks" in shown
