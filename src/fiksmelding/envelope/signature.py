"""CAdES signatures: detached CMS SignedData over a manifest (RFC 5652; ETSI EN 319 122-1), written and verified."""

import hashlib
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from fiksmelding.envelope import algorithms
from fiksmelding.envelope.algorithms import SHA256_IDENTIFIER, AlgorithmIdentifier, algorithm_of, hash_of
from fiksmelding.envelope.ber import (
    INTEGER,
    NULL,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    BerError,
    Cursor,
    Element,
    decode,
    encode,
    encode_integer,
    encode_oid,
    encode_sequence,
    encode_set,
)
from fiksmelding.envelope.certificates import KnownCertificate, usable_certificate
from fiksmelding.envelope.recipients import issuer_and_serial
from fiksmelding.errors import SignatureInvalid

__all__ = ["Signer", "VerifiedSignature", "sign", "verify"]

CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"

RSA_WITH = {
    "1.2.840.113549.1.1.5": algorithms.SHA1,
    "1.2.840.113549.1.1.11": algorithms.SHA256,
    "1.2.840.113549.1.1.12": algorithms.SHA384,
    "1.2.840.113549.1.1.13": algorithms.SHA512,
}
ECDSA_WITH = {
    "1.2.840.10045.4.1": algorithms.SHA1,
    "1.2.840.10045.4.3.2": algorithms.SHA256,
    "1.2.840.10045.4.3.3": algorithms.SHA384,
    "1.2.840.10045.4.3.4": algorithms.SHA512,
}
EC_PUBLIC_KEY = "1.2.840.10045.2.1"

EXPLICIT_0 = 0xA0
CERTIFICATES = 0xA0
CRLS = 0xA1
SIGNED_ATTRIBUTES = 0xA0
KEY_IDENTIFIER = 0x80
UTC_TIME = 0x17
GENERALIZED_TIME = 0x18
UTC_TIME_ENDS = 2050
TIME = re.compile(r"[0-9]{14}Z")
MAX_SIGNERS = 8


@dataclass(frozen=True)
class Signer:
    """Whose signature an envelope carries.

    Attributes:
        key: The private key.
        certificate: Its certificate.
        chain: Certificates between it and the root, nearest first; they travel with the signature.
    """

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    def __repr__(self) -> str:
        return f"Signer({self.certificate.subject.rfc4514_string()})"


@dataclass(frozen=True, slots=True)
class VerifiedSignature:
    """A signature that is right, which says nothing yet about whose it is.

    Attributes:
        certificate: The signer's certificate.
        others: The other certificates that came with it.
        signed_at: When the signer says it was made, aware; None when that is not said.
        digest: Hash that it rests on, as `hashlib` calls it.
    """

    certificate: x509.Certificate
    others: tuple[x509.Certificate, ...]
    signed_at: datetime | None
    digest: str


def sign(data: bytes, signer: Signer, *, signed_at: datetime | None = None) -> bytes:
    """Sign `data`: CAdES-BES, detached, RSA PKCS#1 v1.5 with SHA-256, certificates included.

    Args:
        data: What is signed; it is not part of the result.
        signer: Who signs.
        signed_at: Time to state, aware.
    """
    certificates = (signer.certificate, *signer.chain)
    attributes = _signed_attributes(data, signer.certificate, signed_at)
    value = signer.key.sign(encode_set(attributes), padding.PKCS1v15(), hashes.SHA256())
    signer_info = encode_sequence(
        encode_integer(1),
        issuer_and_serial(signer.certificate),
        SHA256_IDENTIFIER,
        encode_set(attributes, SIGNED_ATTRIBUTES),
        encode_sequence(encode_oid(algorithms.RSA_PKCS1), encode(NULL)),
        encode(OCTET_STRING, value),
    )
    signed_data = encode_sequence(
        encode_integer(1),
        encode_set([SHA256_IDENTIFIER]),
        encode_sequence(encode_oid(algorithms.DATA)),
        encode_set((one.public_bytes(Encoding.DER) for one in certificates), CERTIFICATES),
        encode_set([signer_info]),
    )
    return encode_sequence(encode_oid(algorithms.SIGNED_DATA), encode(EXPLICIT_0, signed_data))


def _signed_attributes(data: bytes, certificate: x509.Certificate, signed_at: datetime | None) -> list[bytes]:
    def attribute(oid: str, value: bytes) -> bytes:
        return encode_sequence(encode_oid(oid), encode_set([value]))

    # ESSCertIDv2 with its default, SHA-256 (RFC 5035, 4).
    fingerprint = encode_sequence(encode(OCTET_STRING, certificate.fingerprint(hashes.SHA256())))
    attributes = [
        attribute(CONTENT_TYPE, encode_oid(algorithms.DATA)),
        attribute(MESSAGE_DIGEST, encode(OCTET_STRING, hashlib.sha256(data).digest())),
        attribute(SIGNING_CERTIFICATE_V2, encode_sequence(encode_sequence(fingerprint))),
    ]
    if signed_at is not None:
        attributes.append(attribute(SIGNING_TIME, _encode_time(signed_at.astimezone(UTC))))
    return attributes


def _encode_time(moment: datetime) -> bytes:
    """UTCTime until 2049, then GeneralizedTime (RFC 5652, 11.3)."""
    if moment.year < UTC_TIME_ENDS:
        return encode(UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())
    return encode(GENERALIZED_TIME, moment.strftime("%Y%m%d%H%M%SZ").encode())


def _decode_time(element: Element) -> datetime | None:
    """The time, or None if it is none; a UTCTime lies between 1950 and 2049 (RFC 5652, 11.3)."""
    text = element.content.decode("ascii", errors="replace")
    if element.tag == UTC_TIME:
        text = ("20" if text < "5" else "19") + text
    if not TIME.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(f"{text[:8]}T{text[8:]}")
    except ValueError:
        return None


def verify(signature: bytes, data: bytes, *, allow_sha1: bool = False) -> VerifiedSignature:
    """Verify a detached signature: mathematics and what it binds, not whose it is.

    With several signers, all must be right; the first one is told.

    Args:
        signature: CMS SignedData, DER or BER.
        data: What it should cover.
        allow_sha1: Whether SHA-1 is acceptable.

    Raises:
        SignatureInvalid: It is not right, or cannot be judged.
    """
    try:
        certificates, signer_infos = _parse(signature)
        verified = [_verify_signer(info, certificates, data, allow_sha1=allow_sha1) for info in signer_infos]
    except BerError as error:
        raise SignatureInvalid(f"The signature cannot be read: {error}.") from error
    if not verified:
        raise SignatureInvalid("The signature file holds no signature.")
    return verified[0]


def _parse(signature: bytes) -> tuple[list[KnownCertificate], list[Element]]:
    content_info = _sequence(decode(signature))
    if content_info.take(OBJECT_IDENTIFIER).oid() != algorithms.SIGNED_DATA:
        raise BerError("it is no signed data")
    signed_data = _sequence(content_info.take(EXPLICIT_0).children().take())
    signed_data.take(INTEGER)
    signed_data.take(SET)
    encapsulated = signed_data.take(SEQUENCE).children()
    encapsulated.take(OBJECT_IDENTIFIER)
    if encapsulated.rest():
        raise BerError("it carries its own content, where it must be detached")
    certificate_set = signed_data.optional(CERTIFICATES)
    signed_data.optional(CRLS)
    signer_infos = signed_data.take(SET).children().rest()
    if len(signer_infos) > MAX_SIGNERS:
        raise BerError("there are too many signers")
    elements = certificate_set.children().rest() if certificate_set else []
    loaded = [usable_certificate(one.raw) for one in elements if one.tag == SEQUENCE]
    return [one for one in loaded if one is not None], signer_infos


def _sequence(element: Element) -> Cursor:
    if element.tag != SEQUENCE:
        raise BerError("an unexpected element")
    return element.children()


def _verify_signer(
    info: Element, certificates: Sequence[KnownCertificate], data: bytes, *, allow_sha1: bool
) -> VerifiedSignature:
    children = _sequence(info)
    children.take(INTEGER)
    signer = _find(children.take(SEQUENCE, KEY_IDENTIFIER), certificates)
    digest = hash_of(algorithm_of(children.take()).oid)
    attributes = children.optional(SIGNED_ATTRIBUTES)
    algorithm = algorithm_of(children.take())
    value = children.take(OCTET_STRING, OCTET_STRING | 0x20).octets()
    signed_at = None
    covered = data
    if attributes is not None:
        signed_at = _check_attributes(attributes, data, digest, signer)
        # What is signed is the SET OF itself, not with the implicit tag it carries (RFC 5652, 5.4).
        covered = bytes((SET,)) + attributes.raw[1:]
    digest = _check_value(signer.certificate, algorithm, digest, value, covered, allow_sha1=allow_sha1)
    others = tuple(one.certificate for one in certificates if one.der != signer.der)
    return VerifiedSignature(signer.certificate, others, signed_at, digest.name)


def _find(identifier: Element, certificates: Sequence[KnownCertificate]) -> KnownCertificate:
    """The signer's certificate among those that came along."""
    if identifier.tag == KEY_IDENTIFIER:
        found = [one for one in certificates if one.key_identifier == identifier.content]
    else:
        children = identifier.children()
        issuer, serial = children.take(SEQUENCE).raw, children.take(INTEGER).integer()
        found = [one for one in certificates if one.serial_number == serial and one.issuer == issuer]
    if not found:
        raise SignatureInvalid("The signature does not bring its signer's certificate.")
    return found[0]


def _check_attributes(
    attributes: Element, data: bytes, digest: hashes.HashAlgorithm, signer: KnownCertificate
) -> datetime | None:
    """Check what the signed attributes bind, and return the time they state."""
    values: dict[str, Element] = {}
    for attribute in attributes.children().rest():
        parts = _sequence(attribute)
        oid = parts.take(OBJECT_IDENTIFIER).oid()
        if oid in values:
            raise SignatureInvalid("A signed attribute occurs twice.")
        values[oid] = parts.take(SET).children().take()
    if CONTENT_TYPE not in values or values[CONTENT_TYPE].oid() != algorithms.DATA:
        raise SignatureInvalid("The signed attributes do not say that data were signed.")
    stated = values[MESSAGE_DIGEST].octets() if MESSAGE_DIGEST in values else b""
    if not hmac.compare_digest(stated, hashlib.new(digest.name, data).digest()):
        raise SignatureInvalid("The signature covers something else than the manifest.")
    _check_signing_certificate(values, signer)
    return _decode_time(values[SIGNING_TIME]) if SIGNING_TIME in values else None


def _check_signing_certificate(values: dict[str, Element], signer: KnownCertificate) -> None:
    """The certificate that the signature names must be the one that came along (RFC 5035, 5.4)."""
    for oid, default in ((SIGNING_CERTIFICATE_V2, algorithms.SHA256), (SIGNING_CERTIFICATE, algorithms.SHA1)):
        if oid not in values:
            continue
        first = _sequence(_sequence(values[oid]).take(SEQUENCE).children().take(SEQUENCE))
        named = first.optional(SEQUENCE) if oid == SIGNING_CERTIFICATE_V2 else None
        algorithm = hash_of(algorithm_of(named).oid if named else default)
        if not hmac.compare_digest(first.take(OCTET_STRING).content, signer.fingerprint(algorithm.name)):
            raise SignatureInvalid("The signature was made with another certificate than the one that came along.")


def _check_value(
    certificate: x509.Certificate,
    algorithm: AlgorithmIdentifier,
    digest: hashes.HashAlgorithm,
    value: bytes,
    covered: bytes,
    *,
    allow_sha1: bool,
) -> hashes.HashAlgorithm:
    """Verify the signature value itself; returns the hash that it rests on."""
    scheme, digest = _scheme(algorithm, digest)
    if isinstance(digest, hashes.SHA1) and not allow_sha1:
        raise SignatureInvalid("The signature rests on SHA-1, which is not accepted here.")
    try:
        key = certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey) and scheme is not None:
            key.verify(value, covered, scheme, digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and scheme is None:
            key.verify(value, covered, ec.ECDSA(digest))
        else:
            raise SignatureInvalid("The signature's algorithm does not fit its signer's key.")
    except (InvalidSignature, UnsupportedAlgorithm, ValueError) as error:
        raise SignatureInvalid("The signature is not right: what it covers was altered.") from error
    return digest


def _scheme(
    algorithm: AlgorithmIdentifier, digest: hashes.HashAlgorithm
) -> tuple[padding.AsymmetricPadding | None, hashes.HashAlgorithm]:
    """Padding (None for ECDSA) and hash of a signature algorithm."""
    if algorithm.oid == algorithms.RSA_PKCS1:
        return padding.PKCS1v15(), digest
    if algorithm.oid == algorithms.RSA_PSS:
        return algorithms.pss_padding(algorithm.parameters)
    if algorithm.oid == EC_PUBLIC_KEY:
        return None, digest
    named = RSA_WITH.get(algorithm.oid) or ECDSA_WITH.get(algorithm.oid)
    if named is None:
        raise BerError("an unknown signature algorithm")
    return (padding.PKCS1v15() if algorithm.oid in RSA_WITH else None), hash_of(named)
