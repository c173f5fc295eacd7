"""Every bad day that the simulator knows."""

import asyncio
from datetime import timedelta
from pathlib import Path

from kommunesak.cases import Cases
from kommunesak.intake import Intake

from fiksmelding import Settings

IMPATIENT = {
    "FIKSMELDING_RECEIVER_RETRY_FIRST_SECONDS": "0.1",
    "FIKSMELDING_RECEIVER_STOP_SECONDS": "1",
    "FIKSMELDING_BROKER_RECONNECT_FIRST_SECONDS": "0.1",
}
PATIENCE_SECONDS = 3.0


def test_a_report_is_a_case_once_or_a_letter(fiks, fiks_account, fiks_report, fiks_incident, tmp_path: Path) -> None:
    cases = Cases(tmp_path / "cases.db")

    async def receive():
        intake = Intake(Settings.load(fiks_account.settings_file, environment=IMPATIENT), cases)
        running = asyncio.create_task(intake.run())
        report = await asyncio.to_thread(fiks_report)
        try:
            await asyncio.to_thread(report.wait_for, "LEVERT", timeout=PATIENCE_SECONDS)
        except TimeoutError:
            fiks.advance(timedelta(days=7))  # After two working days without a receipt, the platform sends a letter.
            await asyncio.to_thread(report.wait_for, "LEVERT")
        finally:
            intake.stop()
            await running
        return report

    report = asyncio.run(receive())

    assert list(cases.reports()) in ([report.id], [])
    assert cases.reports() or fiks.letters()
