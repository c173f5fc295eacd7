"""`fiksmelding keys new|show|check`: an account's key pair, and what a certificate says in plain words."""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from rich.markup import escape

from fiksmelding.cli.output import Exit, console
from fiksmelding.envelope import load_certificates, load_private_key, organisation_number
from fiksmelding.errors import FiksmeldingError, SettingsError

KEY_BITS = 4096
ORGANISATION_DIGITS = 9
SOON = timedelta(days=60)


def new_key(
    out: Path,
    *,
    name: str,
    organisation: str,
    days: int = 1095,
    password_file: Path | None = None,
    bits: int = KEY_BITS,
) -> None:
    """Make a key pair and a self-signed certificate for an account: `key.pem` and `certificate.pem` in a folder.

    Args:
        out: The folder; files that are there are left alone.
        name: The organisation's name.
        organisation: Its organisation number, nine digits.
        days: How long the certificate is valid, in days.
        password_file: File with a password for the key; unprotected when absent.
        bits: Size of the key.

    Raises:
        SettingsError: The organisation number is none.
        FiksmeldingError: There is a key already.
        OSError: Something cannot be written.
    """
    if len(organisation) != ORGANISATION_DIGITS or not (organisation.isascii() and organisation.isdigit()):
        raise SettingsError("An organisation number has nine digits.")
    password = password_file.read_bytes().rstrip(b"\r\n") if password_file else None
    protection = BestAvailableEncryption(password) if password else NoEncryption()
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    certificate = _self_signed(key, name, organisation, days)
    out.mkdir(parents=True, exist_ok=True)
    _write_new(out / "key.pem", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection), mode=0o600)
    _write_new(out / "certificate.pem", certificate.public_bytes(Encoding.PEM), mode=0o644)
    _say(f"{out / 'key.pem'}: keep it secret, and keep it as long as anything sealed for it may arrive")
    _say(f"{out / 'certificate.pem'}: the public half, to upload to the account")


def _self_signed(key: rsa.RSAPrivateKey, name: str, organisation: str, days: int) -> x509.Certificate:
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "NO"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, name),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, organisation),
            x509.NameAttribute(NameOID.ORGANIZATION_IDENTIFIER, f"NTRNO-{organisation}"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )


def _write_new(path: Path, data: bytes, *, mode: int) -> None:
    try:
        # Made with its mode: a key must not be readable by others for a moment either.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        raise FiksmeldingError(f"{path} is there already; nothing was overwritten.") from None
    with os.fdopen(descriptor, "wb") as out:
        out.write(data)


def show_keys(files: Sequence[Path]) -> None:
    """Tell in plain words what certificates say.

    Raises:
        SettingsError: A file holds no certificate.
        OSError: A file cannot be read.
    """
    for file in files:
        for certificate in load_certificates(file.read_bytes()):
            for line in describe(certificate, datetime.now(UTC)):
                _say(line)


def describe(certificate: x509.Certificate, now: datetime) -> list[str]:
    """What a certificate says, a line for each thing."""
    own = certificate.subject == certificate.issuer
    return [
        f"holder: {certificate.subject.rfc4514_string()}",
        f"organisation number: {organisation_number(certificate.subject) or 'none'}",
        f"issued by: {'itself (self-signed)' if own else certificate.issuer.rfc4514_string()}",
        f"valid: {_validity(certificate, now)}",
        f"key: {_key(certificate)}",
        f"may be used for: {', '.join(_uses(certificate)) or 'nothing that matters here'}",
        f"serial number: {certificate.serial_number:x}",
        f"SHA-256 fingerprint: {certificate.fingerprint(hashes.SHA256()).hex(':')}",
    ]


def _validity(certificate: x509.Certificate, now: datetime) -> str:
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    period = f"{begin:%Y-%m-%d} to {end:%Y-%m-%d}"
    if now < begin:
        return f"{period}: NOT YET VALID"
    if now > end:
        return f"{period}: EXPIRED"
    left = (end - now).days
    return f"{period}: expires in {left} days" if end - now < SOON else period


def _key(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA, {key.key_size} bits"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"elliptic curve {key.curve.name}: good for signing, but nothing can be sealed for it"
    return "of a kind that is not used here"


def _uses(certificate: x509.Certificate) -> list[str]:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return ["anything (it does not say)"]
    uses = []
    if usage.digital_signature or usage.content_commitment:
        uses.append("signing")
    if usage.key_encipherment:
        uses.append("being sealed for")
    if usage.key_cert_sign:
        uses.append("issuing certificates")
    return uses


def check_key(key: Path, certificate: Path, *, password_file: Path | None = None) -> Exit:
    """Tell whether a private key and a certificate belong together.

    Raises:
        SettingsError: One of them cannot be loaded.
        OSError: A file cannot be read.
    """
    password = password_file.read_bytes().rstrip(b"\r\n") if password_file else None
    private_key = load_private_key(key.read_bytes(), password)
    first = load_certificates(certificate.read_bytes())[0]
    if private_key.public_key() != first.public_key():
        _say(f"{key} and {certificate} do not belong together.")
        return Exit.PROBLEM
    _say(f"{key} is the private key of {certificate}; valid {_validity(first, datetime.now(UTC))}")
    return Exit.FINE


def _say(line: str) -> None:
    console.print(escape(line), soft_wrap=True, highlight=False)
