import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fiksmelding.cli.demo import demo
from fiksmelding.cli.demo_reports import demo_reports
from fiksmelding.cli.output import Exit

TEXT_MEMBERS = {
    "personnavn",
    "fnr",
    "melding",
    "historie",
    "andreSynspunkter",
    "telefonnummer",
    "epost",
    "adresselinje1",
}


def texts_of(value: object) -> Iterator[str]:
    """Whatever a report says of people."""
    if isinstance(value, dict):
        for name, member in value.items():
            if isinstance(member, str) and name in TEXT_MEMBERS:
                yield member
            yield from texts_of(member)
    elif isinstance(value, list):
        for member in value:
            yield from texts_of(member)


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


async def test_the_demo_loses_nothing(temporary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert await demo() is Exit.FINE
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == "demo: sent=4 registered=3 mottatt=3 feilet=1 lost=0"


async def test_a_whole_run_logs_no_secret_and_nothing_out_of_a_report(
    temporary: Path, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert await demo() is Exit.FINE
    printed = capsys.readouterr()
    told = "\n".join([*(f"{record.getMessage()} {record.exc_text or ''} {vars(record)}" for record in caplog.records)])
    told += printed.out + printed.err

    passwords = [path.read_text().strip() for path in temporary.glob("**/*password*") if path.is_file()]
    keys = [path.read_text() for path in temporary.glob("**/*.pem") if "PRIVATE KEY" in path.read_text()]
    people = {text for _, report in demo_reports() for text in texts_of(json.loads(report)) if text}
    assert passwords
    assert keys
    assert len(people) > 10
    assert any(record.levelno == logging.DEBUG for record in caplog.records)
    for secret in [*passwords, *people, *(line for key in keys for line in key.splitlines()[1:-1])]:
        assert secret not in told, "a secret was logged"
    assert not re.search(r"eyJ[\w-]{10,}", told), "a token was logged"
