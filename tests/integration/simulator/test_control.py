import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import aiohttp
import pytest

from fiksmelding.cli.simulator import list_reports, submit
from fiksmelding.cli.simulator_control import advance
from fiksmelding.config import Settings
from fiksmelding.errors import FiksmeldingError
from fiksmelding.messages import MessageType
from fiksmelding.simulator import ControlClient, Simulator
from support.documents import EXAMPLES, example
from support.platform_client import PlatformClient

COMMAND = (sys.executable, "-m", "fiksmelding", "simulator")


@pytest.fixture
async def control(fiks: Simulator) -> AsyncIterator[ControlClient]:
    async with ControlClient(fiks.folder) as client:
        yield client


async def test_a_report_submitted_from_outside_is_listed_with_its_states_and_receipts(
    control: ControlClient, bergen: PlatformClient
) -> None:
    data = example(MessageType.OFFENTLIG_V2)

    report_id = await control.submit(data, message_type=MessageType.OFFENTLIG_V2, bydelsnummer="02")
    received = await bergen.receive()
    await bergen.answer(received, MessageType.MOTTATT, headere={"klientMeldingId": "mine"})
    await bergen.fiks.wait_for(report_id, "LEVERT")

    [report] = await control.reports()
    [receipt] = await control.receipts(report_id)
    assert (report["id"], report["kind"], report["account"]) == (report_id, "offentlig", "bergen")
    assert (report["kommunenummer"], report["bydelsnummer"]) == ("4601", "02")
    assert report["meldingIds"] == [received.headers["melding-id"]]
    assert isinstance(report["states"], list)
    assert [state["tilstand"] for state in report["states"] if isinstance(state, dict)] == [
        "AKSEPTERT",
        "SENDT_FAGSYSTEM",
        "LEVERT",
    ]
    assert (receipt["klientMeldingId"], receipt["verdict"]) == ("mine", "BELIEVED")
    assert datetime.fromisoformat(str(receipt["tidspunkt"])).tzinfo is not None


async def test_the_clock_is_pushed_forward_from_outside(control: ControlClient, fiks: Simulator) -> None:
    report_id = await control.submit(example(MessageType.PRIVAT_V2), message_type=MessageType.PRIVAT_V2)

    await control.advance(timedelta(hours=25))

    await fiks.wait_for(report_id, "LEVERT")
    assert len(fiks.letters()) == 1


@pytest.mark.parametrize(
    ("data", "message_type", "account", "says"),
    [
        (b"{}", MessageType.PRIVAT_V2, "bergen", "not valid"),
        (b"no json", MessageType.PRIVAT_V2, "bergen", "not valid"),
        (b"{}", "no.ks.unknown", "bergen", "not valid"),
        (example(MessageType.PRIVAT_V2), MessageType.PRIVAT_V2, "nowhere", "nowhere"),
        (example(MessageType.PRIVAT_V2), MessageType.PRIVAT_V2, "tromso", "version 1"),
    ],
)
async def test_a_submission_that_cannot_be_is_refused_in_words(
    control: ControlClient, data: bytes, message_type: str, account: str, says: str
) -> None:
    with pytest.raises(FiksmeldingError, match=says):
        await control.submit(data, message_type=message_type, account=account)
    assert await control.reports() == []


async def test_the_control_api_refuses_what_a_web_page_could_make_a_browser_send(fiks: Simulator) -> None:
    async with aiohttp.ClientSession(fiks.control_url) as http:
        by_form = await http.post("/control/clock/advance", data=b'{"seconds": 1}')
        by_text = await http.post("/control/reports", data="{}", headers={"Content-Type": "text/plain"})
        rebound = await http.get("/control/reports", headers={"Host": "attacker.example"})
        by_name = await http.get("/control/reports", headers={"Host": "localhost:1"})

    assert [response.status for response in (by_form, by_text, rebound, by_name)] == [400, 400, 400, 200]


@pytest.mark.parametrize(
    "body", [b"", b"{}", b'{"seconds": -1}', b'{"seconds": NaN}', b'{"seconds": 1e30}', b"[" * 999]
)
async def test_the_clock_takes_no_nonsense(fiks: Simulator, body: bytes) -> None:
    before = fiks.clock.offset

    async with aiohttp.ClientSession(fiks.control_url) as http:
        response = await http.post("/control/clock/advance", data=body, headers={"Content-Type": "application/json"})

    assert response.status == 400
    assert fiks.clock.offset == before


async def test_without_a_simulator_the_words_say_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(FiksmeldingError, match="fiksmelding simulator --dir"):
        await list_reports(tmp_path, as_json=True)
    (tmp_path / "simulator.json").write_text('{"control_url": "http://127.0.0.1:1"}')
    with pytest.raises(FiksmeldingError, match="No simulator runs"):
        await list_reports(tmp_path, as_json=True)


async def test_the_commands_reach_a_simulator_in_another_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process = await asyncio.create_subprocess_exec(*COMMAND, "--dir", str(tmp_path), stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        ready = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        settings = Settings.load(tmp_path / "settings-bergen.toml", environment={})

        report_id = await submit(tmp_path, EXAMPLES / "privat-v2.json", kind="privat", version=2, account="bergen")
        await submit(tmp_path, EXAMPLES / "offentlig-v1.json", kind="offentlig", version=1, account="tromso")
        await advance(tmp_path, hours=1)
        await list_reports(tmp_path, as_json=True)
        reports = json.loads(capsys.readouterr().out)
        await list_reports(tmp_path, as_json=False)
        table = capsys.readouterr().out
    finally:
        process.send_signal(signal.SIGTERM)
        status = await asyncio.wait_for(process.wait(), 10)

    assert status == 0
    assert ready.startswith("ready: api=http://127.0.0.1:")
    assert f"dir={tmp_path}" in ready
    assert settings.platform.api_url in ready
    assert [(report["id"] == report_id, report["kind"], report["account"]) for report in reports] == [
        (True, "privat", "bergen"),
        (False, "offentlig", "tromso"),
    ]
    assert "SENDT_FAGSYSTEM" in table.replace("\n", "")
    assert sorted(path.name for path in tmp_path.glob("settings-*.toml")) == [
        "settings-bergen.toml",
        "settings-oslo.toml",
        "settings-skole.toml",
        "settings-tromso.toml",
    ]
    assert not (tmp_path / "simulator.json").exists()


async def test_settings_hold_no_secret_and_private_files_are_their_owners_alone(fiks: Simulator) -> None:
    path = fiks.write_settings("oslo")

    password = fiks.party("oslo").integration.password.get_secret_value()
    private = [file for file in fiks.folder.rglob("*") if file.is_file() and _holds_secret(file, password)]
    assert password not in path.read_text()
    assert sorted(file.name for file in private) == ["password.txt", "private-key.pem"]
    assert os.name == "nt" or all(file.stat().st_mode & 0o077 == 0 for file in private)
    settings = fiks.settings_for("oslo")
    assert settings.integration.secret().get_secret_value() == password
    assert password not in repr(fiks.party("oslo"))


def _holds_secret(file: Path, password: str) -> bool:
    data = file.read_bytes()
    return b"PRIVATE KEY" in data or password.encode() in data


async def test_the_accounts_tell_what_waits_and_who_listens(fiks: Simulator, bergen: PlatformClient) -> None:
    fiks.put_on_queue("bergen", headers={"type": "odd"})

    async with aiohttp.ClientSession(fiks.control_url) as http:
        accounts = await (await http.get("/control/accounts")).json()

    own = next(account for account in accounts if account["name"] == "bergen")
    assert own == {
        "name": "bergen",
        "title": "Bergen kommune (test)",
        "kontoId": str(bergen.party.account.id),
        "waiting": 1,
        "held": 0,
        "consumers": 0,
    }
    assert [account["name"] for account in accounts] == list(fiks.accounts)


async def test_the_status_page_is_whole_and_loads_nothing_from_elsewhere(fiks: Simulator) -> None:
    async with aiohttp.ClientSession(fiks.control_url) as http:
        page = await http.get("/")
        text = await page.text()
        parts = [await http.get(f"/{name}") for name in re.findall(r'(?:href|src)="([^"]+)"', text)]
        rebound = await http.get("/", headers={"Host": "attacker.example"})
        script = await (await http.get("/status.js")).text()

    assert page.content_type == "text/html"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert '<html lang="nb">' in text
    assert [part.content_type for part in parts] == ["text/css", "text/javascript"]
    assert rebound.status == 400
    assert all(f'id="{name}"' in text for name in re.findall(r'getElementById\("(\w+)"\)', script))
    assert "innerHTML" not in script
