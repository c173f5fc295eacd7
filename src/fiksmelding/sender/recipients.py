"""Whether a key may be sealed for: what the platform says of it, what its certificate says, and what was pinned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from fiksmelding.envelope import load_certificates
from fiksmelding.errors import KeyUnusable, SettingsError
from fiksmelding.fiks import Krypteringsnokler, Nokkel
from fiksmelding.sender.addressing import Office

PRINT = "print"
ASK_AGAIN = "Nothing was sent. Its owner has to upload a new key; tell KS, and use another way until then."

Pins = Mapping[str, Sequence[x509.Certificate]]
"""The certificates that may be sealed for, by whom they belong to: `print`, `4601`, `4601-02`."""


@dataclass(frozen=True, slots=True)
class Recipients:
    """The certificates that a report is sealed for.

    Attributes:
        receiver: The office's.
        printer: The print provider's.
    """

    receiver: x509.Certificate
    printer: x509.Certificate

    @property
    def until(self) -> datetime:
        """When the first of them ends, aware UTC."""
        return min(self.receiver.not_valid_after_utc, self.printer.not_valid_after_utc)


def read_pins(folder: Path | None) -> Pins:
    """Read the folder of pinned certificates. Reads files: call it in a thread.

    Raises:
        SettingsError: It is no folder, or a file in it holds no certificate.
    """
    if folder is None:
        return {}
    try:
        files = sorted(folder.glob("*.pem"))
        if not folder.is_dir():
            raise SettingsError("sender.pinned_certificates is no folder.")
        return {file.stem: load_certificates(file.read_bytes()) for file in files}
    except OSError as error:
        raise SettingsError(f"sender.pinned_certificates cannot be read: {error.strerror}.") from error


def checked(keys: Krypteringsnokler, office: Office, pins: Pins, now: datetime) -> Recipients:
    """Both certificates, each found fit to be sealed for.

    Raises:
        KeyUnusable: One is not: expired, not valid yet, called invalid by the platform, not RSA, not for encryption,
            or none of those that were pinned.
    """
    number, bydel = office.kommunenummer, office.bydel.bydelsnummer
    receiver = _certificate(keys.fiks_io_offentlig_nokkel, f"The key of {office.name}", now)
    printer = _certificate(keys.print_offentlig_nokkel, "The print provider's key", now)
    _check_pinned(receiver, pins.get(f"{number}-{bydel}", pins.get(number)), f"The key of {office.name}")
    _check_pinned(printer, pins.get(PRINT), "The print provider's key")
    return Recipients(receiver, printer)


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of a certificate, hexadecimal."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def still_valid(key: Nokkel, sha256: str) -> bool | None:
    """Whether the platform still holds the certificate of that fingerprint to be valid; None when it offers another."""
    try:
        offered = x509.load_pem_x509_certificate(key.nokkel.encode())
    except ValueError:
        return None
    return key.gyldig if fingerprint(offered) == sha256 else None


def _certificate(key: Nokkel, whose: str, now: datetime) -> x509.Certificate:
    if not key.gyldig:
        raise KeyUnusable(f"{whose} is not valid any more, says the platform.", advice=ASK_AGAIN)
    try:
        certificate = x509.load_pem_x509_certificate(key.nokkel.encode())
        public_key, usage = certificate.public_key(), _usage(certificate)
    except ValueError as error:
        raise KeyUnusable(f"{whose} is no certificate that can be read.", advice=ASK_AGAIN) from error
    if not isinstance(public_key, rsa.RSAPublicKey):
        raise KeyUnusable(f"{whose} is no RSA key, which Fiks envelopes need.", advice=ASK_AGAIN)
    if usage is not None and not (usage.key_encipherment or usage.data_encipherment):
        raise KeyUnusable(f"{whose} is not made for encryption (key usage).", advice=ASK_AGAIN)
    first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not first <= now <= last:
        raise KeyUnusable(
            f"{whose} is in force from {first:%Y-%m-%d} to {last:%Y-%m-%d} only, and this is {now:%Y-%m-%d}.",
            advice=ASK_AGAIN,
        )
    return certificate


def _usage(certificate: x509.Certificate) -> x509.KeyUsage | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None  # then it may be used for anything (RFC 5280, 4.2.1.3)


def _check_pinned(certificate: x509.Certificate, pinned: Sequence[x509.Certificate] | None, whose: str) -> None:
    if pinned is not None and certificate not in pinned:
        raise KeyUnusable(
            f"{whose} is none of those in sender.pinned_certificates.",
            advice="Nothing was sent. Ask its owner, by another way than Fiks, for the fingerprint of the new one: "
            f"the platform offers {fingerprint(certificate)}.",
        )
