"""Bringing reports back, beside a receiver and without one."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fiksmelding.config import Settings
from fiksmelding.journal import Journal, State
from fiksmelding.messages import MessageType
from fiksmelding.operations import Candidate, Period, Selection, Skipped, recover
from fiksmelding.receiver import FolderHandler, Registered, Report, Step
from fiksmelding.simulator import Simulator
from support.receiving import receiving, with_receiver
from support.roads import privat_json

PERIOD = Period.last_days(2, datetime.now(UTC))


async def registered(fiks: Simulator, settings: Settings, folder: Path, count: int = 3) -> list[str]:
    """Reports that a receiver has registered; their ids in the journal."""
    for number in range(count):
        await fiks.submit(privat_json(str(number)), message_type=MessageType.PRIVAT_V2)
    async with receiving(settings, folder) as work:
        await work.until(Step.RECEIPTED, count)
    async with Journal(settings.journal) as journal:
        return [entry.id for entry in await journal.entries()]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


async def test_a_whole_period_is_brought_back_into_an_empty_case_system(
    fiks: Simulator, settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "reports"
    await registered(fiks, settings, folder)
    before = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
    shutil.rmtree(folder)
    rehearsed = await recover(settings, Selection(period=PERIOD), handler=FolderHandler(folder), dry_run=True)
    assert (rehearsed.dry_run, rehearsed.asked, rehearsed.recovered, names(folder)) == (True, 3, 0, set())
    handler = FolderHandler(folder)
    done = await recover(settings, Selection(period=PERIOD), handler=handler, confirm=handler.confirm, wait_seconds=60)
    assert (done.asked, done.recovered, done.waiting) == (3, 3, 0)
    after = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
    assert after == before, "byte for byte"
    async with Journal(settings.journal) as journal:
        assert {entry.state for entry in await journal.entries()} == {State.RECEIPTED}
        assert await journal.first_altered_event() is None


async def test_a_running_receiver_does_it_and_goes_on_receiving(
    fiks: Simulator, settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "reports"
    ids = await registered(fiks, settings, folder)
    async with receiving(settings, folder) as work:
        await fiks.submit(privat_json("ny"), message_type=MessageType.PRIVAT_V2)
        await work.until(Step.RECEIPTED, 1)
        shutil.rmtree(folder / min(names(folder)))
        done = await recover(settings, Selection(ids=ids), wait_seconds=60)
        assert (done.asked, done.recovered, done.waiting) == (3, 3, 0)
        assert len({entry_id for step, entry_id in work.steps if step is Step.RECOVERED}) == 3
        assert len(names(folder)) >= 3


async def test_where_nobody_takes_it_up_it_is_marked_and_the_next_receiver_does(
    fiks: Simulator, settings: Settings, tmp_path: Path
) -> None:
    ids = await registered(fiks, settings, tmp_path / "reports", 2)
    done = await recover(settings, Selection(ids=ids), wait_seconds=0)
    assert (done.asked, done.recovered, done.waiting) == (2, 0, 2)
    again = await recover(settings, Selection(ids=ids), wait_seconds=0)
    assert (again.asked, again.skipped) == (0, {Skipped.IN_USE: 2})
    async with receiving(settings, tmp_path / "new") as work:
        await work.until(Step.RECOVERED, 2)
    assert names(tmp_path / "new") == names(tmp_path / "reports")


async def test_a_recovery_that_ends_half_way_is_gone_on_with_and_repeats_only_what_was_under_way(
    fiks: Simulator, settings: Settings, tmp_path: Path
) -> None:
    await registered(fiks, settings, tmp_path / "reports", 4)
    stop, calls = asyncio.Event(), list[str]()

    async def slow(report: Report) -> Registered:
        calls.append(report.id)
        if len(calls) == 2:
            stop.set()
            await asyncio.Event().wait()
        return Registered(reference=f"new-{report.id}")

    hurried = with_receiver(settings, stop_seconds=0.1, concurrency=1)
    broken_off = await recover(hurried, Selection(period=PERIOD), handler=slow, stop=stop)
    assert (broken_off.recovered, broken_off.waiting) == (1, 3)
    rest = await recover(hurried, Selection(), handler=slow, wait_seconds=60)
    assert rest.waiting == 0
    assert len(calls) == 5, "four, and once more the one that was broken off"
    assert len(set(calls)) == 4


async def test_each_that_is_not_handed_over_is_told_with_why(
    fiks: Simulator, settings: Settings, tmp_path: Path
) -> None:
    ids = await registered(fiks, settings, tmp_path / "reports", 2)
    async with Journal(settings.journal) as journal:
        first = await journal.entry(ids[0])
        await journal.erase(first, at=datetime.now(UTC))
    by_name = await recover(
        settings, Selection(ids=["unknown", ids[0], first.arrival.bekymringsmelding_id or ""]), wait_seconds=0
    )
    assert by_name.asked == 0
    assert list(by_name.named) == [
        Candidate("unknown", Skipped.UNKNOWN),
        Candidate(ids[0], Skipped.ERASED),
        Candidate(ids[0], Skipped.ERASED),
    ]
    later = Period(PERIOD.end, PERIOD.end + timedelta(days=1))
    assert (await recover(settings, Selection(period=later), wait_seconds=0)).asked == 0
