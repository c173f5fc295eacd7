"""Certificates that strangers send."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509

__all__ = ["KnownCertificate", "usable_certificate"]

LARGEST = 32 * 1024


@dataclass(frozen=True, slots=True)
class KnownCertificate:
    """A certificate and what every signature asks of it; nothing here depends on when it is asked.

    Attributes:
        certificate: The certificate.
        der: Its encoding.
        issuer: Encoding of its issuer's name.
        serial_number: Its number with that issuer.
        key_identifier: Subject key identifier, or None where it states none.
    """

    certificate: x509.Certificate
    der: bytes
    issuer: bytes
    serial_number: int
    key_identifier: bytes | None

    def fingerprint(self, algorithm: str) -> bytes:
        """Digest of its encoding, by an algorithm as `hashlib` calls it."""
        return hashlib.new(algorithm, self.der).digest()


def usable_certificate(der: bytes) -> KnownCertificate | None:
    """The certificate, or None if any part of it that we shall ever look at cannot be read.

    Senders are few, so the last ones are remembered; what is larger than 32 KiB is no certificate of theirs.

    `cryptography` parses a certificate's parts when they are asked for; asking here keeps its many errors out of the
    rest of the room.
    """
    return _load(der) if len(der) <= LARGEST else None


@lru_cache(maxsize=64)
def _load(der: bytes) -> KnownCertificate | None:
    try:
        certificate = x509.load_der_x509_certificate(der)
        parts = (
            certificate.version,
            certificate.subject,
            certificate.public_key(),
            certificate.extensions,
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
            certificate.signature_algorithm_oid,
        )
        known = KnownCertificate(
            certificate, der, certificate.issuer.public_bytes(), certificate.serial_number, _key_identifier(certificate)
        )
    # Malformed certificates raise ValueError, and also InvalidVersion, DuplicateExtension, UnsupportedAlgorithm and
    # others that share no base but Exception.
    except Exception:  # noqa: BLE001
        return None
    return known if all(part is not None for part in parts) else None


def _key_identifier(certificate: x509.Certificate) -> bytes | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    except x509.ExtensionNotFound:
        return None
