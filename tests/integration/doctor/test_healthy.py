import json
from pathlib import Path

import pytest

from fiksmelding.broker import ConsumerState
from fiksmelding.doctor import Condition, Level, examine
from fiksmelding.simulator import Simulator
from support.examining import changed, conditions, examined
from support.receiving import receiving
from support.senders import school


async def test_of_a_receiver_that_works_all_is_found_well(fiks: Simulator, tmp_path: Path) -> None:
    settings = changed(fiks.settings_for("bergen"), "alarms", webhook_url="http://localhost:1/alarms")
    async with receiving(settings, tmp_path / "reports") as work:
        await work.receiver.until(ConsumerState.CONSUMING)
        diagnosis = await examine(settings)
    assert [finding for finding in diagnosis.findings if finding.level is not Level.OK] == []
    assert diagnosis.healthy
    assert diagnosis.level is Level.OK
    assert {
        Condition.QUEUE_ATTENDED,
        Condition.BROKER_ADMITS,
        Condition.TOKEN_GIVEN,
        Condition.KEY_PUBLISHED,
        Condition.FOUND_IN_CATALOG,
        Condition.JOURNAL_WHOLE,
        Condition.CLOCK_RIGHT,
        Condition.HOST_REACHED,
        Condition.CERTIFICATES_VALID,
        Condition.ALARMS_ROUTED,
    } <= conditions(diagnosis)


async def test_of_a_sender_that_works_all_is_found_well_and_no_queue_is_asked_about(fiks: Simulator) -> None:
    diagnosis = await examined(school(fiks), role="sender")
    assert diagnosis.healthy
    assert Condition.SENDING_ALLOWED in conditions(diagnosis)
    assert {finding.check for finding in diagnosis.findings}.isdisjoint({"queue", "broker", "catalog"})


async def test_an_examination_takes_nothing_and_leaves_no_trace(fiks: Simulator, tmp_path: Path) -> None:
    settings = fiks.settings_for("bergen")
    headers = {"type": "t", "melding-id": "m", "avsender-id": "a"}
    fiks.put_on_queue("bergen", headers=headers)
    files = _files(tmp_path)
    await examine(settings, role="both", thorough=True)
    [state] = [state for state in await fiks.account_states() if state.name == "bergen"]
    assert (state.queue.waiting, state.queue.held) == (1, 0)
    assert _files(tmp_path) == files  # no journal was made either


async def test_nothing_that_is_told_is_a_secret(fiks: Simulator) -> None:
    settings = fiks.settings_for("bergen")
    diagnosis = await examine(settings, role="both")
    told = json.dumps(diagnosis.as_json())
    assert settings.integration.secret().get_secret_value() not in told
    assert "eyJ" not in told  # how every token begins
    assert "PRIVATE KEY" not in told


@pytest.mark.parametrize("text", ["[account]\nid = 5\n", "no toml"])
async def test_settings_that_cannot_be_loaded_are_a_finding_as_any_other(text: str, tmp_path: Path) -> None:
    file = tmp_path / "fiksmelding.toml"
    file.write_text(text, "utf-8")
    diagnosis = await examine(file)
    assert conditions(diagnosis) == {Condition.SETTINGS_WRONG}
    assert not diagnosis.healthy


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "state.db" not in path.name}
