"""`send`, `status` and `outbox`, as a school's operator types them."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from fiksmelding import FolderHandler, Receiver
from fiksmelding.simulator import HttpFault, Simulator
from support.commands import command
from support.documents import EXAMPLES

PRIVAT, OFFENTLIG = EXAMPLES / "privat-v2.json", EXAMPLES / "offentlig-v2.json"
SUBMITTING = "/bekymringsmelding/api/v2/mottak/fagsystem/"


@pytest.fixture
def settings(fiks: Simulator, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in {"STATUS_FIRST": "0.05", "STATUS_LONGEST": "0.2", "RETRY_LONGEST": "0.2"}.items():
        monkeypatch.setenv(f"FIKSMELDING_SENDER_{name}_SECONDS", value)
    return fiks.write_settings("skole")


@pytest.fixture
async def bergen(fiks: Simulator, tmp_path: Path) -> AsyncIterator[Path]:
    """A receiver at work; its folder."""
    handler = FolderHandler(tmp_path / "reports")
    async with Receiver(fiks.settings_for("bergen"), handler, confirm=handler.confirm) as receiver:
        running = asyncio.create_task(receiver.run())
        yield tmp_path / "reports"
        receiver.stop()
        await running


async def test_reports_are_sent_and_followed_from_the_command_line(settings: Path, bergen: Path) -> None:
    words = ("send", PRIVAT, OFFENTLIG, "--settings", settings, "--to", "Bergen", "--yes", "--keys-from-names")
    sent = await command(*words, "--json")
    assert sent.status == 0, sent.complaints
    results = json.loads(sent.out)
    assert [(Path(one["file"]).name, one["state"], one["repeated"]) for one in results] == [
        ("privat-v2.json", "ACCEPTED", False),
        ("offentlig-v2.json", "ACCEPTED", False),
    ]
    done = await command("outbox", "run", "--settings", settings, "--until-done")
    assert done.status == 0, done.complaints
    assert done.out.count("LEVERT") == 2
    assert len(list(bergen.iterdir())) == 2

    again = await command(*words)
    assert again.status == 0
    assert "DELIVERED" in again.out
    assert len(list(bergen.iterdir())) == 2
    told = await command("status", results[0]["report_id"], "--settings", settings, "--json")
    [*_, last] = json.loads(told.out)["events"]
    assert (told.status, last["kind"]) == (0, "delivered")
    table = await command("status", results[0]["id"], "--settings", settings)
    assert "SENDT_FAGSYSTEM" in table.out
    whole = await command("status", "--settings", settings, "--json")
    assert json.loads(whole.out)["counts"]["DELIVERED"] == 2


async def test_what_the_platform_does_not_take_now_waits_in_the_outbox_and_can_be_cancelled(
    fiks: Simulator, settings: Path
) -> None:
    fiks.faults.add(HttpFault(path=SUBMITTING, method="POST", status=503, times=None))
    sent = await command("send", PRIVAT, "--settings", settings, "--yes", "--wait", "0.2")
    assert (sent.status, "QUEUED" in sent.out) == (0, True), sent.complaints
    assert "outbox run" in sent.out
    [waiting] = json.loads((await command("outbox", "list", "--settings", settings, "--json")).out)
    assert waiting["state"] == "QUEUED"
    cancelled = await command("outbox", "cancel", waiting["id"], "--settings", settings)
    assert "CANCELLED" in cancelled.out
    refused = await command("outbox", "retry", waiting["id"], "--settings", settings)
    assert (refused.status, "not sent again" in refused.complaints) == (1, True)
    assert fiks.reports() == ()


async def test_a_person_decides_about_what_is_not_known(fiks: Simulator, settings: Path) -> None:
    fiks.faults.add(HttpFault(path=SUBMITTING, method="POST", connection="reset_after", times=2))
    for _ in range(2):
        sent = await command("send", PRIVAT, "--settings", settings, "--yes")
        assert (sent.status, "UNCERTAIN" in sent.out) == (1, True)
    assert (await command("status", "--settings", settings)).status == 1
    listed = await command("outbox", "list", "--state", "uncertain", "--settings", settings, "--json")
    first, second = json.loads(listed.out)
    taken = await command("outbox", "taken", first["id"], fiks.reports()[0].id, "--settings", settings)
    assert "ACCEPTED" in taken.out
    assert "QUEUED" in (await command("outbox", "retry", second["id"], "--settings", settings)).out
    wrong = await command("outbox", "taken", first["id"], fiks.reports()[0].id, "--settings", settings)
    assert (wrong.status, "no doubt" in wrong.complaints) == (1, True)
    assert (await command("outbox", "list", "--state", "somewhere", "--settings", settings)).status == 2


@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (("--to", "Brgen", "--yes"), 1, "Did you mean Bergen?"),
        (("--to", "Bergen", "--district", "77", "--yes"), 1, "no office 77"),
        (("--to", "Bergen"), 2, "Give --yes"),
        (("--type", "feilet.v1", "--yes"), 1, "not"),
    ],
)
async def test_what_cannot_be_sent_is_said_in_words(
    settings: Path, words: tuple[str, ...], status: int, told: str
) -> None:
    ended = await command("send", PRIVAT, "--settings", settings, *words)
    assert ended.status == status
    assert told in ended.complaints
    assert "Traceback" not in ended.complaints


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
@pytest.mark.parametrize(("answer", "reports"), [(b"n\n", 0), (b"y\n", 1)])
async def test_on_a_terminal_it_shows_what_would_be_sent_and_asks(
    fiks: Simulator, settings: Path, answer: bytes, reports: int
) -> None:
    ours, theirs = os.openpty()
    words = [
        "-m",
        "fiksmelding",
        "send",
        str(PRIVAT),
        "--settings",
        str(settings),
        "--to",
        "Bergen",
        "--district",
        "02",
    ]
    environment = os.environ | {"COLUMNS": "160", "TERM": "dumb"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, *map(str, words), stdin=theirs, stdout=theirs, stderr=DEVNULL, env=environment
    )
    os.close(theirs)
    os.write(ours, answer)
    shown = await asyncio.to_thread(_read_all, ours)
    assert await asyncio.wait_for(process.wait(), 60) == (0 if reports else 1)
    assert "Bergen, Bergenhus" in shown
    assert "Send 1 report? [y/N]" in shown
    assert len(fiks.reports()) == reports


def _read_all(terminal: int) -> str:
    read = b""
    try:
        while data := os.read(terminal, 4096):
            read += data
    except OSError:  # so Linux tells the end of a pseudo-terminal
        pass
    finally:
        os.close(terminal)
    return read.decode(errors="replace")
