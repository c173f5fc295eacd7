"""Private keys and certificates out of files, and the little that a key service must offer to stand in for a key."""

from typing import Protocol

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import AsymmetricPadding
from cryptography.hazmat.primitives.serialization import (
    load_der_private_key,
    load_pem_private_key,
    pkcs12,
)

from fiksmelding.errors import SettingsError

__all__ = ["DecryptionKey", "load_certificates", "load_private_key", "load_revocation_list"]


class DecryptionKey(Protocol):
    """What opens an envelope: an RSA private key, or an HSM or key service that holds one.

    `cryptography`'s `RSAPrivateKey` is one as it stands.
    """

    def public_key(self) -> rsa.RSAPublicKey:
        """The public half, by which the key's size and identifier are known."""
        ...

    def decrypt(self, ciphertext: bytes, padding: AsymmetricPadding) -> bytes:
        """Do the RSA decryption.

        Args:
            ciphertext: The encrypted content key, as long as the modulus.
            padding: `padding.OAEP` with its hashes, or `padding.PKCS1v15`. For the latter the key service should
                reject implicitly (give random bytes where the padding is wrong), as OpenSSL 3.2 and newer do.

        Raises:
            ValueError: This key does not open it; the next key is tried. Any other error (service not reachable)
                passes through to the caller of `open_envelope`: it says nothing about the envelope.
        """
        ...


def load_private_key(data: bytes, password: bytes | None = None) -> rsa.RSAPrivateKey:
    """Load an RSA private key: PKCS#8 or PKCS#1, PEM or DER, or PKCS#12.

    Args:
        data: The file's content.
        password: Its password, if it has one.

    Raises:
        SettingsError: It is no such file, the password is missing or wrong, or the key is not RSA.
    """
    key = _any_private_key(data, password)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise SettingsError("The private key is not an RSA key, which Fiks envelopes need.")
    return key


def _any_private_key(data: bytes, password: bytes | None) -> object:
    try:
        if b"-----BEGIN" in data:
            return load_pem_private_key(data, password)
        return _der_private_key(data, password)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise SettingsError(
            "The private key cannot be loaded: it is not PKCS#8, PKCS#1 or PKCS#12, "
            "or its password is missing or wrong."
        ) from error


def _der_private_key(data: bytes, password: bytes | None) -> object:
    try:
        return load_der_private_key(data, password)
    except (ValueError, TypeError) as not_plain_der:
        try:
            return pkcs12.load_key_and_certificates(data, password)[0]
        except ValueError:
            raise not_plain_der from None


def load_certificates(data: bytes) -> tuple[x509.Certificate, ...]:
    """Load certificates: one or more as PEM, or one as DER.

    Raises:
        SettingsError: There is none, or one cannot be read.
    """
    try:
        if b"-----BEGIN" in data:
            return tuple(x509.load_pem_x509_certificates(data))
        return (x509.load_der_x509_certificate(data),)
    except ValueError as error:
        raise SettingsError("The certificate cannot be read: it is neither PEM nor DER.") from error


def load_revocation_list(data: bytes) -> x509.CertificateRevocationList:
    """Load a certificate revocation list, PEM or DER.

    Raises:
        SettingsError: It is neither.
    """
    try:
        return x509.load_pem_x509_crl(data) if b"-----BEGIN" in data else x509.load_der_x509_crl(data)
    except ValueError as error:
        raise SettingsError("The revocation list cannot be read: it is neither PEM nor DER.") from error
