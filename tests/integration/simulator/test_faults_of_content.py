"""Faults in what is sent: certificates, signatures, halves of bodies, tokens; connections that break or fall silent."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import aiohttp
import pytest
from cryptography import x509
from pamqp import commands

from fiksmelding.errors import DecryptionFailed, SignatureInvalid
from fiksmelding.messages import MessageType
from fiksmelding.simulator import HttpFault, MessageFault, Simulator
from support.documents import example
from support.envelopes import noise, opened
from support.platform_client import PlatformClient
from support.raw_amqp import RawClient, raw_client

CATALOG = "/fiks-io/katalog/api/v1"
REPORTS = "no.ks.fiks.bekymringsmelding."


async def submit(fiks: Simulator) -> str:
    return await fiks.submit(example(MessageType.PRIVAT_V2), message_type=MessageType.PRIVAT_V2)


async def test_a_token_can_be_dead_on_arrival_though_its_answer_promises_two_minutes(bergen: PlatformClient) -> None:
    bergen.fiks.faults.add(HttpFault(path="/maskinporten/", token_seconds=0))

    first = await bergen.get(f"{CATALOG}/kontoer/{bergen.party.account.id}")
    second = await bergen.get(f"{CATALOG}/kontoer/{bergen.party.account.id}")

    assert (first[0], second[0]) == (401, 200)
    assert "access_token" in str(first[1]["message"])


@pytest.mark.parametrize("size", [100, 6 * 1024 * 1024])
async def test_a_body_is_cut_in_the_middle(bergen: PlatformClient, size: int) -> None:
    document = await sent_document(bergen)
    path = f"/dokumentlager/nedlasting/{document}" + ("/metadata" if size == 100 else "")
    bergen.fiks.faults.add(HttpFault(path=path, body="cut"))

    async with bergen.http.get(path, headers=await bergen.headers()) as response:
        assert response.status == 200
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()


async def test_a_slow_bodys_second_half_waits_by_the_simulators_clock(bergen: PlatformClient) -> None:
    fiks, document = bergen.fiks, await sent_document(bergen)
    path = f"/dokumentlager/nedlasting/{document}"
    fiks.faults.add(HttpFault(path=path, body="slow", delay_seconds=3600))

    async with bergen.http.get(path, headers=await bergen.headers()) as response:
        first = await response.content.readexactly(2 * 1024 * 1024)
        rest = asyncio.create_task(response.content.read())
        while not rest.done():
            fiks.clock.advance(timedelta(hours=1))  # It may not have come to its waiting when this is done first.
            await asyncio.wait({rest}, timeout=0.05)
        whole = len(first) + len(rest.result())

    assert fiks.clock.offset >= timedelta(hours=1)

    assert whole == response.content_length == 6 * 1024 * 1024


async def sent_document(client: PlatformClient) -> str:
    own = str(client.party.account.id)
    metadata = {"avsenderKontoId": own, "mottakerKontoId": own, "meldingType": "t"}
    _, sent = await client.send(metadata, noise(6 * 1024 * 1024))
    return str(sent["dokumentlagerId"])


@pytest.mark.parametrize("whose", ["expired", "stranger"])
async def test_the_catalog_and_the_bekymringsmelding_api_hand_out_keys_that_nobody_should_seal_for(
    fiks: Simulator, whose: str
) -> None:
    async with PlatformClient(fiks, "skole") as school:
        paths = (
            f"{CATALOG}/kontoer/{fiks.party('bergen').account.id}/offentligNokkel",
            "/bekymringsmelding/api/v2/mottak/fagsystem/4601/02/krypteringsnokler",
        )
        fiks.faults.add(*(HttpFault.model_validate({"path": path, "certificate": whose}) for path in paths))
        answers = [(await school.get(path))[1] for path in paths]
        true_answers = [(await school.get(path))[1] for path in paths]

    fiks_io_key = answers[1]["fiksIOOffentligNokkel"]
    assert isinstance(fiks_io_key, dict)
    own = fiks.party("bergen").account.certificate
    given = [x509.load_pem_x509_certificate(str(one["nokkel"]).encode()) for one in (answers[0], fiks_io_key)]
    assert own not in given
    assert [answers[0]["valid"], fiks_io_key["gyldig"]] == [whose == "stranger"] * 2
    expired = [one.not_valid_after_utc < datetime.now(UTC) for one in given]
    assert expired == [whose == "expired"] * 2
    assert true_answers[0]["valid"]


async def test_a_status_can_go_back_or_be_forgotten(fiks: Simulator) -> None:
    report_id = await submit(fiks)
    report = replace(fiks.report(report_id), sender_id=fiks.party("skole").account.organisation.id)
    fiks.platform.national.book.put(report)
    organisation = fiks.party("skole").account.organisation.id
    path = f"/bekymringsmelding/api/v2/mottak/fagsystem/{organisation}/bekymringsmelding/{report_id}/status"
    fiks.faults.add(*(HttpFault.model_validate({"path": path, "states": what}) for what in ("all_but_newest", "none")))
    async with PlatformClient(fiks, "skole") as school:
        answers = [json.loads((await school.get_bytes(path))[1]) for _ in range(3)]
    states = [[change["tilstand"] for change in answer] for answer in answers]
    assert states == [["AKSEPTERT"], [], ["AKSEPTERT", "SENDT_FAGSYSTEM"]]


async def test_a_report_can_come_sealed_for_somebody_else(fiks: Simulator, bergen: PlatformClient) -> None:
    fiks.faults.add(MessageFault(effect="wrong_key", message_type=REPORTS))
    await submit(fiks)

    received = await bergen.receive()

    with pytest.raises(DecryptionFailed):
        opened(received.body, bergen.party.credential)


@pytest.mark.parametrize("effect", ["expired_signer", "stranger_signer"])
async def test_a_report_can_come_signed_by_one_whom_nobody_should_believe(
    fiks: Simulator, bergen: PlatformClient, effect: str
) -> None:
    fiks.faults.add(MessageFault.model_validate({"effect": effect, "message_type": REPORTS}))
    await submit(fiks)
    received = await bergen.receive()

    assert opened(received.body, bergen.party.credential)["bekymringsmelding.json"] == example(MessageType.PRIVAT_V2)
    with pytest.raises(SignatureInvalid):
        opened(received.body, bergen.party.credential, roots=(fiks.keys.authority.root.certificate,))
    await submit(fiks)
    believed = await bergen.receive()
    assert opened(believed.body, bergen.party.credential, roots=(fiks.keys.authority.root.certificate,))


async def test_what_is_no_envelope_comes_as_it_was(fiks: Simulator, bergen: PlatformClient) -> None:
    for effect in ("wrong_key", "expired_signer"):
        fiks.faults.add(MessageFault.model_validate({"effect": effect}))
        fiks.put_on_queue("bergen", headers={"type": "t"}, body=b"no envelope")

    assert [(await bergen.receive()).body for _ in range(2)] == [b"no envelope"] * 2


async def test_a_message_that_is_sent_again_has_an_id_of_its_own(fiks: Simulator, bergen: PlatformClient) -> None:
    fiks.faults.add(MessageFault(effect="resend", message_type=REPORTS))
    await submit(fiks)

    first, second = await bergen.receive(), await bergen.receive()

    assert first.headers["melding-id"] != second.headers["melding-id"]
    same = {name for name in first.headers if first.headers[name] == second.headers[name]}
    assert set(first.headers) - same == {"melding-id"}
    assert first.body == second.body


async def test_a_message_is_overtaken_by_the_next_to_the_same_account(fiks: Simulator, bergen: PlatformClient) -> None:
    fiks.faults.add(MessageFault(effect="reorder"))
    fiks.put_on_queue("bergen", headers={"type": "first"})
    fiks.put_on_queue("oslo", headers={"type": "elsewhere"})
    fiks.put_on_queue("bergen", headers={"type": "second"})

    assert [(await bergen.receive()).headers["type"] for _ in range(2)] == ["second", "first"]


@asynccontextmanager
async def listening(client: PlatformClient) -> AsyncIterator[RawClient]:
    port = urlsplit(client.fiks.amqp_url).port
    assert port is not None
    tls = ssl.create_default_context(cafile=str(client.roots()))
    async with raw_client(port, tls) as raw:
        await raw.start(response=f"\0{client.party.integration.id}\0{await client.password()}")
        await raw.expect(commands.Connection.Tune)
        raw.send(0, commands.Connection.TuneOk(2047, 131_072, 1), commands.Connection.Open())
        await raw.expect(commands.Connection.OpenOk)
        await raw.open_channel()
        await raw.consume(client.party.account.queue)
        yield raw


@pytest.mark.parametrize("effect", ["reset", "half_open"])
async def test_a_connection_breaks_or_falls_silent_as_a_message_arrives_and_the_message_comes_again(
    fiks: Simulator, bergen: PlatformClient, effect: str
) -> None:
    fiks.faults.add(MessageFault.model_validate({"effect": effect, "message_type": REPORTS}))
    async with listening(bergen) as raw:
        await submit(fiks)
        await raw.expect_end()

    assert (await bergen.receive()).headers["type"] == MessageType.PRIVAT_V2
