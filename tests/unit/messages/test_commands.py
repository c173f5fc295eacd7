"""The commands on files: validate, convert, pdf."""

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from fiksmelding.cli.convert import convert
from fiksmelding.cli.output import Exit
from fiksmelding.cli.pdf import make_pdf
from fiksmelding.cli.validate import validate
from fiksmelding.errors import FiksmeldingError, InvalidMessage
from fiksmelding.messages import MessageType, parse_xml
from support.documents import EXAMPLES, example, example_document


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    document = example_document(MessageType.OFFENTLIG_V2) | {"kommunenummer": "HEMMELIG", "melding": 1}
    path = tmp_path / "bad.json"
    path.write_text(json.dumps(document), "utf-8")
    return path


def test_a_valid_file_is_told_so_with_advice_for_its_sender(capsys: pytest.CaptureFixture[str]) -> None:
    assert validate([EXAMPLES / "offentlig-v2.json"], given_type=None, as_json=False) is Exit.FINE
    printed = capsys.readouterr().out
    assert "offentlig-v2.json: no.ks.fiks.bekymringsmelding.offentlig.v2" in printed
    assert "/offentligBarn/0/fnr: Dette er et oppdiktet testnummer" in printed


def test_every_problem_is_told_and_no_value(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert validate([bad, EXAMPLES / "privat-v2.xml"], given_type=None, as_json=False) is Exit.PROBLEM
    printed = capsys.readouterr().out
    assert "/kommunenummer: does not have the required form" in printed
    assert "/melding: must be an object" in printed
    assert "HEMMELIG" not in printed


def test_machines_get_json(bad: Path, capsys: pytest.CaptureFixture[str]) -> None:
    validate([EXAMPLES / "feilet.xml", bad], given_type=None, as_json=True)
    fine, broken = json.loads(capsys.readouterr().out)
    assert fine["valid"]
    assert fine["type"] == MessageType.FEILET
    assert (fine["problems"], fine["refused"], fine["advice"]) == ([], [], [])
    assert [problem["path"] for problem in broken["problems"]] == ["/kommunenummer", "/melding"]


def test_what_the_service_would_refuse_is_told_though_the_file_is_valid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "odd.json"
    path.write_text(json.dumps(example_document(MessageType.PRIVAT_V2) | {"sendingstidspunkt": "i dag"}), "utf-8")
    assert validate([path], given_type="privat.v1", as_json=False) is Exit.FINE
    assert "refused /sendingstidspunkt: must be a time" in capsys.readouterr().out


def test_conversion_goes_both_ways_through_files(tmp_path: Path) -> None:
    xml, back = tmp_path / "report.xml", tmp_path / "report.json"
    convert(EXAMPLES / "offentlig-v1.json", to="xml", out=xml, given_type="offentlig.v1")
    assert parse_xml(xml.read_bytes()).message_type is MessageType.OFFENTLIG_V1
    convert(xml, to="json", out=back, given_type=None)
    assert json.loads(back.read_bytes()) == json.loads(example(MessageType.OFFENTLIG_V1))


def test_a_report_from_standard_input_becomes_a_pdf_on_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(example(MessageType.PRIVAT_V2))))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=written))
    make_pdf(Path("-"), out=None, given_type=None, language="en", report_id="1")
    assert written.getvalue().startswith(b"%PDF")


def test_a_pdf_goes_to_the_file_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "report.pdf"
    make_pdf(EXAMPLES / "privat-v1.xml", out=out, given_type=None, language="nn", report_id=None)
    assert out.read_bytes().startswith(b"%PDF")


def test_a_receipt_an_unknown_language_and_an_invalid_report_make_no_pdf(bad: Path) -> None:
    with pytest.raises(FiksmeldingError, match="receipt"):
        make_pdf(EXAMPLES / "feilet.json", out=None, given_type=None, language="nb", report_id=None)
    with pytest.raises(FiksmeldingError, match="nb, nn, en"):
        make_pdf(EXAMPLES / "privat-v1.xml", out=None, given_type=None, language="sv", report_id=None)
    with pytest.raises(InvalidMessage):
        make_pdf(bad, out=None, given_type=None, language="nb", report_id=None)
