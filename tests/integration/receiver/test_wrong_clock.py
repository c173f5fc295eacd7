"""A clock that jumps ahead and is set right again puts no report to sleep."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

from fiksmelding.clock import SystemClock
from fiksmelding.config import Settings
from fiksmelding.receiver import FolderHandler, Receiver, Registered, Report
from fiksmelding.simulator import Simulator
from support.roads import privat_json


class WrongClock(SystemClock):
    """Is off by as much as it is told, and lets nobody sleep long."""

    off = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.off

    async def sleep(self, seconds: float) -> None:
        await super().sleep(min(seconds, 0.1))


async def test_a_report_that_failed_while_the_clock_was_ahead_does_not_wait_for_that_time(
    fiks: Simulator, settings: Settings, tmp_path: Path
) -> None:
    clock, folder = WrongClock(), FolderHandler(tmp_path / "reports")

    async def fails_while_the_clock_is_ahead(report: Report) -> Registered:
        if report.attempt == 1:
            clock.off = timedelta(hours=6)
            raise RuntimeError("the case system is down")
        return await folder(report)

    report_id = await fiks.submit(privat_json(), message_type="no.ks.fiks.bekymringsmelding.privat.v2")
    async with Receiver(settings, fails_while_the_clock_is_ahead, clock=clock) as receiver:
        running = asyncio.create_task(receiver.run())
        while not [entry for entry in await receiver.journal.entries() if entry.failures]:  # noqa: ASYNC110  (only the journal tells)
            await asyncio.sleep(0)
        clock.off = timedelta(0)
        await fiks.wait_for(report_id, "LEVERT", timeout=10)
        receiver.stop()
        await running
