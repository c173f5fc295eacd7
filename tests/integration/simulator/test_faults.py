import asyncio
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import aiohttp
import pytest
from pydantic import ValidationError

from fiksmelding.errors import SettingsError
from fiksmelding.messages import MessageType
from fiksmelding.simulator import ControlClient, FaultScript, HttpFault, Keys, MessageFault, Simulator, Verdict
from support.documents import example
from support.envelopes import noise
from support.platform_client import PlatformClient, assertion

CATALOG = "/fiks-io/katalog/api/v1"


async def call(client: PlatformClient) -> int:
    status, _ = await client.get(f"{CATALOG}/kontoer/{client.party.account.id}")
    return status


async def submit(fiks: Simulator) -> str:
    return await fiks.submit(example(MessageType.PRIVAT_V2), message_type=MessageType.PRIVAT_V2)


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
async def test_a_call_is_answered_with_an_error_as_often_as_asked(bergen: PlatformClient, status: int) -> None:
    bergen.fiks.faults.add(HttpFault(path=CATALOG, status=status, times=2, after=1))

    assert [await call(bergen) for _ in range(4)] == [200, status, status, 200]
    assert bergen.fiks.faults.struck() == 2


async def test_the_answer_says_when_to_come_back(bergen: PlatformClient) -> None:
    bergen.fiks.faults.add(HttpFault(status=429, retry_after_seconds=7, path=CATALOG))

    async with bergen.http.get(f"{CATALOG}/kontoer/x", headers=await bergen.headers()) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "7")
        assert (await response.json())["errorId"]


async def test_the_token_endpoint_can_be_down(bergen: PlatformClient) -> None:
    bergen.fiks.faults.add(HttpFault(path="/maskinporten/", method="POST", status=503))

    down, _ = await bergen.ask_token(assertion(bergen.party, bergen.fiks.issuer))
    up, _ = await bergen.ask_token(assertion(bergen.party, bergen.fiks.issuer))

    assert (down, up) == (503, 200)


async def test_a_connection_breaks_before_the_call_is_done(bergen: PlatformClient) -> None:
    headers = await bergen.headers()
    bergen.fiks.faults.add(HttpFault(path="/fiks-io/api/v1/send", connection="reset"))

    with pytest.raises(aiohttp.ClientError):
        await bergen.http.post("/fiks-io/api/v1/send", data={"a": "b"}, headers=headers)


async def test_a_receipt_whose_answer_was_lost_is_there_and_its_repetition_recognised(
    fiks: Simulator, bergen: PlatformClient
) -> None:
    report_id = await submit(fiks)
    received = await bergen.receive()
    headere = {"klientMeldingId": str(uuid4())}
    fiks.faults.add(HttpFault(path="/fiks-io/api/v1/send", connection="reset_after"))

    with pytest.raises(aiohttp.ClientError):
        await bergen.answer(received, MessageType.MOTTATT, headere=headere)
    await bergen.answer(received, MessageType.MOTTATT, headere=headere)
    while len(fiks.receipts(report_id)) < 2:
        await fiks.platform.national.book.change()

    receipts = fiks.receipts(report_id)
    assert [receipt.verdict for receipt in receipts] == [Verdict.BELIEVED, Verdict.REPEATED]
    assert len({receipt.klient_melding_id for receipt in receipts}) == 1
    assert [(str(one.melding_id), one.klient_melding_id, one.taken_at <= receipt.tidspunkt)
            for one, receipt in zip(fiks.taken(), receipts, strict=True)] == [
        (receipt.melding_id, receipt.klient_melding_id, True) for receipt in receipts
    ]  # fmt: skip


async def test_what_was_refused_was_not_taken(fiks: Simulator, bergen: PlatformClient) -> None:
    await submit(fiks)
    received = await bergen.receive()
    fiks.faults.add(HttpFault(path="/fiks-io/api/v1/send", status=503))

    status, _ = await bergen.answer(received, MessageType.MOTTATT)

    assert (status, fiks.taken()) == (503, ())


async def test_a_slow_call_waits_by_the_simulators_clock(bergen: PlatformClient) -> None:
    bergen.fiks.faults.add(HttpFault(path=CATALOG, delay_seconds=3600))

    waiting = asyncio.create_task(call(bergen))
    await bergen.fiks.faults.wait_for(1)
    assert not waiting.done()
    bergen.fiks.clock.advance(timedelta(hours=1))

    # An hour later the token has expired: the platform looks at it when it gets to it.
    assert await waiting == 401


async def test_a_lost_message_never_arrives(fiks: Simulator) -> None:
    fiks.faults.add(MessageFault(effect="lose", account=fiks.party("bergen").account.id))

    report_id = await submit(fiks)

    assert fiks.report(report_id).tilstand == "SENDT_FAGSYSTEM"
    assert (await fiks.platform.broker.state(fiks.party("bergen").account.queue)).waiting == 0


async def test_a_duplicated_message_arrives_twice_under_one_id(fiks: Simulator, bergen: PlatformClient) -> None:
    fiks.faults.add(MessageFault(effect="duplicate", message_type="no.ks.fiks.bekymringsmelding.privat"))

    await submit(fiks)

    first, second = await bergen.receive(), await bergen.receive()
    assert first.headers == second.headers
    assert first.body == second.body


async def test_a_delayed_message_is_overtaken(fiks: Simulator, bergen: PlatformClient) -> None:
    fiks.faults.add(MessageFault(effect="delay", delay_seconds=60))
    late, early = await submit(fiks), await submit(fiks)

    first = await bergen.receive()
    fiks.clock.advance(timedelta(seconds=61))
    second = await bergen.receive()

    assert [first.headers["bekymringsmelding-id"], second.headers["bekymringsmelding-id"]] == [early, late]


async def test_a_damaged_message_differs_in_what_was_asked_for(fiks: Simulator, bergen: PlatformClient) -> None:
    effects = ("corrupt", "truncate", "strip_headers")
    fiks.faults.add(*(MessageFault.model_validate({"effect": effect}) for effect in effects))
    for _ in effects:
        fiks.put_on_queue(
            "bergen", headers={"melding-id": "m", "type": "t", "avsender-id": "a", "x": "y"}, body=b"12345"
        )

    corrupt, truncated, stripped = [await bergen.receive() for _ in effects]

    assert corrupt.body == b"12" + bytes([ord("3") ^ 0xFF]) + b"45"
    assert truncated.body == b"12"
    assert stripped.headers == {"x": "y"}
    assert (corrupt.headers, stripped.body) == (truncated.headers, b"12345")


async def test_a_missing_document_is_not_found(fiks: Simulator, bergen: PlatformClient) -> None:
    fiks.faults.add(MessageFault(effect="no_document"))
    own = str(bergen.party.account.id)
    metadata = {"avsenderKontoId": own, "mottakerKontoId": own, "meldingType": "t"}

    _, sent = await bergen.send(metadata, noise(6 * 1024 * 1024))
    received = await bergen.receive()

    assert received.headers["dokumentlager-id"] == sent["dokumentlagerId"]
    assert (await bergen.get(f"/dokumentlager/nedlasting/{sent['dokumentlagerId']}"))[0] == 404


async def test_chance_is_the_same_for_the_same_seed(keys: Keys) -> None:
    async def course(seed: int) -> list[bool]:
        async with Simulator(keys=keys, seed=seed) as fiks:
            fiks.faults.add(HttpFault(status=500, times=None, probability=0.5))
            return [fiks.faults.for_call("GET", "/") is not None for _ in range(64)]

    assert await course(1) == await course(1) != await course(2)
    assert 10 < sum(await course(1)) < 54


async def test_faults_are_ordered_from_outside_and_called_off(fiks: Simulator, bergen: PlatformClient) -> None:
    async with ControlClient(fiks.folder) as control:
        await control.add_faults(FaultScript(http=(HttpFault(path=CATALOG, status=503, times=None),)))
        down = await call(bergen)
        await control.clear_faults()
        up = await call(bergen)

        async with aiohttp.ClientSession(fiks.control_url) as http:
            odd = await http.post("/control/faults", json={"http": [{"status": 200}], "x": 1})
            struck = await (await http.get("/control/faults")).json()

    assert (down, up, odd.status) == (503, 200, 400)
    assert struck == {"struck": 0}


async def test_a_script_of_faults_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "faults.toml"
    path.write_text('[[http]]\npath = "/maskinporten/"\nstatus = 503\n[[message]]\neffect = "lose"\nafter = 2\n')

    script = FaultScript.load(path)

    assert script.http == (HttpFault(path="/maskinporten/", status=503),)
    assert script.message == (MessageFault(effect="lose", after=2),)


@pytest.mark.parametrize("text", ["[[http]]\nstatus = 200", "[[message]]\neffect = 'explode'", "no toml", "[[other]]"])
async def test_a_script_that_is_none_is_told(tmp_path: Path, text: str) -> None:
    path = tmp_path / "faults.toml"
    path.write_text(text)

    with pytest.raises(SettingsError, match=r"faults\.toml"):
        FaultScript.load(path)
    with pytest.raises(SettingsError, match="cannot be read"):
        FaultScript.load(tmp_path / "absent.toml")


def test_a_fault_that_cannot_be_is_refused() -> None:
    for wrong in ({"status": 700}, {"status": 599}, {"times": 0}, {"probability": 0}, {"delay_seconds": -1}):
        with pytest.raises(ValidationError):
            HttpFault.model_validate(wrong)
