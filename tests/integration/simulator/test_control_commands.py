"""A running simulator, by command and by the calls that other languages' test suites use."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from pika.exceptions import AMQPError

from fiksmelding.cli.simulator import submit
from fiksmelding.cli.simulator_control import faults, sever, show, silence, wait
from fiksmelding.errors import FiksmeldingError, SettingsError
from fiksmelding.messages import MessageType
from fiksmelding.simulator import ControlClient, Simulator
from support.documents import example
from support.platform_client import PlatformClient


@pytest.fixture
async def http(fiks: Simulator) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(fiks.control_url) as session:
        yield session


async def test_an_invented_report_is_submitted_waited_for_and_told_of(
    fiks: Simulator, bergen: PlatformClient, capsys: pytest.CaptureFixture[str]
) -> None:
    report_id = await submit(fiks.folder, None, kind="offentlig", version=2, account="bergen")
    waiting = asyncio.create_task(wait(fiks.folder, report_id, tilstand="LEVERT", seconds=30))

    await bergen.answer(await bergen.receive(), MessageType.MOTTATT)
    await waiting
    await show(fiks.folder, f"/control/reports/{report_id}/receipts", as_json=False)
    await show(fiks.folder, "/control/taken", as_json=True)
    await show(fiks.folder, "/control/letters", as_json=False)

    states, rest = capsys.readouterr().out.split("\n", 1)
    assert states == "AKSEPTERT → SENDT_FAGSYSTEM → LEVERT"
    assert "verdict: BELIEVED\n" in rest
    assert f'"meldingType": "{MessageType.MOTTATT}"' in rest
    assert rest.endswith("none\n")


async def test_a_state_that_does_not_come_is_told_with_those_that_did(fiks: Simulator) -> None:
    report_id = await submit(fiks.folder, None, kind="privat", version=2, account="bergen")

    with pytest.raises(FiksmeldingError, match=r"not come to LEVERT, only to AKSEPTERT, SENDT_FAGSYSTEM"):
        await wait(fiks.folder, report_id, tilstand="LEVERT", seconds=0)


async def test_a_letter_is_listed_and_can_be_read(fiks: Simulator, http: aiohttp.ClientSession) -> None:
    report_id = await fiks.submit(example(MessageType.PRIVAT_V2), message_type=MessageType.PRIVAT_V2)
    async with ControlClient(fiks.folder) as control:
        await http.post("/control/clock/advance", json={"seconds": 5 * 86_400})
        report = await control.wait_for(report_id, "LEVERT", seconds=30)
        letters = await control.ask("/control/letters")

    pdf = await (await http.get(f"/control/letters/{report_id}")).read()
    absent = await http.get("/control/letters/other")

    assert report["tilstand"] == "LEVERT"
    assert isinstance(letters, list)
    assert [letter["reportId"] for letter in letters if isinstance(letter, dict)] == [report_id]
    assert pdf.startswith(b"%PDF-")
    assert absent.status == 404


async def test_any_message_is_put_on_a_queue_from_outside(http: aiohttp.ClientSession, bergen: PlatformClient) -> None:
    message = {"headers": {"type": "odd"}, "body": base64.b64encode(b"body").decode(), "expirationMs": 60_000}

    answer = await http.post("/control/messages?account=bergen", json=message)
    received = await bergen.receive()
    refused = [
        (await http.post("/control/messages?account=bergen", json=wrong)).status
        for wrong in ({}, {"headers": {"x" * 200: "y"}}, {"headers": {}, "body": "x"})
    ]
    nobody = await http.post("/control/messages?account=nobody", json={"headers": {}})

    assert answer.status == 201
    assert (received.headers, received.body) == ({"type": "odd"}, b"body")
    assert refused == [400, 400, 400]
    assert nobody.status == 404


@pytest.mark.parametrize("query", ["tilstand=NOWHERE", "tilstand=LEVERT&seconds=x", "tilstand=LEVERT&seconds=1e9"])
async def test_a_wait_that_cannot_be_is_refused(fiks: Simulator, http: aiohttp.ClientSession, query: str) -> None:
    report_id = await submit(fiks.folder, None, kind="privat", version=2, account="bergen")

    assert (await http.get(f"/control/reports/{report_id}?{query}")).status == 400


async def test_incidents_and_files_of_faults_are_added_by_name(
    fiks: Simulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "script.toml"
    script.write_text('incidents = ["lost"]\n[[http]]\npath = "/nothing"\nstatus = 503\n')

    await faults(fiks.folder, ["duplicated", str(script)], clear=True)
    await submit(fiks.folder, None, kind="privat", version=2, account="bergen")
    await submit(fiks.folder, None, kind="privat", version=2, account="bergen")
    await show(fiks.folder, "/control/faults", as_json=True)

    assert json.loads(capsys.readouterr().out) == {"struck": 2}
    with pytest.raises(FiksmeldingError, match=r"no incident of that name.*answer-lost"):
        await faults(fiks.folder, ["earthquake"], clear=False)
    script.write_text("nonsense")
    with pytest.raises(SettingsError):
        await faults(fiks.folder, [str(script)], clear=False)


async def test_connections_are_cut_and_silenced_from_outside(fiks: Simulator, bergen: PlatformClient) -> None:
    connection = await asyncio.to_thread(bergen.connect, await bergen.password())

    await silence(fiks.folder)
    await sever(fiks.folder)

    with pytest.raises(AMQPError):
        await asyncio.to_thread(connection.process_data_events, 10)
    fiks.put_on_queue("bergen", headers={"type": "after"})
    assert (await bergen.receive()).headers == {"type": "after"}
