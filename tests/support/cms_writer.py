"""A writer of CMS that can write what other senders write, and we do not.

Independent of the code under test where that matters: nested and irregular pieces, several recipients, other
algorithms.
"""

import secrets
from collections.abc import Sequence
from enum import Enum

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

END = b"\x00\x00"


class ContentCipher(Enum):
    """A content encryption algorithm: object identifier and bytes of key."""

    AES_128_CBC = ("2.16.840.1.101.3.4.1.2", 16)
    AES_192_CBC = ("2.16.840.1.101.3.4.1.22", 24)
    AES_256_CBC = ("2.16.840.1.101.3.4.1.42", 32)
    AES_128_GCM = ("2.16.840.1.101.3.4.1.6", 16)
    AES_192_GCM = ("2.16.840.1.101.3.4.1.26", 24)
    AES_256_GCM = ("2.16.840.1.101.3.4.1.46", 32)


def tlv(tag: int, *parts: bytes) -> bytes:
    """A definite element."""
    content = b"".join(parts)
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    size = (len(content).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(content).to_bytes(size, "big") + content


def indefinite(tag: int, *parts: bytes) -> bytes:
    """An element of indefinite length."""
    return bytes([tag, 0x80]) + b"".join(parts) + END


def oid(dotted: str) -> bytes:
    """An object identifier."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    body = bytearray([40 * first + second])
    for number in rest:
        groups, left = [number & 127], number >> 7
        while left:
            groups.append(left & 127 | 128)
            left >>= 7
        body += bytes(groups[::-1])
    return tlv(6, bytes(body))


HASH_OIDS = {
    "sha1": "1.3.14.3.2.26",
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}


def key_algorithm(scheme: AsymmetricPadding, algorithm: str = "sha256", mask: str = "sha256") -> bytes:
    """AlgorithmIdentifier of a key transport."""
    if isinstance(scheme, padding.PKCS1v15):
        return tlv(0x30, oid("1.2.840.113549.1.1.1"), tlv(5))
    hashed = tlv(0xA0, tlv(0x30, oid(HASH_OIDS[algorithm]), tlv(5)))
    masked = tlv(0xA1, tlv(0x30, oid("1.2.840.113549.1.1.8"), tlv(0x30, oid(HASH_OIDS[mask]), tlv(5))))
    parameters = b"" if algorithm == mask == "sha1" else hashed + masked
    return tlv(0x30, oid("1.2.840.113549.1.1.7"), tlv(0x30, parameters))


def oaep(algorithm: hashes.HashAlgorithm, mask: hashes.HashAlgorithm | None = None) -> padding.OAEP:
    """RSAES-OAEP without label."""
    return padding.OAEP(padding.MGF1(mask or algorithm), algorithm, None)


def recipient_info(
    certificate: x509.Certificate, scheme: AsymmetricPadding, key: bytes, *, by_key_identifier: bool = False
) -> bytes:
    """A KeyTransRecipientInfo."""
    public_key = certificate.public_key()
    assert isinstance(public_key, rsa.RSAPublicKey)
    if by_key_identifier:
        digest = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
        version, identifier = tlv(2, b"\x02"), tlv(0x80, digest)
    else:
        serial = certificate.serial_number
        encoded = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
        version, identifier = tlv(2, b"\x00"), tlv(0x30, certificate.issuer.public_bytes(), tlv(2, encoded))
    names = (scheme.algorithm.name, scheme.mgf._algorithm.name) if isinstance(scheme, padding.OAEP) else ()
    return tlv(0x30, version, identifier, key_algorithm(scheme, *names), tlv(4, public_key.encrypt(key, scheme)))


def pieces(ciphertext: bytes, size: int, *, nested: bool = False) -> bytes:
    """The content of a constructed octet string, in pieces of one size."""
    parts = [tlv(4, ciphertext[at : at + size]) for at in range(0, len(ciphertext), size)]
    if not nested:
        return b"".join(parts)
    half = len(parts) // 2
    return indefinite(0x24, *parts[:half], tlv(0x24)) + tlv(0x24, *parts[half:])


def enveloped(
    content: bytes,
    recipients: Sequence[tuple[x509.Certificate, AsymmetricPadding]],
    *,
    cipher: ContentCipher = ContentCipher.AES_256_CBC,
    piece_size: int | None = None,
    nested: bool = False,
    by_key_identifier: bool = False,
    attributes: bytes = b"",
) -> bytes:
    """EnvelopedData, or AuthEnvelopedData for GCM.

    Args:
        content: What is encrypted.
        recipients: For whom, and how its key is padded.
        cipher: How the content is encrypted.
        piece_size: Bytes in a piece, for indefinite lengths; None for DER.
        nested: Whether pieces stand in strings within the string.
        by_key_identifier: Whether recipients are named by subject key identifier.
        attributes: Authenticated attributes (the content of the SET OF), for GCM.
    """
    name, key_size = cipher.value
    key = secrets.token_bytes(key_size)
    infos = tlv(0x31, *(recipient_info(*one, key, by_key_identifier=by_key_identifier) for one in recipients))
    authenticated = cipher.name.endswith("GCM")
    tail = b""
    if authenticated:
        nonce = secrets.token_bytes(12)
        sealed = AESGCM(key).encrypt(nonce, content, tlv(0x31, attributes) if attributes else b"")
        ciphertext, mac = sealed[:-16], sealed[-16:]
        parameters = tlv(0x30, tlv(4, nonce), tlv(2, b"\x10"))
        tail = (tlv(0xA1, attributes) if attributes else b"") + tlv(4, mac)
    else:
        iv = secrets.token_bytes(16)
        padder, encryptor = PKCS7(128).padder(), Cipher(AES(key), CBC(iv)).encryptor()
        ciphertext = encryptor.update(padder.update(content) + padder.finalize()) + encryptor.finalize()
        parameters = tlv(4, iv)
    info = oid("1.2.840.113549.1.7.1") + tlv(0x30, oid(name), parameters)
    kind = oid("1.2.840.113549.1.9.16.1.23" if authenticated else "1.2.840.113549.1.7.3")
    if piece_size is None:
        body = tlv(0x30, tlv(2, b"\x00"), infos, tlv(0x30, info, tlv(0x80, ciphertext)), tail)
        return tlv(0x30, kind, tlv(0xA0, body))
    encrypted = indefinite(0x30, info, indefinite(0xA0, pieces(ciphertext, piece_size, nested=nested)))
    return indefinite(0x30, kind, indefinite(0xA0, indefinite(0x30, tlv(2, b"\x00"), infos, encrypted, tail)))
