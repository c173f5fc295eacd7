"""Accounts and public keys."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from fiksmelding.errors import NotFound, PlatformUnavailable, RequestRefused
from fiksmelding.fiks import Catalog, FiksSession
from fiksmelding.simulator.pki import Authority, Credential
from support.fake_clock import FakeClock
from support.platform import Handler, Platform, answer, error

KONTO = UUID("11111111-2222-4333-8444-555555555555")
ACCOUNT_JSON = {
    "fiksOrgId": str(uuid4()),
    "fiksOrgNavn": "Bergen kommune",
    "organisasjonsnummer": "964338531",
    "kommunenummer": "4601",
    "isProxy": False,
    "kontoId": str(KONTO),
    "kontoNavn": "Barnevern",
    "status": {"gyldigAvsender": True, "gyldigMottaker": False, "melding": "Ingen nøkkel"},
}


def key_answer(certificate: x509.Certificate, **members: object) -> Handler:
    pem = certificate.public_bytes(Encoding.PEM).decode()
    return answer(200, {"nokkel": pem, "validFrom": "2026-01-01T00:00:00Z", "valid": True, **members})


async def test_an_account_is_read(session: FiksSession, platform: Platform) -> None:
    platform.then(answer(200, ACCOUNT_JSON))
    account = await Catalog(session).account(KONTO)
    assert (account.konto_id, account.fiks_org_navn, account.kommunenummer) == (KONTO, "Bergen kommune", "4601")
    assert account.status is not None
    assert (account.status.gyldig_avsender, account.status.gyldig_mottaker) == (True, False)
    assert platform.seen[0].path == f"/fiks-io/katalog/api/v1/kontoer/{KONTO}"


async def test_a_look_up_asks_for_protocol_and_level(session: FiksSession, platform: Platform) -> None:
    platform.then(answer(200, ACCOUNT_JSON))
    found = await Catalog(session).lookup(
        "ORG_NO.964338531", melding_protokoll="no.ks.fiks.bekymringsmelding.v2", sikkerhetsniva=4
    )
    assert found.konto_id == KONTO
    assert platform.seen[0].query == {
        "identifikator": "ORG_NO.964338531",
        "meldingProtokoll": "no.ks.fiks.bekymringsmelding.v2",
        "sikkerhetsniva": "4",
    }


async def test_a_look_up_that_finds_nothing_says_so(session: FiksSession, platform: Platform) -> None:
    platform.then(error(404))
    with pytest.raises(NotFound):
        await Catalog(session).lookup("ORG_NO.1", melding_protokoll="p", sikkerhetsniva=4)


@pytest.mark.parametrize(
    ("identifier", "level"), [("964338531", 4), ("ORG_NO.1&x=2", 4), ("ORG_NO.1\n", 4), ("ORG_NO.1", 5)]
)
async def test_an_impossible_look_up_is_not_sent(
    identifier: str, level: int, session: FiksSession, platform: Platform
) -> None:
    with pytest.raises(RequestRefused):
        await Catalog(session).lookup(identifier, melding_protokoll="p", sikkerhetsniva=level)
    assert platform.seen == []


async def test_a_key_is_fetched_without_a_token_and_cached(
    session: FiksSession, platform: Platform, clock: FakeClock, sender_credential: Credential
) -> None:
    platform.then(*[key_answer(sender_credential.certificate)] * 2)
    catalog = Catalog(session)
    assert await catalog.public_key(KONTO) == sender_credential.certificate
    clock.advance(599)
    assert await catalog.public_key(KONTO) == sender_credential.certificate
    assert len(platform.seen) == 1
    clock.advance(2)
    await catalog.public_key(KONTO)
    assert len(platform.seen) == 2
    assert platform.assertions == []


async def test_the_cache_is_bounded(session: FiksSession, platform: Platform, sender_credential: Credential) -> None:
    platform.then(*[key_answer(sender_credential.certificate)] * 102)
    catalog = Catalog(session)
    accounts = [uuid4() for _ in range(101)]
    for account in accounts:
        await catalog.public_key(account)
    await catalog.public_key(accounts[0])
    assert len(platform.seen) == 102


async def test_a_key_out_of_force_is_refused_also_from_the_cache(
    session: FiksSession, platform: Platform, clock: FakeClock, authority: Authority
) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=60)
    platform.then(key_answer(authority.business("974760673", "Skole", not_after=soon).certificate))
    catalog = Catalog(session)
    await catalog.public_key(KONTO)
    clock.advance(120)
    with pytest.raises(NotFound, match="in force"):
        await catalog.public_key(KONTO)


async def test_a_key_not_yet_in_force_is_refused(
    session: FiksSession, platform: Platform, authority: Authority
) -> None:
    later = datetime.now(UTC) + timedelta(days=2)
    platform.then(key_answer(authority.business("974760673", "Skole", not_before=later).certificate))
    with pytest.raises(NotFound, match="in force"):
        await Catalog(session).public_key(KONTO)


async def test_a_key_the_catalog_calls_invalid_is_refused(
    session: FiksSession, platform: Platform, sender_credential: Credential
) -> None:
    platform.then(key_answer(sender_credential.certificate, valid=False, statusMessage="REVOKED"))
    with pytest.raises(NotFound, match="invalid"):
        await Catalog(session).public_key(KONTO)


@pytest.mark.parametrize("pem", ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])
async def test_an_answer_without_a_certificate_is_unavailable(
    pem: str, session: FiksSession, platform: Platform
) -> None:
    platform.then(answer(200, {"nokkel": pem, "valid": True}))
    with pytest.raises(PlatformUnavailable):
        await Catalog(session).public_key(KONTO)


async def test_a_key_that_is_not_rsa_is_refused(session: FiksSession, platform: Platform) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "EC")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 7, now - timedelta(days=1), now + timedelta(days=1))
    ).sign(key, hashes.SHA256())
    platform.then(key_answer(certificate))
    with pytest.raises(NotFound, match="RSA"):
        await Catalog(session).public_key(KONTO)
