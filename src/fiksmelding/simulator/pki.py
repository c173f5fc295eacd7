"""A certificate authority for tests: root, issuing CA, business and TLS certificates.

The profile follows what Buypass and Commfides issue to Norwegian organisations: the organisation number stands in the
subject's `serialNumber` and, as `NTRNO-…` (ETSI EN 319 412-1, 5.1.4), in its `organizationIdentifier`.
"""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["Authority", "Credential"]

KEY_BITS = 2048
BACKDATED = timedelta(days=1)
VALID_FOR = timedelta(days=3 * 365)


@dataclass(frozen=True)
class Credential:
    """A private key and its certificate, with the certificates between it and the root.

    Attributes:
        key: The private key; RSA, 2048 bits.
        certificate: The certificate of `key`.
        chain: The issuing certificates, nearest first, without the root.
    """

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...] = ()

    def __repr__(self) -> str:
        return f"Credential({self.certificate.subject.rfc4514_string()})"

    @cached_property
    def key_pem(self) -> bytes:
        """The private key as unencrypted PKCS#8 PEM."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @cached_property
    def certificate_pem(self) -> bytes:
        """The certificate as PEM, followed by its chain."""
        return b"".join(one.public_bytes(Encoding.PEM) for one in (self.certificate, *self.chain))


@dataclass(frozen=True)
class Authority:
    """A root and an issuing CA that exist for tests only."""

    root: Credential
    issuing: Credential

    @classmethod
    def new(cls) -> Self:
        """Make a fresh root and an issuing CA below it."""
        root_key = _new_key()
        root_name = _name("Fiksmelding Test Root CA")
        root = Credential(root_key, _ca_certificate(root_name, root_key, root_name, root_key, path_length=1))
        issuing_key = _new_key()
        issuing = _ca_certificate(_name("Fiksmelding Test CA"), issuing_key, root_name, root_key, path_length=0)
        return cls(root, Credential(issuing_key, issuing))

    @property
    def roots_pem(self) -> bytes:
        """The root certificate as PEM: what a client trusts."""
        return self.root.certificate_pem

    def business(
        self,
        organisation: str,
        name: str,
        *,
        not_before: datetime | None = None,
        not_after: datetime | None = None,
    ) -> Credential:
        """A virksomhetssertifikat, good for both signing and being sealed for.

        Args:
            organisation: Organisation number, nine digits.
            name: The organisation's name.
            not_before: Start of validity, aware; yesterday when absent.
            not_after: End of validity, aware; in three years when absent.
        """
        subject = x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "NO"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, name),
                x509.NameAttribute(NameOID.SERIAL_NUMBER, organisation),
                x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, f"NTRNO-{organisation}"),
                x509.NameAttribute(NameOID.COMMON_NAME, name),
            ]
        )
        key = _new_key()
        usage = _key_usage(digital_signature=True, content_commitment=True, key_encipherment=True)
        certificate = (
            self._leaf(subject, key, not_before, not_after)
            .add_extension(usage, critical=True)
            .sign(self.issuing.key, hashes.SHA256())
        )
        return Credential(key, certificate, (self.issuing.certificate,))

    def server(self, *names: str, not_after: datetime | None = None) -> Credential:
        """A TLS server certificate for host names and IP addresses; valid as `business`."""
        key = _new_key()
        certificate = (
            self._leaf(_name(names[0]), key, None, not_after)
            .add_extension(_key_usage(digital_signature=True, key_encipherment=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .sign(self.issuing.key, hashes.SHA256())
        )
        return Credential(key, certificate, (self.issuing.certificate,))

    def _leaf(
        self, subject: x509.Name, key: rsa.RSAPrivateKey, not_before: datetime | None, not_after: datetime | None
    ) -> x509.CertificateBuilder:
        issuer = self.issuing.certificate
        return (
            _builder(subject, key, issuer.subject, not_before, not_after)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.issuing.key.public_key()), critical=False
            )
        )


def _new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, "NO"), x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name,
    key: rsa.RSAPrivateKey,
    issuer: x509.Name,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> x509.CertificateBuilder:
    now = datetime.now(UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(not_before or now - BACKDATED)
        .not_valid_after(not_after or now + VALID_FOR)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _ca_certificate(
    subject: x509.Name,
    key: rsa.RSAPrivateKey,
    issuer: x509.Name,
    issuer_key: rsa.RSAPrivateKey,
    *,
    path_length: int,
) -> x509.Certificate:
    return (
        _builder(subject, key, issuer)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )


def _key_usage(
    *,
    digital_signature: bool = False,
    content_commitment: bool = False,
    key_encipherment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=content_commitment,
        key_encipherment=key_encipherment,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
