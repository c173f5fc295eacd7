"""2020 to 2023 once more: a case system that answers success and, under load, loses every twentieth report."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from fiksmelding.config import Settings
from fiksmelding.messages import MessageType
from fiksmelding.operations import Cause, Period, Selection, reconcile, recover
from fiksmelding.receiver import Registered, Report, Step
from fiksmelding.simulator import Simulator
from support.receiving import receiving, with_receiver
from support.roads import privat_json

REPORTS = 80
LOST = REPORTS // 20


class CaseSystem2020:
    """Stores reports; while it has several at once, it forgets every twentieth that it said it had stored."""

    def __init__(self) -> None:
        self.stored: dict[str, str] = {}
        self.lost: dict[str, str] = {}
        self.losses = 0
        self.repeats: list[str] = []
        self._registered = 0
        self.under_load = True

    async def register(self, report: Report) -> Registered:
        reference = self.stored.get(report.id) or f"2021/{uuid4().hex[:12]}"
        await asyncio.sleep(0)  # others come in between, as under load
        if report.repeat:
            self.repeats.append(report.id)
        self._registered += 1
        if self.under_load and self._registered % 20 == 0 and report.id not in self.stored:
            self.lost[report.id] = reference
            self.losses += 1
        else:
            self.stored[report.id] = reference
        return Registered(reference=reference)

    async def has(self, reference: str, report: Report) -> bool:
        return self.stored.get(report.id) == reference

    async def references(self, _period: Period) -> AsyncIterator[str]:
        for reference in self.stored.values():
            yield reference


@pytest.fixture
def case_system() -> CaseSystem2020:
    return CaseSystem2020()


async def all_submitted(fiks: Simulator) -> set[str]:
    return {
        await fiks.submit(privat_json(f"Melding {number}."), message_type=MessageType.PRIVAT_V2)
        for number in range(REPORTS)
    }


def receipts(fiks: Simulator, reports: set[str]) -> Mapping[str, int]:
    return {report_id: len(fiks.report(report_id).receipts) for report_id in reports}


async def test_without_a_read_back_the_comparison_finds_exactly_those_and_recovery_restores_them(
    fiks: Simulator, settings: Settings, case_system: CaseSystem2020, tmp_path: Path
) -> None:
    reports = await all_submitted(fiks)
    async with receiving(settings, tmp_path, handler=case_system.register) as work:
        await work.until(Step.RECEIPTED, REPORTS)
    assert len(case_system.lost) == LOST
    assert set(receipts(fiks, reports).values()) == {1}, "each was told mottatt, as then"

    period = Period.last_days(2, datetime.now(UTC))
    found = await reconcile(settings, period, case_system=case_system.references, ask_queue=False)
    missing = {one.reference for one in found.differences if one.cause is Cause.NOT_IN_CASE_SYSTEM}
    assert missing == set(case_system.lost.values())
    assert found.missing == LOST

    case_system.under_load = False
    case_system.repeats.clear()
    done = await recover(settings, Selection(reconciliation=found), handler=case_system.register, wait_seconds=60)
    assert (done.asked, done.recovered, done.waiting, done.refused) == (LOST, LOST, 0, 0)
    assert set(case_system.stored) == reports
    assert sorted(case_system.repeats) == sorted(case_system.lost)
    again = await reconcile(settings, period, case_system=case_system.references, ask_queue=False)
    assert (again.agrees, again.differences) == (True, ())
    assert set(receipts(fiks, reports).values()) == {1}, "no second receipt"


async def test_with_a_read_back_none_of_them_is_ever_answered_before_it_is_there(
    fiks: Simulator, settings: Settings, case_system: CaseSystem2020, tmp_path: Path
) -> None:
    there_when_confirmed: list[bool] = []

    async def has(reference: str, report: Report) -> bool:
        there_when_confirmed.append(await case_system.has(reference, report))
        return there_when_confirmed[-1]

    reports = await all_submitted(fiks)
    hurried = with_receiver(settings, retry_first_seconds=0.05, retry_longest_seconds=0.2)
    async with receiving(hurried, tmp_path, handler=case_system.register, confirm=has) as work:
        await work.until(Step.RECEIPTED, REPORTS)
        async for page in work.receiver.journal.overview.standings(datetime.min.replace(tzinfo=UTC), datetime.now(UTC)):
            assert {one.reference for one in page} <= set(case_system.stored.values())
    assert there_when_confirmed.count(False) == case_system.losses >= LOST
    assert there_when_confirmed.count(True) == REPORTS
    assert set(case_system.stored) == reports, "each was registered again before anybody was told"
    assert set(receipts(fiks, reports).values()) == {1}
