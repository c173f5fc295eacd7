"""Signatures of every accepted kind are verified, and nothing else passes."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs7 import PKCS7Options, PKCS7SignatureBuilder

from fiksmelding.envelope import (
    ContainerProblem,
    ContainerRefused,
    Signer,
    Trust,
    load_certificates,
    load_private_key,
    open_container,
)
from fiksmelding.envelope.signature import sign, verify
from fiksmelding.errors import EnvelopeError, SignatureInvalid
from fiksmelding.simulator.pki import Authority, Credential
from support.cms_writer import oid, tlv
from support.envelopes import noise, signer
from support.tools import run
from support.xades_writer import signatures_xml, xades_container
from support.zip_tools import SIGNATURE, signed_entries, zipped

DATA = b"<manifest/>"
SIGNED_AT = datetime(2026, 11, 22, 20, 0, 1, tzinfo=UTC)


@pytest.fixture
def pem(tmp_path: Path, sender_credential: Credential) -> tuple[Path, Path]:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    key.write_bytes(sender_credential.key_pem)
    certificate.write_bytes(sender_credential.certificate_pem)
    return key, certificate


def openssl_signature(pem: tuple[Path, Path], *options: str) -> bytes:
    command = ("openssl", "cms", "-sign", "-binary", "-outform", "DER", "-signer", pem[1], "-inkey", pem[0])
    return run(*command, *options, data=DATA)


def test_our_signature_states_time_and_certificate(sender_credential: Credential) -> None:
    verified = verify(sign(DATA, signer(sender_credential), signed_at=SIGNED_AT), DATA)
    assert verified.certificate == sender_credential.certificate
    assert verified.others == sender_credential.chain
    assert verified.signed_at == SIGNED_AT
    assert verified.digest == "sha256"
    assert verify(sign(DATA, signer(sender_credential)), DATA).signed_at is None


@pytest.mark.parametrize("year", [1950, 1999, 2000, 2049])
def test_a_time_of_two_digits_lies_between_1950_and_2049(sender_credential: Credential, year: int) -> None:
    then = SIGNED_AT.replace(year=year)
    assert verify(sign(DATA, signer(sender_credential), signed_at=then), DATA).signed_at == then


def test_a_time_after_2049_is_stated_and_read(sender_credential: Credential) -> None:
    later = SIGNED_AT.replace(year=2051)
    assert verify(sign(DATA, signer(sender_credential), signed_at=later), DATA).signed_at == later


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize(
    "options",
    [(), ("-noattr",), ("-cades",), ("-keyopt", "rsa_padding_mode:pss"), ("-keyid",)],
    ids=["attributes", "no attributes", "CAdES", "PSS", "key identifier"],
)
def test_openssl_signatures_are_verified(options: tuple[str, ...], digest: str, pem: tuple[Path, Path]) -> None:
    signature = openssl_signature(pem, "-md", digest, *options)
    assert verify(signature, DATA).digest == digest
    with pytest.raises(SignatureInvalid):
        verify(signature, DATA + b" ")


@pytest.mark.parametrize("options", [(), ("-noattr",), ("-keyopt", "rsa_padding_mode:pss")])
def test_a_sha1_signature_is_verified_only_if_the_policy_says_so(
    options: tuple[str, ...], pem: tuple[Path, Path]
) -> None:
    signature = openssl_signature(pem, "-md", "sha1", *options)
    assert verify(signature, DATA, allow_sha1=True).digest == "sha1"
    with pytest.raises(SignatureInvalid, match="SHA-1"):
        verify(signature, DATA)


def test_sha1_in_the_signature_is_told_and_refused_where_the_policy_says_so(pem: tuple[Path, Path]) -> None:
    entries = signed_entries({"a.txt": b"a"}, _signer_of(pem))
    manifest = entries["META-INF/asicmanifest.xml"]
    command = ("openssl", "cms", "-sign", "-binary", "-outform", "DER", "-md", "sha1")
    entries[SIGNATURE] = run(*command, "-signer", pem[1], "-inkey", pem[0], data=manifest)
    with open_container(io.BytesIO(zipped(entries))) as content:
        assert content.signer.digest == "sha1"
    with (
        pytest.raises(SignatureInvalid, match="SHA-1"),
        open_container(io.BytesIO(zipped(entries)), trust=Trust(sha1="refuse")),
    ):
        pass


def _signer_of(pem: tuple[Path, Path]) -> Signer:
    return Signer(load_private_key(pem[0].read_bytes()), load_certificates(pem[1].read_bytes())[0])


@pytest.mark.parametrize(
    ("curve", "digest"),
    [(ec.SECP256R1(), hashes.SHA256()), (ec.SECP384R1(), hashes.SHA384()), (ec.SECP521R1(), hashes.SHA512())],
    ids=lambda one: one.name,
)
def test_ecdsa_signatures_are_verified(
    curve: ec.EllipticCurve, digest: hashes.SHA256 | hashes.SHA384 | hashes.SHA512
) -> None:
    key = ec.generate_private_key(curve)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "EC")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(SIGNED_AT)
        .not_valid_after(SIGNED_AT + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    for options in ([], [PKCS7Options.NoAttributes]):
        signature = (
            PKCS7SignatureBuilder()
            .set_data(DATA)
            .add_signer(certificate, key, digest)
            .sign(Encoding.DER, [PKCS7Options.DetachedSignature, PKCS7Options.Binary, *options])
        )
        assert verify(signature, DATA).certificate == certificate
        with pytest.raises(SignatureInvalid):
            verify(signature, DATA + b" ")


def test_several_signers_must_all_be_right(authority: Authority, sender_credential: Credential) -> None:
    """As .NET writes it: the same signer twice, once without its attributes."""
    second = authority.business("910258028", "En annen")
    builder = PKCS7SignatureBuilder().set_data(DATA)
    for one in (sender_credential, second):
        builder = builder.add_signer(one.certificate, one.key, hashes.SHA256())
    signature = builder.sign(Encoding.DER, [PKCS7Options.DetachedSignature, PKCS7Options.Binary])
    assert verify(signature, DATA).certificate in {sender_credential.certificate, second.certificate}
    damaged = bytearray(signature)
    for at in (len(signature) - 5, signature.rindex(b"\x04\x82\x01\x00", 0, len(signature) - 400) + 20):
        damaged[at] ^= 1
        with pytest.raises(SignatureInvalid):
            verify(bytes(damaged), DATA)
        damaged[at] ^= 1


def test_another_certificate_with_the_same_key_is_refused(authority: Authority, sender_credential: Credential) -> None:
    """The signature names its certificate (signing-certificate-v2), so it cannot be exchanged for another."""
    original = sender_credential.certificate
    builder = x509.CertificateBuilder(
        issuer_name=original.issuer,
        subject_name=x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Noen andre")]),
        public_key=original.public_key(),
        serial_number=original.serial_number,
        not_valid_before=original.not_valid_before_utc,
        not_valid_after=original.not_valid_after_utc,
    )
    exchanged = builder.sign(authority.issuing.key, hashes.SHA256()).public_bytes(Encoding.DER)
    signature = sign(DATA, Signer(sender_credential.key, original))
    genuine = original.public_bytes(Encoding.DER)
    forged = rebuilt(signature, genuine, exchanged)
    assert verify(rebuilt(signature, genuine, genuine), DATA).certificate == original
    with pytest.raises(SignatureInvalid, match="another certificate"):
        verify(forged, DATA)


def rebuilt(signature: bytes, old: bytes, new: bytes) -> bytes:
    """The signature with its certificate exchanged, lengths put right."""
    signer_info = signature[signature.index(old) + len(old) :]
    digest = tlv(0x31, tlv(0x30, oid("2.16.840.1.101.3.4.2.1"), tlv(5)))
    data = tlv(0x30, oid("1.2.840.113549.1.7.1"))
    signed = tlv(0x30, tlv(2, b"\x01"), digest, data, tlv(0xA0, new), signer_info)
    return tlv(0x30, oid("1.2.840.113549.1.7.2"), tlv(0xA0, signed))


def test_a_signature_that_carries_its_own_content_is_refused(sender_credential: Credential) -> None:
    signature = (
        PKCS7SignatureBuilder()
        .set_data(DATA)
        .add_signer(sender_credential.certificate, sender_credential.key, hashes.SHA256())
        .sign(Encoding.DER, [PKCS7Options.Binary])
    )
    with pytest.raises(SignatureInvalid, match="detached"):
        verify(signature, DATA)


def test_a_signature_without_its_certificate_is_refused(pem: tuple[Path, Path]) -> None:
    with pytest.raises(SignatureInvalid, match="does not bring"):
        verify(openssl_signature(pem, "-nocerts"), DATA)


def test_an_unknown_signature_algorithm_is_refused(sender_credential: Credential) -> None:
    signature = sign(DATA, signer(sender_credential))
    known, encryption_only = oid("1.2.840.113549.1.1.1"), oid("1.2.840.113549.1.1.7")
    at = signature.rindex(known)
    with pytest.raises(SignatureInvalid, match="unknown signature algorithm"):
        verify(signature[:at] + encryption_only + signature[at + len(known) :], DATA)


@pytest.mark.parametrize("data", [b"", b"\x30\x00", b"\x30\x80", b"\xff" * 50, tlv(0x30, oid("1.2.840.113549.1.7.1"))])
def test_what_is_no_signature_is_told(data: bytes) -> None:
    with pytest.raises(SignatureInvalid):
        verify(data, DATA)


def test_a_signature_by_nobody_is_refused() -> None:
    data = tlv(0x30, oid("1.2.840.113549.1.7.1"))
    signed = tlv(0x30, tlv(2, b"\x01"), tlv(0x31), data, tlv(0x31))
    with pytest.raises(SignatureInvalid, match="holds no signature"):
        verify(tlv(0x30, oid("1.2.840.113549.1.7.2"), tlv(0xA0, signed)), DATA)


# XAdES

FILES = {"a å.txt": b"a", "b.bin": noise(1_000_000)}


def test_a_xades_container_is_verified(sender_credential: Credential) -> None:
    container = xades_container(FILES, signatures_xml(FILES, sender_credential))
    with open_container(io.BytesIO(container)) as content:
        assert {name: file.read() for name, file in content.files.items()} == FILES
        assert content.signer.organisation_number == "974760673"
        assert content.signer.digest == "sha256"
        assert content.signer.signed_at == datetime(2026, 11, 1, 12, tzinfo=UTC)


def xades_refused(container: bytes, kind: type[EnvelopeError] = SignatureInvalid) -> EnvelopeError:
    with pytest.raises(kind) as error, open_container(io.BytesIO(container)):
        pass
    return error.value


def test_an_altered_file_in_a_xades_container_is_refused(sender_credential: Credential) -> None:
    xades_refused(xades_container(FILES | {"a å.txt": b"b"}, signatures_xml(FILES, sender_credential)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"2026-11-01", b"2026-11-02"),
        (b'URI="b.bin"', b'URI="c.bin"'),
        (b"rsa-sha256", b"rsa-sha1"),
        (b'URI="#properties"', b'URI="#signature"'),
        (b"<SignatureValue>", b"<SignatureValue>AAAA"),
        (b"</KeyInfo>", b"</KeyInfo><KeyInfo/>"),
        (b"<SigningCertificate>", b"<SigningCertificateV2>"),
    ],
)
def test_an_altered_xades_signature_is_refused(old: bytes, new: bytes, sender_credential: Credential) -> None:
    signatures = signatures_xml(FILES, sender_credential)
    assert old in signatures
    files = FILES | {"c.bin": FILES["b.bin"]}
    xades_refused(xades_container(files, signatures.replace(old, new)), EnvelopeError)


def test_a_file_that_a_xades_signature_does_not_name_is_refused(sender_credential: Credential) -> None:
    container = xades_container(FILES | {"extra.txt": b""}, signatures_xml(FILES, sender_credential))
    error = xades_refused(container, ContainerRefused)
    assert isinstance(error, ContainerRefused)
    assert error.problem is ContainerProblem.UNSIGNED_FILE


def test_a_xades_signature_that_names_an_absent_file_is_refused(sender_credential: Credential) -> None:
    container = xades_container({"a å.txt": b"a"}, signatures_xml(FILES, sender_credential))
    error = xades_refused(container, ContainerRefused)
    assert isinstance(error, ContainerRefused)
    assert error.problem is ContainerProblem.ABSENT_FILE


def test_transforms_on_a_file_are_refused(sender_credential: Credential) -> None:
    transforms = '<Transforms><Transform Algorithm="http://www.w3.org/2000/09/xmldsig#base64"/></Transforms>'
    container = xades_container(FILES, signatures_xml(FILES, sender_credential, reference=transforms))
    assert "as they are" in str(xades_refused(container))


def test_two_xades_signatures_in_one_file_are_refused(sender_credential: Credential) -> None:
    signatures = signatures_xml(FILES, sender_credential)
    start, end = signatures.index(b"<Signature "), signatures.index(b"</XAdESSignatures>")
    doubled = signatures[:end] + signatures[start:end] + signatures[end:]
    assert "one signature" in str(xades_refused(xades_container(FILES, doubled)))


def test_a_xades_signature_by_another_key_than_its_certificate_is_refused(
    authority: Authority, sender_credential: Credential
) -> None:
    mixed = Credential(authority.business("910258028", "X").key, sender_credential.certificate)
    xades_refused(xades_container(FILES, signatures_xml(FILES, mixed)))
