"""Municipalities without a case system: a person fetches the report, or it goes by letter."""

from datetime import timedelta
from pathlib import Path

import pytest

from fiksmelding.cli.simulator import submit
from fiksmelding.cli.simulator_control import case_system, fetch
from fiksmelding.errors import FiksmeldingError
from fiksmelding.messages import MessageType
from fiksmelding.simulator import Keys, Simulator
from support.documents import example
from support.envelopes import opened


async def test_a_person_fetches_the_report_which_no_queue_has(fiks: Simulator, tmp_path: Path) -> None:
    await case_system(fiks.folder, "bergen", has=False)
    report_id = await submit(fiks.folder, None, kind="privat", version=2, account="bergen")
    assert fiks.report(report_id).states[-1].beskrivelse == "Ligger til nedlasting"
    assert (await fiks.account_states())[0].queue.waiting == 0

    await fetch(fiks.folder, report_id, tmp_path / "envelope")

    files = opened((tmp_path / "envelope").read_bytes(), fiks.party("bergen").credential)
    assert set(files) == {"bekymringsmelding.json", "bekymringsmelding.pdf"}
    assert fiks.report(report_id).states[-1][::2] == ("LEVERT", "Lastet ned av kommunen")
    with pytest.raises(FiksmeldingError, match="ligger ikke til nedlasting"):
        await fetch(fiks.folder, report_id, tmp_path / "again")
    with pytest.raises(FiksmeldingError, match="Fant ingen"):
        await fetch(fiks.folder, "other", tmp_path / "again")


async def test_what_nobody_fetches_in_two_working_days_goes_by_letter(keys: Keys, tmp_path: Path) -> None:
    async with Simulator(folder=tmp_path, keys=keys) as fiks:
        fiks.has_case_system("bergen", has=False)
    async with Simulator(folder=tmp_path, keys=keys) as fiks:
        report_id = await fiks.submit(example(MessageType.PRIVAT_V2), message_type=MessageType.PRIVAT_V2)
        fiks.clock.advance(timedelta(days=7))
        await fiks.wait_for(report_id, "LEVERT")
        assert [letter.report_id for letter in fiks.letters()] == [report_id]


async def test_a_municipality_can_have_a_case_system_again(fiks: Simulator) -> None:
    await case_system(fiks.folder, "bergen", has=False)
    await case_system(fiks.folder, "bergen", has=True)

    report_id = await submit(fiks.folder, None, kind="privat", version=2, account="bergen")

    assert fiks.report(report_id).melding_ids
    with pytest.raises(FiksmeldingError, match="ligger ikke til nedlasting"):
        await fetch(fiks.folder, report_id, fiks.folder / "envelope")
    with pytest.raises(FiksmeldingError, match="no account"):
        await case_system(fiks.folder, "nowhere", has=False)
