"""Canaries through the whole road, on either broker and either journal."""

import json
from pathlib import Path

import pytest

from fiksmelding.alarms import AlarmKind
from fiksmelding.broker import ConsumerState
from fiksmelding.cli.canary import send_canary
from fiksmelding.cli.output import Exit
from fiksmelding.config import CanarySettings, Settings
from fiksmelding.receiver import Registered, Report
from fiksmelding.receiver.canary import CANARY_TYPE
from fiksmelding.simulator import MessageFault, Simulator
from support.pages import pages_at, watched
from support.receiving import receiving


async def never(_report: Report) -> Registered:
    raise AssertionError


def with_canaries(settings: Settings, *, every: float, silent: float) -> Settings:
    """The settings, with canaries at an interval in seconds."""
    canary = CanarySettings(every_minutes=every / 60, silent_minutes=silent / 60)
    return settings.model_copy(update={"canary": canary})


async def test_a_canary_comes_back_and_nothing_else_ever_sees_it(
    fiks: Simulator, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = watched(with_canaries(settings, every=60, silent=600))
    async with receiving(shown, tmp_path, handler=never) as work, pages_at(shown.metrics.listen) as pages:
        await work.receiver.until(ConsumerState.CONSUMING)
        samples = await pages.until_sample("fiksmelding_canaries_total", "arrived")
        assert await send_canary(shown, seconds=20, as_json=True) is Exit.FINE
        samples = await pages.samples()
        assert await work.receiver.journal.unanswered() == 0
        assert list(await work.receiver.journal.entries()) == []
    assert 0 <= json.loads(capsys.readouterr().out)["tripSeconds"] < 20
    assert samples["fiksmelding_canaries_total", "arrived"] == 2
    assert samples["fiksmelding_messages_total", "kept"] == 0
    assert samples["fiksmelding_certificate_end_timestamp_seconds", "published"] > 0
    assert (work.steps, work.alarms) == ([], [])
    assert (await fiks.platform.broker.state(fiks.party("bergen").account.queue)).waiting == 0


async def test_silence_raises_the_alarm_and_the_first_that_comes_back_ends_it(
    fiks: Simulator, settings: Settings, tmp_path: Path
) -> None:
    fiks.faults.add(MessageFault(effect="lose", message_type=CANARY_TYPE, times=None))
    async with receiving(with_canaries(settings, every=0.1, silent=0.5), tmp_path, handler=never) as work:
        await work.until_alarms(1)
        fiks.faults.clear()
        await work.until_alarms(2)
    assert [(alarm.kind, alarm.over) for alarm in work.alarms] == [
        (AlarmKind.CANARY_SILENT, False),
        (AlarmKind.CANARY_SILENT, True),
    ]
    assert "Reports may be waiting at the platform" in work.alarms[0].text


async def test_without_a_receiver_the_command_says_that_nobody_took_it(
    fiks: Simulator, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await send_canary(settings, seconds=0.1, as_json=False) is Exit.PROBLEM
    assert "It has not come back within 0.1 s." in capsys.readouterr().out
