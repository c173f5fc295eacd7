"""The drill of docs/recovery.md: the case system is wiped, and all reports of sixty days are brought back."""

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from fiksmelding.config import Settings
from fiksmelding.journal import Journal
from fiksmelding.messages import MessageType
from fiksmelding.receiver import Step
from fiksmelding.simulator import Simulator
from support.commands import command
from support.receiving import receiving
from support.roads import privat_json

DAYS = 60


async def spread_over_days(journal: Journal) -> None:
    """Let each report have come on a day of its own."""
    entries = await journal.entries()
    now = datetime.now(UTC)
    for days, entry in enumerate(entries):
        values = {"at": (now - timedelta(days=days)).replace(tzinfo=None), "id": entry.id}
        await journal._database.write(
            lambda connection: connection.execute(text("UPDATE entries SET received_at = :at WHERE id = :id"), values)  # noqa: B023
        )


async def test_a_wiped_case_system_gets_all_reports_of_sixty_days_back(fiks: Simulator, tmp_path: Path) -> None:
    file, folder, result = fiks.write_settings("bergen"), tmp_path / "reports", tmp_path / "result.json"
    settings = Settings.load(file)
    for number in range(DAYS):
        await fiks.submit(privat_json(str(number)), message_type=MessageType.PRIVAT_V2)
    async with receiving(settings, folder) as work:
        await work.until(Step.RECEIPTED, DAYS)
    async with Journal(settings.journal) as journal:
        await spread_over_days(journal)
    whole = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    shutil.rmtree(folder)
    folder.mkdir()
    options: list[str | Path] = ["--settings", file]
    compare = ["reconcile", *options, "--folder", folder, "--days", str(DAYS + 1), "--no-queue"]
    lost = await command(*compare, "--output", result)
    assert lost.status == 1
    assert json.loads(result.read_text())["counts"] == {"not_in_case_system": DAYS}

    rehearsal = await command("recover", *options, "--from-reconciliation", result, "--dry-run")
    assert (rehearsal.status, f"{DAYS} reports would be handed over again" in rehearsal.out) == (0, True)
    recovered = await command("recover", *options, "--from-reconciliation", result, "--to-folder", folder)
    assert (recovered.status, f"the case system has {DAYS} of them again" in recovered.out) == (0, True)

    back = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert back.keys() == whole.keys()
    assert all(back[name] == whole[name] for name in whole if name.name != "report.json"), "every report as it was"
    assert (await command(*compare)).status == 0
    assert (await command("journal", "verify", *options)).status == 0
    assert all(len(report.receipts) == 1 for report in fiks.reports()), "nobody got a second receipt"
