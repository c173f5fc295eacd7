"""The losses of 2020-2023 came from load: a case system that fails under it gets no more than it bears."""

import asyncio
from pathlib import Path

import pytest

from fiksmelding.alarms import AlarmKind
from fiksmelding.config import Settings
from fiksmelding.receiver import FolderHandler, Registered, Report, Step
from fiksmelding.simulator import Simulator
from support.receiving import receiving, with_receiver
from support.roads import privat_json

PRIVAT_V2 = "no.ks.fiks.bekymringsmelding.privat.v2"
CALL_SECONDS = 0.05
"""Long beside what the receiver does between two calls: as many overlap as it makes at once."""


class Overloaded:
    """A case system that fails whenever it has more reports at once than it bears, or is down altogether.

    It begins when `opens` is set: how fast reports are kept is to have no part in how many it gets at once.

    Args:
        folder: Where it stores.
        bears: How many reports it bears at once.
        outage: How many calls fail, whatever the load, before it is up.
    """

    def __init__(self, folder: Path, bears: int, outage: int = 0) -> None:
        self._store = FolderHandler(folder)
        self._bears = bears
        self._outage = outage
        self._with_it = 0
        self.opens = asyncio.Event()
        self.at_once: list[int] = []
        self.failures = 0

    async def __call__(self, report: Report) -> Registered:
        await self.opens.wait()
        self._with_it += 1
        self.at_once.append(self._with_it)
        overloaded = self._with_it > self._bears or len(self.at_once) <= self._outage
        try:
            await asyncio.sleep(CALL_SECONDS)
            registered = await self._store(report)
        finally:
            self._with_it -= 1
        if overloaded:
            self.failures += 1
            raise ConnectionError("too many at once")
        return registered


async def submitted(fiks: Simulator, count: int) -> list[str]:
    ids = []
    for number in range(count):
        files = {"bekymringsmelding.json": privat_json(f"Melding {number}"), "bekymringsmelding.pdf": b"%PDF"}
        ids.append(await fiks.submit_sealed(await fiks.seal_for("bergen", files), message_type=PRIVAT_V2))
    return ids


@pytest.mark.parametrize("bears", [1, 3])
async def test_a_case_system_that_fails_under_load_gets_what_it_bears_and_everything_is_registered(
    fiks: Simulator, settings: Settings, tmp_path: Path, bears: int
) -> None:
    ids = await submitted(fiks, 60)
    case_system = Overloaded(tmp_path / "reports", bears)
    eager = with_receiver(settings, concurrency=12, retry_first_seconds=0.02)
    async with receiving(eager, tmp_path / "reports", handler=case_system) as work:
        await work.until(Step.KEPT, len(ids))
        case_system.opens.set()
        for report_id in ids:
            await fiks.wait_for(report_id, "LEVERT", timeout=40)
        status = work.receiver.status.case_system
        assert status.at_once <= bears
    assert max(case_system.at_once[-20:]) <= bears
    assert case_system.failures <= 24
    assert work.stored() == set(ids)
    assert fiks.letters() == ()


async def test_while_every_call_fails_one_report_at_a_time_is_tried_and_one_alarm_raised(
    fiks: Simulator, settings: Settings, tmp_path: Path
) -> None:
    ids = await submitted(fiks, 12)
    case_system = Overloaded(tmp_path / "reports", bears=99, outage=7)
    eager = with_receiver(settings, concurrency=4, retry_first_seconds=0.02)
    async with receiving(eager, tmp_path / "reports", handler=case_system) as work:
        await work.until(Step.KEPT, len(ids))
        case_system.opens.set()
        await work.until_alarms(1)
        for report_id in ids:
            await fiks.wait_for(report_id, "LEVERT", timeout=40)
    assert max(case_system.at_once[4:7]) == 1
    assert [(alarm.kind, alarm.over) for alarm in work.alarms] == [
        (AlarmKind.CASE_SYSTEM_DOWN, False),
        (AlarmKind.CASE_SYSTEM_DOWN, True),
    ]
