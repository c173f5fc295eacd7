"""Invented reports, and the lossless laws on them."""

import json
from io import BytesIO

import pikepdf
import pytest

from fiksmelding.messages import REPORT_TYPES, MessageType, OffentligBekymringsmelding, render_pdf
from fiksmelding.messages.numbers import identity_fault, is_synthetic
from fiksmelding.simulator.synthetic import Length, SyntheticReports
from support.laws import assert_lossless, assert_xml_valid


def test_the_same_seed_makes_the_same_reports() -> None:
    first = [report.to_json() for report in SyntheticReports(3).reports(12)]
    assert first == [report.to_json() for report in SyntheticReports(3).reports(12)]
    assert first != [report.to_json() for report in SyntheticReports(4).reports(12)]


def test_every_kind_and_version_comes_in_turn() -> None:
    assert {report.message_type for report in SyntheticReports().reports(4)} == REPORT_TYPES


def test_the_laws_hold_for_invented_reports() -> None:
    for report in SyntheticReports(5).reports(200):
        assert report.problems() == ()
        message = assert_lossless(json.loads(report.to_json()), report.message_type)
        assert message == report
        assert_xml_valid(message)


def test_identity_numbers_are_right_and_can_belong_to_nobody() -> None:
    numbers: list[str] = []
    for seed in range(40):
        report = SyntheticReports(seed).report(MessageType.OFFENTLIG_V2)
        assert isinstance(report, OffentligBekymringsmelding)
        numbers += [child.fnr for child in report.offentlig_barn if child.fnr]
    assert len(numbers) > 40
    assert all(identity_fault(number) is None and is_synthetic(number) for number in numbers)


def test_a_report_may_be_one_line_or_twenty_pages() -> None:
    line = SyntheticReports().report(MessageType.PRIVAT_V2, length=Length.LINE)
    book = SyntheticReports().report(MessageType.PRIVAT_V2, length=Length.TWENTY_PAGES)
    assert isinstance(line.melding, str)
    assert "\n" not in line.melding
    assert 16 <= len(pikepdf.open(BytesIO(render_pdf(book))).pages) <= 26


def test_only_reports_are_made() -> None:
    with pytest.raises(ValueError, match="not a report"):
        SyntheticReports().report(MessageType.FEILET)
