"""The published KS Java client, unmodified, as a vendor's: on the simulator with its own broker and on RabbitMQ."""

import asyncio
import random
import subprocess
import zipfile
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from fiksmelding.messages import MessageType
from fiksmelding.simulator import Keys, Simulator
from support.documents import example
from support.java_process import JavaFailed
from support.ks_client import KsClient, java_command, ks_client, write_settings, write_trust_store
from support.platform_client import PlatformClient
from support.rabbitmq import on_either_broker
from support.receiving import receiving
from support.roads import privat_json

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300), on_either_broker]

PRIVAT_V2 = "no.ks.fiks.bekymringsmelding.privat.v2"
MOTTATT = "no.ks.fiks.bekymringsmelding.mottatt.v1"
FEILET = "no.ks.fiks.bekymringsmelding.feilet.v1"
SERVERFEIL = "no.ks.fiks.kvittering.serverfeil.v1"
TIDSAVBRUDD = "no.ks.fiks.kvittering.tidsavbrudd"


def run(command: list[str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def trust_store(keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_trust_store(tmp_path_factory.mktemp("trust") / "trust.p12", keys.authority.root.certificate)


@pytest.fixture(scope="module")
def java(trust_store: Path) -> Iterator[KsClient]:
    with ks_client(trust_store) as running:
        yield running


@pytest.fixture
async def bergen(java: KsClient, fiks: Simulator, tmp_path: Path) -> AsyncIterator[KsClient]:
    """KS's client, subscribed to Bergen's queue."""
    await asyncio.to_thread(java.ask, "connect", write_settings(fiks, "bergen", tmp_path))
    yield java
    await asyncio.to_thread(java.ask, "close")


async def test_it_opens_a_report_and_answers_mottatt(bergen: KsClient, fiks: Simulator, tmp_path: Path) -> None:
    content = tmp_path / "report.zip"
    report_id = await fiks.submit(privat_json("Et barn trenger hjelp."), message_type=PRIVAT_V2)

    received = await asyncio.to_thread(bergen.next, content)
    await asyncio.to_thread(bergen.ask, "answer", MOTTATT)
    await asyncio.to_thread(bergen.ask, "ack")

    assert received["meldingType"] == PRIVAT_V2
    assert received["resendt"] is False
    with zipfile.ZipFile(content) as archive:
        assert archive.namelist() == ["bekymringsmelding.json", "bekymringsmelding.pdf"]
        assert archive.read("bekymringsmelding.json") == privat_json("Et barn trenger hjelp.")
        assert archive.read("bekymringsmelding.pdf").startswith(b"%PDF-")
    report = await fiks.wait_for(report_id, "LEVERT", timeout=20)
    [receipt] = report.receipts
    assert (receipt.message_type, receipt.verdict.value) == (MOTTATT, "BELIEVED")
    assert receipt.klient_korrelasjons_id == report_id


async def test_its_feilet_is_read_and_the_report_goes_by_letter(bergen: KsClient, fiks: Simulator) -> None:
    report_id = await fiks.submit(privat_json(), message_type=PRIVAT_V2)

    await asyncio.to_thread(bergen.next)
    await asyncio.to_thread(bergen.ask, "answer", FEILET, "feilmelding.json", '{"melding": "Fagsystemet er fullt"}')
    await asyncio.to_thread(bergen.ask, "ack")

    report = await fiks.wait_for(report_id, "LEVERT", timeout=20)
    assert [change.tilstand for change in report.states][-2:] == ["SENDT_PRINT", "LEVERT"]
    assert report.receipts[0].feilmelding == "Fagsystemet er fullt"


async def test_it_looks_up_accounts(bergen: KsClient, fiks: Simulator) -> None:
    oslo, own = fiks.party("oslo").account, fiks.party("bergen").account
    found = await asyncio.to_thread(bergen.ask, "konto", oslo.id)
    assert found == {
        "kontoId": str(oslo.id),
        "kontoNavn": oslo.name,
        "orgNummer": oslo.organisation.number,
        "fiksOrgId": str(oslo.organisation.id),
        "gyldigMottaker": True,
        "antallKonsumenter": 0,
    }
    itself = await asyncio.to_thread(bergen.ask, "konto", own.id)
    assert isinstance(itself, dict)
    assert itself["antallKonsumenter"] == 1
    with pytest.raises(JavaFailed):
        await asyncio.to_thread(bergen.ask, "konto", "00000000-0000-0000-0000-000000000000")


async def test_a_large_body_comes_from_the_document_store(bergen: KsClient, fiks: Simulator, tmp_path: Path) -> None:
    pdf, content = b"%PDF-1.7\n" + random.Random(7).randbytes(7_000_000), tmp_path / "report.zip"
    sealed = await fiks.seal_for("bergen", {"bekymringsmelding.json": privat_json(), "bekymringsmelding.pdf": pdf})
    report_id = await fiks.submit_sealed(sealed, message_type=PRIVAT_V2)

    await asyncio.to_thread(bergen.next, content)
    await asyncio.to_thread(bergen.ask, "answer", MOTTATT)
    await asyncio.to_thread(bergen.ask, "ack")

    with zipfile.ZipFile(content) as archive:
        assert archive.read("bekymringsmelding.pdf") == pdf
    await fiks.wait_for(report_id, "LEVERT", timeout=20)


async def test_what_it_gives_back_comes_again_and_the_third_time_its_sender_is_told(
    bergen: KsClient, fiks: Simulator
) -> None:
    report_id = await fiks.submit(privat_json(), message_type=PRIVAT_V2)
    seen = []
    for _ in range(3):
        seen.append((await asyncio.to_thread(bergen.next))["resendt"])
        await asyncio.to_thread(bergen.ask, "requeue")
    assert seen == [False, True, True]
    report = await fiks.wait_for(report_id, "LEVERT", timeout=20)
    assert report.receipts[0].message_type == SERVERFEIL


async def test_it_is_told_of_what_nobody_fetched_and_of_what_failed_three_times(
    bergen: KsClient, fiks: Simulator
) -> None:
    oslo = fiks.party("oslo").account
    expired = await asyncio.to_thread(bergen.tell, "send", oslo.id, "no.ks.fiks.test.v1", 1000)
    fiks.clock.advance(timedelta(seconds=2))  # RabbitMQ waits by itself.
    told = await asyncio.to_thread(bergen.next)
    assert (told["meldingType"], told["svarPa"], told["harPayload"]) == (TIDSAVBRUDD, expired, False)
    await asyncio.to_thread(bergen.ask, "ack")

    failed = await asyncio.to_thread(bergen.tell, "send", oslo.id, "no.ks.fiks.test.v1", 600_000)
    async with PlatformClient(fiks, "oslo") as client:
        for _ in range(3):
            await client.receive(ack=False)
    told = await asyncio.to_thread(bergen.next)
    assert (told["meldingType"], told["svarPa"], told["avsender"]) == (SERVERFEIL, failed, str(oslo.id))
    await asyncio.to_thread(bergen.ask, "ack")


async def test_our_receiver_opens_what_it_sends_and_it_gets_our_receipt(
    java: KsClient, fiks: Simulator, tmp_path: Path
) -> None:
    (tmp_path / "bekymringsmelding.json").write_bytes(privat_json("Fra en skole."))
    (tmp_path / "bekymringsmelding.pdf").write_bytes(b"%PDF-1.7 report")
    files = [tmp_path / "bekymringsmelding.json", tmp_path / "bekymringsmelding.pdf"]
    await asyncio.to_thread(java.ask, "connect", write_settings(fiks, "skole", tmp_path))
    try:
        async with receiving(fiks.settings_for("bergen"), tmp_path / "reports") as work:
            bergen = fiks.party("bergen").account.id
            sent = await asyncio.to_thread(java.tell, "send", bergen, PRIVAT_V2, 600_000, *files)
            told = await asyncio.to_thread(java.next)
            await asyncio.to_thread(java.ask, "ack")
            assert (told["meldingType"], told["svarPa"]) == (MOTTATT, sent)
            [folder] = [tmp_path / "reports" / name for name in work.stored()]
            assert (folder / "bekymringsmelding.pdf").read_bytes() == b"%PDF-1.7 report"
    finally:
        await asyncio.to_thread(java.ask, "close")


async def test_a_report_submitted_with_ks_libraries_is_followed_to_its_end(
    java: KsClient, fiks: Simulator, tmp_path: Path
) -> None:
    report, pdf = tmp_path / "report.json", tmp_path / "report.pdf"
    report.write_bytes(example(MessageType.OFFENTLIG_V2))
    pdf.write_bytes(b"%PDF-1.7 report")
    settings = write_settings(fiks, "skole", tmp_path)

    report_id = await asyncio.to_thread(java.tell, "submit", settings, "offentlig", "4601", "01", report, pdf)
    async with receiving(fiks.settings_for("bergen"), tmp_path / "reports") as work:
        await fiks.wait_for(report_id, "LEVERT", timeout=20)
        assert (work.folder / report_id / "bekymringsmelding.pdf").read_bytes() == b"%PDF-1.7 report"
    history = await asyncio.to_thread(java.ask, "status", settings, report_id)

    assert isinstance(history, list)
    assert [change["tilstand"] for change in history] == ["AKSEPTERT", "SENDT_FAGSYSTEM", "LEVERT"]
    assert {change["bekymringsmeldingId"] for change in history} == {report_id}


async def test_the_print_copy_of_ks_libraries_becomes_a_letter(java: KsClient, fiks: Simulator, tmp_path: Path) -> None:
    report, pdf = tmp_path / "report.json", tmp_path / "report.pdf"
    report.write_bytes(privat_json())
    pdf.write_bytes(b"%PDF-1.7 letter")
    settings = write_settings(fiks, "skole", tmp_path)

    report_id = await asyncio.to_thread(java.tell, "submit", settings, "privat", "4601", "01", report, pdf)
    fiks.clock.advance(timedelta(days=6))  # Two working days, wherever in the year.
    await fiks.wait_for(report_id, "LEVERT", timeout=20)

    [letter] = fiks.letters()
    assert letter.path.read_bytes() == b"%PDF-1.7 letter"


async def test_the_consumer_for_benchmarks_empties_the_queue_to_a_folder(
    java: KsClient, trust_store: Path, fiks: Simulator, tmp_path: Path
) -> None:
    reports = [await fiks.submit(privat_json(f"Nummer {number}"), message_type=PRIVAT_V2) for number in range(5)]
    settings, folder = write_settings(fiks, "bergen", tmp_path), tmp_path / "content"
    command = [*java_command(trust_store, "Consumer"), str(settings), str(folder), "5", "2"]

    done = await asyncio.to_thread(run, command)

    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["ready", "2", "4", "5"]
    for report_id in reports:
        await fiks.wait_for(report_id, "LEVERT", timeout=20)
    assert len(list(folder.glob("*.zip"))) == 5
