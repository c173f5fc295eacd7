"""Who can open an envelope: RecipientInfos (RFC 5652, 6.2) and the content key they carry."""

import hashlib
import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fiksmelding.envelope import algorithms
from fiksmelding.envelope.algorithms import algorithm_of, remember_short
from fiksmelding.envelope.ber import (
    INTEGER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    BerError,
    Element,
    encode,
    encode_integer,
    encode_sequence,
    encode_set,
)
from fiksmelding.envelope.keys import DecryptionKey
from fiksmelding.errors import EnvelopeError

__all__ = ["KeyTransport", "candidate_keys", "parse_recipients", "recipient_info"]

SUBJECT_KEY_IDENTIFIER = 0x80


@dataclass(frozen=True, slots=True)
class KeyTransport:
    """A KeyTransRecipientInfo: a content key, encrypted with somebody's RSA key.

    Attributes:
        key_identifier: Subject key identifier, or None when the recipient is named by issuer and serial number.
        padding: How the content key was padded.
        encrypted_key: The encrypted content key.
    """

    key_identifier: bytes | None
    padding: AsymmetricPadding
    encrypted_key: bytes


def issuer_and_serial(certificate: x509.Certificate) -> bytes:
    """IssuerAndSerialNumber (RFC 5652, 10.2.4)."""
    return encode_sequence(certificate.issuer.public_bytes(), encode_integer(certificate.serial_number))


def recipient_info(recipient: x509.Certificate, content_key: bytes) -> bytes:
    """Encode one KeyTransRecipientInfo: issuer and serial number, RSAES-OAEP with SHA-256.

    Raises:
        EnvelopeError: The certificate's key is not RSA.
    """
    public_key = recipient.public_key()
    if not isinstance(public_key, rsa.RSAPublicKey):
        raise EnvelopeError("The recipient's certificate holds no RSA key, so nothing can be sealed for it.")
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA256()), algorithm=hashes.SHA256(), label=None)
    return encode_sequence(
        encode_integer(0),
        issuer_and_serial(recipient),
        algorithms.OAEP_SHA256_IDENTIFIER,
        encode(OCTET_STRING, public_key.encrypt(content_key, oaep)),
    )


def recipient_infos(infos: Iterable[bytes]) -> bytes:
    """Encode RecipientInfos."""
    return encode_set(infos)


def parse_recipients(element: Element, *, limit: int) -> list[KeyTransport]:
    """Take RecipientInfos apart; kinds and algorithms that we cannot open are left out.

    Raises:
        BerError: They are malformed, or more than `limit`.
    """
    if element.tag != SET:
        raise BerError("the recipients are expected")
    infos = element.children().rest()
    if len(infos) > limit:
        raise BerError("there are too many recipients")
    found = (_key_transport(info) for info in infos if info.tag == SEQUENCE)
    return [one for one in found if one is not None]


def _key_transport(info: Element) -> KeyTransport | None:
    children = info.children()
    children.take(INTEGER)
    identifier = children.take(SEQUENCE, SUBJECT_KEY_IDENTIFIER)
    key_identifier = identifier.content if identifier.tag == SUBJECT_KEY_IDENTIFIER else None
    scheme = _padding(children.take())
    encrypted_key = children.take(OCTET_STRING, OCTET_STRING | 0x20).octets()
    return None if scheme is None else KeyTransport(key_identifier, scheme, encrypted_key)


@remember_short
def _padding(element: Element) -> AsymmetricPadding | None:
    """The padding that an algorithm identifier names, or None if we do not know it."""
    algorithm = algorithm_of(element)
    if algorithm.oid == algorithms.RSA_PKCS1:
        return padding.PKCS1v15()
    if algorithm.oid != algorithms.RSA_OAEP:
        return None
    try:
        return algorithms.oaep_padding(algorithm.parameters)
    except BerError:
        return None


def candidate_keys(
    recipients: Sequence[KeyTransport], keys: Sequence[DecryptionKey], *, size: int, allow_pkcs1: bool
) -> Iterator[bytes]:
    """Every content key that a configured private key gives, the likeliest first.

    OAEP tells a right key from a wrong one, so it goes first. PKCS#1 v1.5 must not (RFC 3218): where its padding is
    wrong, a random key comes out, and only decrypting the content shows it.

    Args:
        recipients: The envelope's recipients.
        keys: The configured private keys.
        size: Bytes that the content encryption algorithm needs.
        allow_pkcs1: Whether PKCS#1 v1.5 is acceptable.
    """
    pairs = [
        (recipient, key)
        for recipient in recipients
        for key in keys
        if len(recipient.encrypted_key) == (key.public_key().key_size + 7) // 8
        and (allow_pkcs1 or not isinstance(recipient.padding, padding.PKCS1v15))
    ]
    for recipient, key in sorted(pairs, key=lambda pair: _rank(*pair)):
        content_key = _unwrap(recipient, key, size)
        if content_key is not None:
            yield content_key


def _rank(recipient: KeyTransport, key: DecryptionKey) -> tuple[bool, bool]:
    named = recipient.key_identifier is not None and recipient.key_identifier == _key_identifier(key.public_key())
    return isinstance(recipient.padding, padding.PKCS1v15), not named


def _key_identifier(public_key: rsa.RSAPublicKey) -> bytes:
    """SHA-1 of the public key, the usual subject key identifier (RFC 5280, 4.2.1.2, method 1)."""
    encoded = public_key.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    return hashlib.sha1(encoded, usedforsecurity=False).digest()


def _unwrap(recipient: KeyTransport, key: DecryptionKey, size: int) -> bytes | None:
    if not isinstance(recipient.padding, padding.PKCS1v15):
        try:
            content_key = key.decrypt(recipient.encrypted_key, recipient.padding)
        except (ValueError, UnsupportedAlgorithm):
            return None
        return content_key if len(content_key) == size else None
    # Whatever goes wrong here must look like a wrong content key and nothing else.
    stand_in = secrets.token_bytes(size)
    try:
        content_key = key.decrypt(recipient.encrypted_key, recipient.padding)
    except (ValueError, UnsupportedAlgorithm):
        content_key = stand_in
    return content_key if len(content_key) == size else stand_in
