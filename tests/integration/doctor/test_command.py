import json
import re
from pathlib import Path

import pytest

from fiksmelding.cli.doctor import doctor
from fiksmelding.cli.output import Exit
from fiksmelding.simulator import Simulator


async def run(settings: Path, *, as_json: bool = False) -> Exit:
    return await doctor(settings, role="receiver", receivers=None, thorough=False, limit_seconds=20.0, as_json=as_json)


async def test_what_is_found_is_shown_with_its_cure(fiks: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    settings = fiks.write_settings("bergen")
    assert await run(settings) is Exit.FINE
    shown = capsys.readouterr().out
    assert re.search(r"warning +nobody-listening +Nobody listens to the queue", shown)
    assert "→ Start the receiver." in shown
    assert re.search(r"\d+ ok, 2 note, 1 warning", shown)  # no journal yet, and alarms reach nobody


async def test_a_fault_is_told_to_programs_too(fiks: Simulator, capsys: pytest.CaptureFixture[str]) -> None:
    settings = fiks.write_settings("bergen")
    text = settings.read_text("utf-8").replace(str(fiks.party("bergen").client.id), "another")
    settings.write_text(text, "utf-8")
    assert await run(settings, as_json=True) is Exit.PROBLEM
    told = json.loads(capsys.readouterr().out)
    assert (told["healthy"], told["level"]) == (False, "fault")
    [refused] = [finding for finding in told["findings"] if finding["name"] == "token-refused"]
    assert refused.keys() == {"check", "name", "level", "text", "cure"}
    assert refused["level"] == "fault"


async def test_settings_that_are_not_there_are_told_so_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run(tmp_path / "nothing.toml") is Exit.PROBLEM
    assert "settings-wrong" in capsys.readouterr().out
