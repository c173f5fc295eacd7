"""Our own keys and certificates, read from the files that the settings name. Reads files: call it in a thread."""

from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from fiksmelding.config import Settings
from fiksmelding.envelope import Signer, Trust, load_certificates, load_private_key
from fiksmelding.errors import SettingsError


def account_keys(settings: Settings) -> list[rsa.RSAPrivateKey]:
    """The private keys that open the account's messages, newest first.

    Raises:
        SettingsError: One cannot be read.
    """
    return [_private_key(path, "account.private_keys") for path in settings.account.private_keys]


def signer(settings: Settings) -> Signer:
    """What we sign with: `account.sign_key` and `sign_certificate`, else Maskinporten's business certificate.

    Raises:
        SettingsError: There is no certificate to sign with, or a file cannot be read.
    """
    account, maskinporten = settings.account, settings.maskinporten
    if account.sign_certificate is not None:
        key_path = account.sign_key or account.private_keys[0]
        certificate_path = account.sign_certificate
    elif maskinporten.certificate is not None:
        key_path, certificate_path = maskinporten.private_key, maskinporten.certificate
    else:
        raise SettingsError("There is no certificate to sign with: set account.sign_certificate.")
    certificates = load_certificates(_read(certificate_path, "the signing certificate"))
    key = _private_key(key_path, "the signing key")
    if key.public_key() != certificates[0].public_key():
        raise SettingsError(
            f"The key in {key_path.name} does not belong to the certificate in {certificate_path.name}."
        )
    return Signer(key, certificates[0], tuple(certificates[1:]))


def certificate_ends(settings: Settings) -> dict[str, datetime]:
    """When each of our certificates ends, aware UTC, by what it is for: `signing`, `maskinporten`.

    Raises:
        SettingsError: One cannot be read.
    """
    ends = {"signing": signer(settings).certificate.not_valid_after_utc}
    if settings.maskinporten.certificate is not None:
        [business, *_] = load_certificates(_read(settings.maskinporten.certificate, "maskinporten.certificate"))
        ends["maskinporten"] = business.not_valid_after_utc
    return ends


def trust(settings: Settings) -> Trust:
    """Whose signature counts.

    Raises:
        SettingsError: A root certificate cannot be read.
    """
    roots = [one for path in settings.trust.roots for one in load_certificates(_read(path, "trust.roots"))]
    return Trust(roots=tuple(roots), policy=settings.trust.policy)


def _private_key(path: Path, name: str) -> rsa.RSAPrivateKey:
    data = _read(path, name)
    try:
        return load_private_key(data)
    except SettingsError as error:
        raise SettingsError(f"{name}: {path.name}: {error}") from error


def _read(path: Path, name: str) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{name}: {path} cannot be read: {error.strerror}.") from error
