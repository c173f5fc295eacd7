"""`fiksmelding reconcile` and `journal export`, as an operator runs them."""

import json
from pathlib import Path

from fiksmelding.config import Settings
from fiksmelding.messages import MessageType
from fiksmelding.receiver import Step
from fiksmelding.simulator import Simulator
from support.commands import command
from support.receiving import receiving
from support.roads import privat_json


async def test_what_the_folder_lost_is_named_and_a_receiver_that_is_gone_too(fiks: Simulator, tmp_path: Path) -> None:
    file, folder = fiks.write_settings("bergen"), tmp_path / "reports"
    options: list[str | Path] = ["--settings", file, "--folder", folder]
    async with receiving(Settings.load(file), folder) as work:
        for number in range(3):
            await fiks.submit(privat_json(str(number)), message_type=MessageType.PRIVAT_V2)
        await work.until(Step.RECEIPTED, 3)
        fine = await command("reconcile", *options)
        assert (fine.status, "Nothing is missing." in fine.out) == (0, True), fine.out + fine.complaints
    lost = sorted(work.stored())[1]
    (folder / lost / "bekymringsmelding.pdf").write_bytes(b"")
    result = tmp_path / "result.json"
    told = await command("reconcile", *options, "--json", "--output", result)
    assert told.status == 1
    found = json.loads(told.out)
    assert found == json.loads(result.read_text())
    assert {one["cause"]: one["reference"] for one in found["differences"]} == {
        "not_in_case_system": lost,
        "no_consumer": None,
    }
    assert "not_in_case_system" in told.complaints, "the alarm is in the log"
    shown = await command("reconcile", *options, "--no-queue")
    assert (shown.status, "To mend: 1" in shown.out, lost in shown.out) == (1, True, True)

    entry_id = found["differences"][0]["id"]
    exported = await command("journal", "export", entry_id, "--settings", file, "--original", tmp_path / "sealed")
    assert exported.status == 0
    assert "En avstemming fant ikke meldingen i fagsystemet." in exported.out
    assert (tmp_path / "sealed").stat().st_size > 1000
    again = await command("journal", "export", lost, "--settings", file, "--json")
    assert json.loads(again.out)["sendings"][0]["id"] == entry_id

    kept = await command("receipt", "retry", lost, "--settings", file)
    assert (kept.status, "no receipt that was refused" in kept.complaints) == (1, True)
    settled = await command("settle", lost, "--reason", "Overført til Askøy kommune.", "--settings", file, "--json")
    assert json.loads(settled.out) == {"id": entry_id, "decision": "settle"}
    fine = await command("reconcile", *options, "--no-queue")
    assert (fine.status, "Nothing is missing." in fine.out) == (0, True), fine.out


async def test_what_cannot_be_compared_is_an_error_of_its_own(fiks: Simulator, tmp_path: Path) -> None:
    file = fiks.write_settings("bergen")
    options: list[str | Path] = ["--settings", file, "--no-queue"]
    (tmp_path / "list.json").write_text('["2026/1", ')
    broken = await command("reconcile", *options, "--references", tmp_path / "list.json")
    assert (broken.status, "Not compared: The case system could not tell" in broken.out) == (2, True)
    wrongs: list[list[str | Path]] = [
        ["--from", "2026-02-01", "--to", "2026-01-01"],
        ["--to", "2026-01-01"],
        ["--from", "2026-01-01", "--days", "3"],
        ["--case-system", "nowhere:here"],
        ["--case-system", "json"],
        ["--case-system", "json:absent"],
        ["--folder", tmp_path, "--references", tmp_path],
    ]
    for wrong in wrongs:
        assert (await command("reconcile", *options, *wrong)).status == 2, wrong
    empty = await command("reconcile", *options, "--from", "2020-01-01", "--to", "2020-02-01")
    assert (empty.status, "Nothing is missing." in empty.out) == (0, True)
