import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from pypdf import PdfReader

from fiksmelding.errors import FiksmeldingError, InvalidMessage
from fiksmelding.messages import REPORT_TYPES, MessageType
from fiksmelding.simulator import Refusal, Simulator, Tilstand, Verdict
from support.documents import example
from support.envelopes import noise, opened, sealed
from support.platform_client import PlatformClient

TO_LETTER = [
    Tilstand.AKSEPTERT,
    Tilstand.SENDT_FAGSYSTEM,
    Tilstand.AVVIST_FAGSYSTEM,
    Tilstand.SENDT_PRINT,
    Tilstand.LEVERT,
]


def states(fiks: Simulator, report_id: str) -> list[Tilstand]:
    return [change.tilstand for change in fiks.report(report_id).states]


async def submit(fiks: Simulator, account: str = "bergen") -> str:
    return await fiks.submit(example(MessageType.PRIVAT_V1), message_type=MessageType.PRIVAT_V1, account=account)


@pytest.mark.parametrize("message_type", sorted(REPORT_TYPES))
async def test_a_report_is_consumed_by_pika_opened_and_delivered_by_its_receipt(
    fiks: Simulator, bergen: PlatformClient, message_type: MessageType
) -> None:
    report_id = await fiks.submit(example(message_type), message_type=message_type, account="bergen")

    received = await bergen.receive()
    files = opened(received.body, bergen.party.credential)
    status, sent = await bergen.answer(received, MessageType.MOTTATT)

    report = await fiks.wait_for(report_id, "LEVERT")
    assert status == 200
    assert sent["svarPaMelding"] == received.headers["melding-id"]
    assert [change.tilstand for change in report.states] == ["AKSEPTERT", "SENDT_FAGSYSTEM", "LEVERT"]
    assert [change.tidspunkt for change in report.states] == sorted(change.tidspunkt for change in report.states)
    assert files["bekymringsmelding.json"] == example(message_type)
    assert files["bekymringsmelding.pdf"].startswith(b"%PDF-")
    assert received.headers["type"] == message_type
    assert not fiks.letters()


async def test_a_report_carries_the_headers_of_the_contract(fiks: Simulator, bergen: PlatformClient) -> None:
    report_id = await submit(fiks)

    received = await bergen.receive()

    national = fiks.platform.world.national.account
    assert received.headers["avsender-id"] == str(national.id)
    assert received.headers["avsender-navn"] == national.name
    assert received.headers["bekymringsmelding-id"] == report_id
    assert received.headers["bydel-ressurs-id"] == received.headers["egendefinert-header.bydel-ressurs-id"]
    assert received.headers["egendefinert-header.klientMeldingId"]
    assert received.headers["egendefinert-header.klientKorrelasjonsId"] == report_id
    assert received.headers["melding-id"] == fiks.report(report_id).melding_ids[0]
    assert 0 < int(received.expiration or "") <= timedelta(hours=24) / timedelta(milliseconds=1)
    assert received.routing_key == f"fiksio.konto.{bergen.party.account.id}"
    assert not received.redelivered


async def test_a_refused_report_goes_out_by_letter_and_its_reason_is_read(
    fiks: Simulator, bergen: PlatformClient, tmp_path: Path
) -> None:
    report_id = await submit(fiks)
    received = await bergen.receive()
    reason = json.dumps({"melding": "Fant ikke barnevernstjenesten"}).encode()
    national = fiks.platform.world.national.credential

    await bergen.answer(
        received, MessageType.FEILET, sealed({"feilmelding.json": reason}, bergen.party.credential, national)
    )

    await fiks.wait_for(report_id, "LEVERT")
    [letter] = fiks.letters()
    [receipt] = fiks.receipts(report_id)
    assert states(fiks, report_id) == TO_LETTER
    assert receipt.feilmelding == "Fant ikke barnevernstjenesten"
    assert receipt.verdict is Verdict.BELIEVED
    assert letter.report_id == report_id
    assert letter.path.parent == fiks.folder / "brevpost"
    assert letter.path.stat().st_mode & 0o077 == 0
    assert len(PdfReader(letter.path).pages) > 0


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (None, "innhold"),
        (b"no envelope", "envelope"),
    ],
)
async def test_a_refusal_counts_though_its_reason_cannot_be_read(
    fiks: Simulator, bergen: PlatformClient, body: bytes | None, problem: str
) -> None:
    report_id = await submit(fiks)

    await bergen.answer(await bergen.receive(), MessageType.FEILET, body)

    await fiks.wait_for(report_id, "LEVERT")
    [receipt] = fiks.receipts(report_id)
    assert states(fiks, report_id) == TO_LETTER
    assert receipt.feilmelding is None
    assert problem in receipt.problem


@pytest.mark.parametrize("files", [{"other.json": b"{}"}, {"feilmelding.json": b"[1]"}])
async def test_a_refusal_counts_though_its_envelope_holds_something_else(
    fiks: Simulator, bergen: PlatformClient, files: dict[str, bytes]
) -> None:
    report_id = await submit(fiks)
    envelope = sealed(files, bergen.party.credential, fiks.platform.world.national.credential)

    await bergen.answer(await bergen.receive(), MessageType.FEILET, envelope)

    await fiks.wait_for(report_id, "LEVERT")
    [receipt] = fiks.receipts(report_id)
    assert receipt.feilmelding is None
    assert receipt.problem


async def test_a_second_receipt_changes_nothing_but_is_recorded(fiks: Simulator, bergen: PlatformClient) -> None:
    report_id = await submit(fiks)
    received = await bergen.receive()
    headere = {"klientMeldingId": "the-same", "klientKorrelasjonsId": report_id}
    await bergen.answer(received, MessageType.MOTTATT, headere=headere)
    await fiks.wait_for(report_id, "LEVERT")

    await bergen.answer(received, MessageType.MOTTATT, headere=headere)
    await bergen.answer(received, MessageType.FEILET)
    while len(fiks.receipts(report_id)) < 3:
        await fiks.platform.national.book.change()

    receipts = fiks.receipts(report_id)
    assert [receipt.verdict for receipt in receipts] == [Verdict.BELIEVED, Verdict.REPEATED, Verdict.REPEATED]
    assert [receipt.klient_melding_id for receipt in receipts][:2] == ["the-same", "the-same"]
    assert receipts[0].klient_korrelasjons_id == report_id
    assert receipts[0].tidspunkt <= receipts[1].tidspunkt
    assert len({receipt.melding_id for receipt in receipts}) == 3
    assert states(fiks, report_id) == ["AKSEPTERT", "SENDT_FAGSYSTEM", "LEVERT"]


async def test_a_receipt_from_another_account_is_not_believed(fiks: Simulator, bergen: PlatformClient) -> None:
    report_id = await submit(fiks)
    received = await bergen.receive()

    async with PlatformClient(fiks, "oslo") as oslo:
        await oslo.answer(received, MessageType.MOTTATT)
    while not fiks.receipts(report_id):
        await fiks.platform.national.book.change()

    assert fiks.receipts(report_id)[0].verdict is Verdict.STRANGER
    assert states(fiks, report_id) == ["AKSEPTERT", "SENDT_FAGSYSTEM"]
    await bergen.answer(received, MessageType.MOTTATT)
    await fiks.wait_for(report_id, "LEVERT")


async def test_a_receipt_for_no_report_and_a_message_of_another_type_are_passed_over(
    fiks: Simulator, bergen: PlatformClient
) -> None:
    report_id = await submit(fiks)
    received = await bergen.receive()

    await bergen.answer(received, MessageType.MOTTATT, svarPaMelding=str(uuid4()))
    await bergen.answer(received, "no.ks.fiks.something.else")
    await bergen.answer(received, MessageType.MOTTATT)

    await fiks.wait_for(report_id, "LEVERT")
    assert len(fiks.receipts(report_id)) == 1


async def test_a_report_that_nobody_fetches_in_time_goes_out_by_letter(fiks: Simulator) -> None:
    report_id = await submit(fiks)

    fiks.clock.advance(timedelta(hours=25))

    await fiks.wait_for(report_id, "LEVERT")
    [receipt] = fiks.receipts(report_id)
    assert states(fiks, report_id) == TO_LETTER
    assert receipt.message_type == MessageType.TIDSAVBRUDD


async def test_a_report_given_back_three_times_goes_out_by_letter(fiks: Simulator, bergen: PlatformClient) -> None:
    report_id = await submit(fiks)

    attempts = [await bergen.receive(ack=False) for _ in range(3)]

    await fiks.wait_for(report_id, "LEVERT")
    [receipt] = fiks.receipts(report_id)
    assert [attempt.redelivered for attempt in attempts] == [False, True, True]
    assert states(fiks, report_id) == TO_LETTER
    assert receipt.message_type == MessageType.SERVERFEIL


async def test_a_fetched_report_without_a_receipt_goes_out_by_letter_after_two_working_days(
    fiks: Simulator, bergen: PlatformClient
) -> None:
    report_id = await submit(fiks)
    await bergen.receive()

    fiks.clock.advance(timedelta(days=14))

    report = await fiks.wait_for(report_id, "LEVERT")
    assert states(fiks, report_id) == TO_LETTER
    assert not report.receipts
    assert "virkedager" in report.states[2].beskrivelse


async def test_the_platform_deletes_its_copy_fourteen_days_after_delivery(
    fiks: Simulator, bergen: PlatformClient
) -> None:
    report_id = await submit(fiks)
    await bergen.answer(await bergen.receive(), MessageType.MOTTATT)
    await fiks.wait_for(report_id, "LEVERT")

    fiks.clock.advance(timedelta(days=13))
    fiks.platform.agenda.do_due()
    held = fiks.platform.national.holds_copy(report_id)
    fiks.clock.advance(timedelta(days=1, seconds=1))
    fiks.platform.agenda.do_due()

    assert held
    assert not fiks.platform.national.holds_copy(report_id)


async def test_without_a_print_copy_letter_post_fails_and_that_is_the_end(fiks: Simulator) -> None:
    report_id = await fiks.submit_sealed(b"no envelope at all", message_type="no.ks.unknown")

    fiks.clock.advance(timedelta(hours=25))

    report = await fiks.wait_for(report_id, "AVVIST_PRINT")
    assert report.tilstand is Tilstand.AVVIST_PRINT
    with pytest.raises(FiksmeldingError, match="ended in AVVIST_PRINT"):
        await fiks.wait_for(report_id, "LEVERT")


async def test_a_report_for_a_closed_account_goes_out_by_letter_at_once(fiks: Simulator) -> None:
    fiks.platform.world.register.add(replace(fiks.party("bergen").account, valid_recipient=False))

    report_id = await submit(fiks)

    await fiks.wait_for(report_id, "LEVERT")
    assert states(fiks, report_id) == TO_LETTER
    assert "gyldig mottaker" in fiks.report(report_id).states[2].beskrivelse


async def test_a_tray_that_cannot_be_written_ends_in_avvist_print(fiks: Simulator, bergen: PlatformClient) -> None:
    (fiks.folder / "brevpost").write_text("in the way")
    report_id = await submit(fiks)

    await bergen.answer(await bergen.receive(), MessageType.FEILET)

    await fiks.wait_for(report_id, "AVVIST_PRINT")


async def test_a_large_refusal_is_fetched_from_the_document_store(fiks: Simulator, bergen: PlatformClient) -> None:
    report_id = await submit(fiks)
    files = {"feilmelding.json": b'{"melding": "Stor"}', "noise.bin": noise(6 * 1024 * 1024)}
    envelope = sealed(files, bergen.party.credential, fiks.platform.world.national.credential)

    await bergen.answer(await bergen.receive(), MessageType.FEILET, envelope)

    await fiks.wait_for(report_id, "LEVERT")
    assert fiks.receipts(report_id)[0].feilmelding == "Stor"


async def test_what_is_no_report_is_not_submitted(fiks: Simulator) -> None:
    with pytest.raises(InvalidMessage):
        await fiks.submit(b'{"melding": "for lite"}', message_type=MessageType.PRIVAT_V2)
    with pytest.raises(InvalidMessage):
        await fiks.submit(b"{}", message_type=MessageType.FEILET)
    assert fiks.reports() == ()


async def test_a_receiver_of_version_1_is_not_sent_version_2(fiks: Simulator) -> None:
    with pytest.raises(Refusal, match="version 1"):
        await fiks.submit(example(MessageType.PRIVAT_V2), message_type=MessageType.PRIVAT_V2, account="tromso")
    await submit(fiks, "tromso")

    assert [report.kommunenummer for report in fiks.reports()] == ["5501"]


async def test_a_report_goes_to_the_district_that_is_named(fiks: Simulator) -> None:
    data = example(MessageType.PRIVAT_V2)

    await fiks.submit(data, message_type=MessageType.PRIVAT_V2, account="oslo", bydelsnummer="13")
    with pytest.raises(Refusal, match="99"):
        await fiks.submit(data, message_type=MessageType.PRIVAT_V2, account="oslo", bydelsnummer="99")
    with pytest.raises(Refusal, match="skole"):
        await fiks.submit(data, message_type=MessageType.PRIVAT_V2, account="skole")

    assert [(report.kommunenummer, report.bydelsnummer) for report in fiks.reports()] == [("0301", "13")]


async def test_waiting_for_a_report_ends_with_the_time_given(fiks: Simulator) -> None:
    report_id = await submit(fiks)

    with pytest.raises(TimeoutError, match=report_id):
        await fiks.wait_for(report_id, "LEVERT", timeout=0)
    with pytest.raises(FiksmeldingError, match="no such report"):
        await fiks.wait_for("unknown", "LEVERT")


async def test_anything_can_be_put_on_a_queue_for_a_receiver_to_survive(
    fiks: Simulator, bergen: PlatformClient
) -> None:
    envelope = await fiks.seal_for("bergen", {"anything.txt": b"at all"})

    fiks.put_on_queue("bergen", headers={"type": "odd"}, body=envelope, expiration_ms=60_000)

    received = await bergen.receive()
    assert received.headers == {"type": "odd"}
    assert opened(received.body, bergen.party.credential) == {"anything.txt": b"at all"}
