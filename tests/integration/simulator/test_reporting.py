import io
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

import aiohttp
import pytest
from cryptography import x509

from fiksmelding.envelope import encrypt
from fiksmelding.messages import MessageType, parse_json, render_pdf
from fiksmelding.simulator import Simulator
from support.documents import example
from support.envelopes import opened, sealed
from support.platform_client import PlatformClient

V1, V2 = "/bekymringsmelding/api/v1", "/bekymringsmelding/api/v2"


@pytest.fixture
async def school(fiks: Simulator) -> AsyncIterator[PlatformClient]:
    async with PlatformClient(fiks, "skole") as client:
        yield client


async def get(client: PlatformClient, path: str) -> tuple[int, object]:
    async with client.http.get(path, headers=await client.headers()) as response:
        return response.status, await response.json()


def sending(client: PlatformClient, kommunenummer: str, bydelsnummer: str, kind: str, base: str = V2) -> str:
    organisation = client.party.account.organisation.id
    return f"{base}/mottak/fagsystem/{organisation}/{kommunenummer}/{bydelsnummer}/{kind}"


async def post(client: PlatformClient, path: str, parts: Mapping[str, bytes]) -> tuple[int, dict[str, str]]:
    form = aiohttp.FormData()
    for name, data in parts.items():
        form.add_field(name, io.BytesIO(data), filename=f"{name}.bin")
    async with client.http.post(path, data=form, headers=await client.headers()) as response:
        return response.status, await response.json()


async def sealed_parts(client: PlatformClient, message_type: MessageType) -> dict[str, bytes]:
    """What a sender's own system hands in, sealed with the keys it looked up."""
    _, keys = await get(client, f"{V2}/mottak/fagsystem/4601/02/krypteringsnokler")
    assert isinstance(keys, dict)
    certificates = {name: x509.load_pem_x509_certificate(key["nokkel"].encode()) for name, key in keys.items()}
    message = parse_json(example(message_type), message_type)
    pdf = render_pdf(message)  # type: ignore[arg-type]
    print_copy = io.BytesIO()
    encrypt(io.BytesIO(pdf), recipient=certificates["printOffentligNokkel"], out=print_copy)
    recipient = replace(client.party.credential, certificate=certificates["fiksIOOffentligNokkel"])
    files = {"bekymringsmelding.json": example(message_type), "bekymringsmelding.pdf": pdf}
    return {
        "bekymringsmelding": print_copy.getvalue(),
        "asice": sealed(files, client.party.credential, recipient),
    }


@pytest.mark.parametrize(
    ("base", "kind", "message_type"),
    [
        (V2, "offentlig", MessageType.OFFENTLIG_V2),
        (V2, "privat", MessageType.PRIVAT_V2),
        (V1, "offentlig", MessageType.OFFENTLIG_V1),
        (V1, "privat", MessageType.PRIVAT_V1),
    ],
)
async def test_a_report_handed_in_by_a_school_reaches_the_municipality_and_its_status_says_so(
    school: PlatformClient, bergen: PlatformClient, base: str, kind: str, message_type: MessageType
) -> None:
    status, answer = await post(
        school, sending(school, "4601", "02", kind, base), await sealed_parts(school, message_type)
    )
    received = await bergen.receive()
    await bergen.answer(received, MessageType.MOTTATT)
    await bergen.fiks.wait_for(answer["uuid"], "LEVERT")

    organisation = school.party.account.organisation.id
    _, states = await get(school, f"{base}/mottak/fagsystem/{organisation}/bekymringsmelding/{answer['uuid']}/status")
    assert status == 201
    assert received.headers["type"] == message_type
    assert received.headers["bekymringsmelding-id"] == answer["uuid"]
    assert opened(received.body, bergen.party.credential)["bekymringsmelding.json"] == example(message_type)
    assert isinstance(states, list)
    assert [state["tilstand"] for state in states] == ["AKSEPTERT", "SENDT_FAGSYSTEM", "LEVERT"]
    assert {state["bekymringsmeldingId"] for state in states} == {answer["uuid"]}
    assert all(datetime.fromisoformat(state["tidspunkt"]).tzinfo for state in states)
    assert set(states[0]) == {"bekymringsmeldingId", "tidspunkt", "tilstand", "beskrivelse"}


async def test_a_report_that_is_refused_is_printed_from_the_senders_own_copy(
    school: PlatformClient, bergen: PlatformClient
) -> None:
    _, answer = await post(
        school, sending(school, "4601", "02", "privat"), await sealed_parts(school, MessageType.PRIVAT_V2)
    )
    await bergen.answer(await bergen.receive(), MessageType.FEILET)

    await bergen.fiks.wait_for(answer["uuid"], "LEVERT")
    [letter] = bergen.fiks.letters()
    assert letter.report_id == answer["uuid"]
    assert letter.path.read_bytes().startswith(b"%PDF-")


async def test_a_print_copy_that_the_print_provider_cannot_open_ends_in_avvist_print(
    school: PlatformClient, bergen: PlatformClient
) -> None:
    parts = await sealed_parts(school, MessageType.PRIVAT_V2)
    parts["bekymringsmelding"] = parts["asice"]
    _, answer = await post(school, sending(school, "4601", "02", "privat"), parts)
    await bergen.answer(await bergen.receive(), MessageType.FEILET)

    await bergen.fiks.wait_for(answer["uuid"], "AVVIST_PRINT")
    assert bergen.fiks.letters() == ()


async def test_the_municipalities_and_their_districts_are_listed(school: PlatformClient) -> None:
    _, kommuner = await get(school, f"{V2}/kommuner?sprakKode=nb")
    _, bergen = await get(school, f"{V2}/kommuner/4601")
    _, bydeler = await get(school, f"{V2}/kommuner/4601/bydeler")
    _, bydel = await get(school, f"{V2}/kommuner/4601/bydeler/02")
    _, not_joined = await get(school, f"{V2}/kommuner/1103/bydeler")

    assert isinstance(kommuner, list)
    assert isinstance(bydeler, list)
    assert [kommune["kommunenr"] for kommune in kommuner] == ["0301", "1103", "4601", "5501"]
    assert bergen in kommuner
    assert bydel == {
        "bydelsnummer": "02",
        "bydelsnavn": "Bergenhus",
        "standardMottaker": False,
        "stottetVersjon": "V2",
    }
    assert bydel in bydeler
    assert sum(one["standardMottaker"] for one in bydeler) == 1
    assert not_joined == []


async def test_version_1_of_the_api_says_nothing_of_versions_and_validity(school: PlatformClient) -> None:
    _, bydel = await get(school, f"{V1}/kommuner/5501/bydeler/00")
    _, keys = await get(school, f"{V1}/mottak/fagsystem/5501/00/krypteringsnokler")
    _, newer = await get(school, f"{V2}/mottak/fagsystem/5501/00/krypteringsnokler")

    assert bydel == {"bydelsnummer": "00", "bydelsnavn": "Tromsø", "standardMottaker": True}
    assert isinstance(keys, dict)
    assert isinstance(newer, dict)
    dated = {"nokkel", "validFrom", "validTo", "serial", "subjectDN", "issuerDN"}
    assert {name: set(key) for name, key in keys.items()} == {
        "printOffentligNokkel": dated,
        "fiksIOOffentligNokkel": dated,
    }
    assert {key["gyldig"] for key in newer.values()} == {True}


async def test_a_receiver_of_version_1_is_not_sent_version_2(school: PlatformClient) -> None:
    parts = {"bekymringsmelding": b"x", "asice": b"x"}

    newer, _ = await post(school, sending(school, "5501", "00", "privat"), parts)
    older, _ = await post(school, sending(school, "5501", "00", "privat", V1), parts)

    assert (newer, older) == (400, 201)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/kommuner/1", 400),
        ("/kommuner/9999", 404),
        ("/kommuner/%D9%A4%D9%A6%D9%A0%D9%A1", 400),
        ("/kommuner/9999/bydeler", 404),
        ("/kommuner/4601/bydeler/2", 400),
        ("/kommuner/4601/bydeler/99", 404),
        ("/mottak/fagsystem/4601/99/krypteringsnokler", 404),
        ("/mottak/fagsystem/1103/00/krypteringsnokler", 404),
    ],
)
async def test_what_is_not_there_is_not_found(school: PlatformClient, path: str, status: int) -> None:
    found, answer = await get(school, f"{V2}{path}")

    assert found == status
    assert isinstance(answer, dict)
    assert answer["errorId"]


@pytest.mark.parametrize(
    ("parts", "status"),
    [
        ({}, 400),
        ({"asice": b"x"}, 400),
        ({"bekymringsmelding": b"x"}, 400),
        ({"asice": b"", "bekymringsmelding": b"x"}, 400),
        ({"asice": b"x", "bekymringsmelding": b"x", "other": b"x"}, 400),
        ({"asice": bytes(3 * 1024 * 1024), "bekymringsmelding": bytes(3 * 1024 * 1024)}, 413),
    ],
)
async def test_a_submission_that_lacks_a_part_or_is_too_large_is_refused(
    school: PlatformClient, parts: dict[str, bytes], status: int
) -> None:
    refused, _ = await post(school, sending(school, "4601", "02", "offentlig"), parts or {"none": b""})

    assert refused == status
    assert school.fiks.reports() == ()


async def test_no_one_hands_in_or_asks_for_another_organisation(school: PlatformClient, bergen: PlatformClient) -> None:
    parts = {"bekymringsmelding": b"x", "asice": b"x"}
    _, answer = await post(school, sending(school, "4601", "02", "privat"), parts)
    own, others = (client.party.account.organisation.id for client in (school, bergen))

    forged, _ = await post(school, sending(bergen, "4601", "02", "privat"), parts)
    by_path, _ = await get(school, f"{V2}/mottak/fagsystem/{others}/bekymringsmelding/{answer['uuid']}/status")
    by_id, _ = await get(bergen, f"{V2}/mottak/fagsystem/{others}/bekymringsmelding/{answer['uuid']}/status")
    unknown, _ = await get(school, f"{V2}/mottak/fagsystem/{own}/bekymringsmelding/{uuid4()}/status")

    assert (forged, by_path, by_id, unknown) == (403, 403, 404, 404)


@pytest.mark.parametrize("path", ["/kommuner", "/kommuner/4601/bydeler", "/mottak/fagsystem/4601/02/krypteringsnokler"])
async def test_every_call_needs_the_three_headers(school: PlatformClient, path: str) -> None:
    async with school.http.get(f"{V2}{path}") as response:
        assert response.status == 401
