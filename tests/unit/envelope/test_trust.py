"""Whose signature it is, what is known about that, and what the policy makes of it."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from fiksmelding.envelope import Finding, SignerInfo, Trust
from fiksmelding.envelope.signature import VerifiedSignature
from fiksmelding.envelope.trust import organisation_number
from fiksmelding.errors import SignatureInvalid
from fiksmelding.simulator.pki import Authority, Credential

NOW = datetime.now(UTC)
DAY = timedelta(days=1)


def judged(trust: Trust, credential: Credential, received_at: datetime | None = NOW) -> SignerInfo:
    signature = VerifiedSignature(credential.certificate, credential.chain, None, "sha256")
    return trust.judge(signature, received_at)


def crl(
    authority: Authority, *revoked: Credential, at: datetime = NOW - DAY, until: datetime = NOW + DAY
) -> x509.CertificateRevocationList:
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.issuing.certificate.subject)
        .last_update(at - DAY)
        .next_update(until)
    )
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number).revocation_date(at)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(authority.issuing.key, hashes.SHA256())


@pytest.fixture
def trust(authority: Authority) -> Trust:
    return Trust(roots=(authority.root.certificate,))


def test_without_roots_and_time_nothing_is_known_of_a_signer(sender_credential: Credential) -> None:
    verdict = judged(Trust(), sender_credential, None).verdict
    assert (verdict.chain, verdict.validity, verdict.revocation) == (Finding.UNKNOWN,) * 3
    assert not verdict.trusted


def test_a_signer_whose_chain_leads_to_a_root_is_trusted(trust: Trust, sender_credential: Credential) -> None:
    assert judged(trust, sender_credential).verdict.trusted


def test_issuing_certificates_can_be_configured_where_senders_leave_them_out(
    authority: Authority, trust: Trust, sender_credential: Credential
) -> None:
    alone = Credential(sender_credential.key, sender_credential.certificate)
    assert judged(trust, alone).verdict.chain is Finding.BAD
    configured = Trust(roots=trust.roots, intermediates=(authority.issuing.certificate,))
    assert judged(configured, alone).verdict.trusted


@pytest.mark.parametrize(("begin", "end"), [(-9, -1), (1, 9)], ids=["expired", "not yet valid"])
def test_validity_is_judged_when_the_envelope_was_received(
    begin: int, end: int, authority: Authority, trust: Trust
) -> None:
    credential = authority.business("910258028", "X", not_before=NOW + begin * DAY, not_after=NOW + end * DAY)
    verdict = judged(trust, credential).verdict
    assert verdict.validity is Finding.BAD
    assert verdict.reasons
    assert not verdict.trusted


def test_an_expired_certificate_was_good_when_the_envelope_was_received(authority: Authority, trust: Trust) -> None:
    credential = authority.business("910258028", "X", not_before=NOW - DAY / 2, not_after=NOW - DAY / 4)
    assert judged(trust, credential, NOW - DAY / 3).verdict.trusted


def test_a_certificate_that_is_not_for_signing_is_told(authority: Authority, trust: Trust) -> None:
    server = authority.server("localhost")
    assert judged(trust, server).verdict.key_usage is Finding.GOOD, "digitalSignature suffices"
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    usage = x509.KeyUsage(*(False, False, True, False, False, False, False, False, False))
    certificate = _issued(authority, key).add_extension(usage, critical=True)
    only_encryption = Credential(key, certificate.sign(authority.issuing.key, hashes.SHA256()), server.chain)
    verdict = judged(trust, only_encryption).verdict
    assert verdict.key_usage is Finding.BAD
    assert not verdict.trusted
    unstated = Credential(key, _issued(authority, key).sign(authority.issuing.key, hashes.SHA256()), server.chain)
    assert judged(trust, unstated).verdict.key_usage is Finding.GOOD


def _issued(authority: Authority, key: rsa.RSAPrivateKey) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "X")]))
        .issuer_name(authority.issuing.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.issuing.key.public_key()), critical=False
        )
    )


def test_revocation_is_told_from_a_list(authority: Authority, sender_credential: Credential) -> None:
    roots = (authority.root.certificate,)
    clean = judged(Trust(roots=roots, crls=(crl(authority),)), sender_credential).verdict
    assert clean.revocation is Finding.GOOD
    revoked = judged(Trust(roots=roots, crls=(crl(authority, sender_credential),)), sender_credential).verdict
    assert revoked.revocation is Finding.BAD
    assert not revoked.trusted


def test_a_revocation_after_receipt_does_not_count(authority: Authority, sender_credential: Credential) -> None:
    later = crl(authority, sender_credential, at=NOW + DAY / 2)
    verdict = judged(Trust(roots=(authority.root.certificate,), crls=(later,)), sender_credential).verdict
    assert verdict.revocation is Finding.GOOD


def test_a_list_that_has_run_out_tells_who_was_revoked_but_not_who_was_not(
    authority: Authority, sender_credential: Credential
) -> None:
    roots = (authority.root.certificate,)
    old = crl(authority, at=NOW - 5 * DAY, until=NOW - 4 * DAY)
    assert judged(Trust(roots=roots, crls=(old,)), sender_credential).verdict.revocation is Finding.UNKNOWN
    old = crl(authority, sender_credential, at=NOW - 5 * DAY, until=NOW - 4 * DAY)
    assert judged(Trust(roots=roots, crls=(old,)), sender_credential).verdict.revocation is Finding.BAD


def test_a_list_of_another_authority_says_nothing(authority: Authority, sender_credential: Credential) -> None:
    """It bears the same name, but not the issuer's signature."""
    forged = crl(Authority.new(), sender_credential)
    verdict = judged(Trust(roots=(authority.root.certificate,), crls=(forged,)), sender_credential).verdict
    assert verdict.revocation is Finding.UNKNOWN


def test_require_chain_refuses_whom_it_cannot_judge(trust: Trust, sender_credential: Credential) -> None:
    strict = Trust(roots=trust.roots, policy="require_chain")
    assert judged(strict, sender_credential).verdict.trusted
    for rule, received_at in ((strict, None), (Trust(policy="require_chain"), NOW)):
        with pytest.raises(SignatureInvalid, match="cannot be judged"):
            judged(rule, sender_credential, received_at)


def test_require_organisation_refuses_other_organisations(trust: Trust, sender_credential: Credential) -> None:
    accepting = Trust(roots=trust.roots, policy="require_organisation", organisations=frozenset({"974760673"}))
    assert judged(accepting, sender_credential).organisation_number == "974760673"
    refusing = Trust(roots=trust.roots, policy="require_organisation", organisations=frozenset({"964338531"}))
    with pytest.raises(SignatureInvalid, match="not one of the organisations"):
        judged(refusing, sender_credential)


def test_a_self_made_certificate_that_claims_an_organisation_is_refused() -> None:
    stranger = Authority.new().business("974760673", "Bergen skole")
    trust = Trust(
        roots=(Authority.new().root.certificate,), policy="require_organisation", organisations=frozenset({"974760673"})
    )
    with pytest.raises(SignatureInvalid, match="no trusted root"):
        judged(trust, stranger)


@pytest.mark.parametrize(
    ("attributes", "number"),
    [
        ([(NameOID.SERIAL_NUMBER, "974760673")], "974760673"),
        ([(NameOID.ORGANIZATION_IDENTIFIER, "NTRNO-974760673")], "974760673"),
        ([(NameOID.SERIAL_NUMBER, "974760673"), (NameOID.ORGANIZATION_IDENTIFIER, "NTRNO-974760673")], "974760673"),
        ([(NameOID.SERIAL_NUMBER, "974760673"), (NameOID.ORGANIZATION_IDENTIFIER, "NTRNO-964338531")], None),
        ([(NameOID.SERIAL_NUMBER, "9578-4050-100")], None),
        ([(NameOID.ORGANIZATION_IDENTIFIER, "NTRSE-974760673")], None),
        ([(NameOID.SERIAL_NUMBER, "\u0669" * 9)], None),
        ([], None),
    ],
)
def test_the_organisation_number_stands_where_the_issuers_put_it(
    attributes: list[tuple[x509.ObjectIdentifier, str]], number: str | None
) -> None:
    assert organisation_number(x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])) == number
