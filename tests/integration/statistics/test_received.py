"""What a receiver keeps of a report, and what can be counted of it when the report is gone."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fiksmelding.journal import Journal
from fiksmelding.messages import MessageType
from fiksmelding.receiver import Step
from fiksmelding.receiver.facts import facts_of
from fiksmelding.simulator import Simulator
from support.commands import command
from support.documents import example
from support.journals import ask
from support.receiving import receiving
from support.senders import report


async def test_a_report_s_place_and_channel_are_counted_also_when_it_is_erased(fiks: Simulator, tmp_path: Path) -> None:
    settings = fiks.settings_for("bergen")
    document = json.loads(example(MessageType.PRIVAT_V2))
    document |= {"bydelsnummer": "03", "leveringskanal": "Nasjonal portal"}
    async with receiving(settings, tmp_path / "reports") as work:
        for _ in range(5):
            await fiks.submit(json.dumps(document).encode(), message_type=MessageType.PRIVAT_V2, bydelsnummer="03")
        await work.until(Step.RECEIPTED, 5)
    async with Journal(settings.journal) as journal:
        for entry in await journal.entries():
            await journal.erase(entry, at=datetime.now(UTC) + timedelta(days=91))
        assert await ask(journal, "select count(*) from chunks") == 0
    path = fiks.write_settings("bergen")
    shown = await command("statistics", "--settings", path, "--json")
    assert shown.status == 0, shown.complaints
    tables = json.loads(shown.out)["sources"]["received"]["tables"]
    [district] = tables["bydel"]
    assert (district["value"], district["count"]) == (f"{document['kommunenummer']}-03", 5)
    assert tables["kanal"][0]["value"] == "Nasjonal portal"
    assert tables["slag"][0]["value"] == "privat"
    assert tables["kommune"][0]["registered_median"] < 60


@pytest.mark.parametrize(
    ("channel", "kept"),
    [
        ("Fjellsiden skole", "Fjellsiden skole"),
        ("  Visma Flyt  ", "Visma Flyt"),
        ("Kari Nordmann 01010112345", None),
        ("kari@example.org", None),
        ("ring 55 12 34 56", None),
        ("x" * 81, None),
        ("a\nb", None),
        ("<script>", None),
    ],
)
def test_a_channel_is_kept_only_if_it_can_be_a_name(channel: str, kept: str | None) -> None:
    assert facts_of(report(leveringskanal=channel)).leveringskanal == kept


async def test_years_and_files_are_chosen_by_options(tmp_path: Path) -> None:
    settings = tmp_path / "nothing.toml"
    for words, said in (
        (["statistics"], "--settings"),
        (["statistics", "--settings", str(settings), "--year", "2026", "--from", "2026-01-01"], "--year"),
        (["statistics", "--settings", str(settings), "--threshold", "2"], "--threshold"),
    ):
        told = await command(*words)
        assert told.status == 2
        assert said in told.complaints
