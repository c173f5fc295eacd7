from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from cryptography import x509

from fiksmelding.simulator import Simulator
from support.platform_client import PlatformClient

BASE = "/fiks-io/katalog/api/v1"


async def test_an_account_tells_who_it_is(bergen: PlatformClient) -> None:
    account = bergen.party.account

    status, answer = await bergen.get(f"{BASE}/kontoer/{account.id}")

    assert status == 200
    assert answer == {
        "fiksOrgId": str(account.organisation.id),
        "fiksOrgNavn": "Bergen kommune (test)",
        "organisasjonsnummer": account.organisation.number,
        "kommunenummer": "4601",
        "kontoId": str(account.id),
        "kontoNavn": account.name,
        "status": {"gyldigAvsender": True, "gyldigMottaker": True, "melding": "OK", "antallKonsumenter": 0},
    }


async def test_the_public_key_is_for_anyone(bergen: PlatformClient) -> None:
    async with bergen.http.get(f"{BASE}/kontoer/{bergen.party.account.id}/offentligNokkel") as response:
        answer = await response.json()

    certificate = x509.load_pem_x509_certificate(answer["nokkel"].encode())
    assert response.status == 200
    assert certificate == bergen.party.credential.certificate
    assert answer["serial"] == str(certificate.serial_number)
    assert answer["subjectDN"] == certificate.subject.rfc4514_string()
    assert answer["issuerDN"] == certificate.issuer.rfc4514_string()
    assert (answer["valid"], answer["statusMessage"]) == (True, None)
    assert set(answer) == {
        "nokkel", "validFrom", "validTo", "serial", "subjectDN", "issuerDN", "valid", "statusMessage",
    }  # fmt: skip


async def test_a_key_past_its_time_is_said_to_be_invalid(bergen: PlatformClient) -> None:
    bergen.fiks.clock.advance(timedelta(days=4 * 365))

    async with bergen.http.get(f"{BASE}/kontoer/{bergen.party.account.id}/offentligNokkel") as response:
        answer = await response.json()

    assert answer["valid"] is False
    assert answer["statusMessage"]


async def test_an_account_without_a_key_has_none_to_give(bergen: PlatformClient) -> None:
    bergen.fiks.platform.world.register.add(replace(bergen.party.account, certificate=None))

    async with bergen.http.get(f"{BASE}/kontoer/{bergen.party.account.id}/offentligNokkel") as response:
        assert response.status == 404


@pytest.mark.parametrize(
    ("account", "protocol", "status"),
    [
        ("bergen", "no.ks.fiks.bekymringsmelding.v2", 200),
        ("bergen", "no.ks.fiks.bekymringsmelding.v1", 200),
        ("tromso", "no.ks.fiks.bekymringsmelding.v1", 200),
        ("tromso", "no.ks.fiks.bekymringsmelding.v2", 404),
        ("skole", "no.ks.fiks.bekymringsmelding.v1", 404),
        ("bergen", "no.ks.fiks.arkiv.v1", 404),
    ],
)
async def test_an_account_is_found_by_organisation_and_protocol(
    bergen: PlatformClient, account: str, protocol: str, status: int
) -> None:
    wanted = bergen.fiks.party(account).account
    query = f"identifikator=ORG_NO.{wanted.organisation.number}&meldingProtokoll={protocol}&sikkerhetsniva=4"

    found, answer = await bergen.get(f"{BASE}/lookup?{query}")

    assert found == status
    assert answer.get("kontoId") == (str(wanted.id) if status == 200 else None)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "identifikator=310460109&meldingProtokoll=p&sikkerhetsniva=4",
        "identifikator=ORG_NO.&meldingProtokoll=p&sikkerhetsniva=4",
        "identifikator=ORG_NO.%D9%A1%D9%A2&meldingProtokoll=p&sikkerhetsniva=4",
        "identifikator=ORG_NO.310460109%0A&meldingProtokoll=p&sikkerhetsniva=4",
        "identifikator=ORG_NO.310460109&sikkerhetsniva=4",
        "identifikator=ORG_NO.310460109&meldingProtokoll=p",
        "identifikator=ORG_NO.310460109&meldingProtokoll=p&sikkerhetsniva=5",
    ],
)
async def test_a_look_up_that_asks_nothing_possible_is_a_bad_request(bergen: PlatformClient, query: str) -> None:
    status, _ = await bergen.get(f"{BASE}/lookup?{query}")

    assert status == 400


async def test_the_status_counts_consumers_and_messages_waiting(fiks: Simulator, bergen: PlatformClient) -> None:
    path = f"{BASE}/kontoer/{bergen.party.account.id}/status"
    fiks.put_on_queue("bergen", headers={"type": "odd"})
    fiks.put_on_queue("bergen", headers={"type": "odd"})

    _, before = await bergen.get(path)
    await bergen.receive()
    _, after = await bergen.get(path)
    _, national = await bergen.get(f"{BASE}/kontoer/{fiks.platform.world.national.account.id}/status")

    assert (before["antallKonsumenter"], before["antallUavhentedeMeldinger"]) == (0, 2)
    assert after["antallUavhentedeMeldinger"] == 1
    assert national["antallKonsumenter"] == 1


@pytest.mark.parametrize("tail", ["", "/status", "/offentligNokkel"])
async def test_an_unknown_account_is_not_found_and_what_is_no_id_is_a_bad_request(
    bergen: PlatformClient, tail: str
) -> None:
    unknown, _ = await bergen.get(f"{BASE}/kontoer/{uuid4()}{tail}")
    nonsense, _ = await bergen.get(f"{BASE}/kontoer/bergen{tail}")

    assert (unknown, nonsense) == (404, 400)
