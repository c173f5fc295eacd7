import json
from pathlib import Path

import pytest

from fiksmelding.journal import State
from fiksmelding.receiver import FolderHandler, Report
from fiksmelding.receiver.report import Registered
from support.arrivals import arrival
from support.roads import Journeys, privat_json
from unit.receiver.conftest import MakeJourneys

REPORT_ID = "7d9b6c1e-43f1-4a8e-9a55-0f5c3b2a1d10"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "reports"


@pytest.fixture
def journeys(make: MakeJourneys, folder: Path) -> Journeys:
    handler = FolderHandler(folder)
    return make(handler=handler, confirm=handler.confirm)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_a_report_becomes_a_folder_with_all_its_files(journeys: Journeys, folder: Path) -> None:
    await journeys.walk(await journeys.keep(journeys.report(), arrival(bekymringsmelding_id=REPORT_ID)))
    stored = folder / REPORT_ID
    assert names(stored) == ["bekymringsmelding.json", "bekymringsmelding.pdf", "bekymringsmelding.xml", "report.json"]
    assert (stored / "bekymringsmelding.json").read_bytes() == privat_json()
    assert (stored / "bekymringsmelding.pdf").read_bytes() == b"%PDF-1.7 a test"
    about = json.loads((stored / "report.json").read_bytes())
    assert about["id"] == REPORT_ID
    assert about["structured"] is True
    assert about["signer"]["organisation_number"] == "974760673"
    assert names(folder) == [REPORT_ID]


async def test_a_report_without_a_pdf_gets_one(journeys: Journeys, folder: Path) -> None:
    body = journeys.sealed({"bekymringsmelding.json": privat_json()})
    await journeys.walk(await journeys.keep(body, arrival(bekymringsmelding_id=REPORT_ID)))
    assert (folder / REPORT_ID / "bekymringsmelding.pdf").read_bytes().startswith(b"%PDF-")


async def test_an_unstructured_report_is_stored_as_it_came(journeys: Journeys, folder: Path) -> None:
    await journeys.walk(await journeys.keep(journeys.report(b"{}"), arrival(bekymringsmelding_id=REPORT_ID)))
    stored = folder / REPORT_ID
    assert names(stored) == ["bekymringsmelding.json", "bekymringsmelding.pdf", "report.json"]
    about = json.loads((stored / "report.json").read_bytes())
    assert about["structured"] is False
    assert about["problems"]


async def test_a_folder_that_is_complete_is_not_written_again(journeys: Journeys, folder: Path) -> None:
    await journeys.walk(await journeys.keep(journeys.report(), arrival(bekymringsmelding_id=REPORT_ID)))
    written = (folder / REPORT_ID / "report.json").stat().st_mtime_ns
    body = journeys.report()
    again = await journeys.keep(body, arrival(bekymringsmelding_id=REPORT_ID))
    await journeys.walk(again)
    assert (folder / REPORT_ID / "report.json").stat().st_mtime_ns == written
    assert names(folder) == [REPORT_ID]


async def test_what_a_crash_left_half_written_does_not_count(make: MakeJourneys, folder: Path) -> None:
    handler = FolderHandler(folder)
    (folder / f".{REPORT_ID}.0000.partial").mkdir(parents=True)
    journeys = make(handler=handler, confirm=handler.confirm)
    await journeys.walk(await journeys.keep(journeys.report(), arrival(bekymringsmelding_id=REPORT_ID)))
    assert REPORT_ID in names(folder)


async def test_a_folder_taken_by_another_report_is_left_alone(journeys: Journeys, folder: Path) -> None:
    other = folder / REPORT_ID
    other.mkdir(parents=True)
    (other / "report.json").write_text("{}")
    (other / "bekymringsmelding.json").write_text("another report")
    entry = await journeys.walk(await journeys.keep(journeys.report(), arrival(bekymringsmelding_id=REPORT_ID)))
    assert entry.reference == f"{REPORT_ID}-{entry.arrival.melding_id}"
    assert (other / "bekymringsmelding.json").read_text() == "another report"
    assert (folder / entry.reference / "bekymringsmelding.json").read_bytes() == privat_json()


async def test_a_report_whose_folder_vanished_is_stored_again_before_it_is_answered(
    make: MakeJourneys, folder: Path
) -> None:
    handler = FolderHandler(folder)

    async def losing(report: Report) -> Registered:
        if report.attempt == 1:
            return Registered(reference=report.id)  # the case system of 2020 to 2023
        return await handler(report)

    journeys = make(handler=losing, confirm=handler.confirm)
    entry = await journeys.walk(await journeys.keep(journeys.report(), arrival(bekymringsmelding_id=REPORT_ID)))
    assert journeys.platform.sent == []
    assert entry.state is State.OPENED
    entry = await journeys.walk_later(entry)
    assert entry.state is State.RECEIPTED
    assert names(folder) == [REPORT_ID]


async def test_a_folder_that_cannot_be_written_registers_nothing(make: MakeJourneys, tmp_path: Path) -> None:
    (tmp_path / "reports").write_text("a file where the folder should be")
    journeys = make(handler=FolderHandler(tmp_path / "reports"))
    entry = await journeys.walk(await journeys.keep(journeys.report()))
    assert entry.state is State.OPENED
    assert journeys.platform.sent == []
