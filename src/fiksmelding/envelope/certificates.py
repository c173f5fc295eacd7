"""Certificates that strangers send."""

from functools import lru_cache

from cryptography import x509

__all__ = ["usable_certificate"]

LARGEST = 32 * 1024


@lru_cache(maxsize=64)
def usable_certificate(der: bytes) -> x509.Certificate | None:
    """The certificate, or None if any part of it that we shall ever look at cannot be read.

    Senders are few, so the last ones are remembered; what is larger than 32 KiB is no certificate of theirs.

    `cryptography` parses a certificate's parts when they are asked for; asking here keeps its many errors out of the
    rest of the room.
    """
    if len(der) > LARGEST:
        return None
    try:
        certificate = x509.load_der_x509_certificate(der)
        parts = (
            certificate.version,
            certificate.issuer,
            certificate.subject,
            certificate.serial_number,
            certificate.public_key(),
            certificate.extensions,
            certificate.not_valid_before_utc,
            certificate.not_valid_after_utc,
            certificate.signature_algorithm_oid,
        )
    # Malformed certificates raise ValueError, and also InvalidVersion, DuplicateExtension, UnsupportedAlgorithm and
    # others that share no base but Exception.
    except Exception:  # noqa: BLE001
        return None
    return certificate if all(part is not None for part in parts) else None
