"""Private keys and certificates in every form they come in."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from fiksmelding.envelope import load_certificates, load_private_key
from fiksmelding.errors import SettingsError
from fiksmelding.simulator.pki import Credential

PASSWORD = b"hemmelig"


FORMS = [
    (Encoding.PEM, PrivateFormat.PKCS8),
    (Encoding.DER, PrivateFormat.PKCS8),
    (Encoding.PEM, PrivateFormat.TraditionalOpenSSL),
    (Encoding.DER, PrivateFormat.PKCS12),
]


@pytest.mark.parametrize(
    ("encoding", "form", "password"),
    [
        *((*form, password) for form in FORMS for password in (None, PASSWORD)),
        (Encoding.DER, PrivateFormat.TraditionalOpenSSL, None),
    ],
)
def test_a_private_key_is_loaded_from_every_form(
    encoding: Encoding, form: PrivateFormat, password: bytes | None, sender_credential: Credential
) -> None:
    protection: KeySerializationEncryption = BestAvailableEncryption(password) if password else NoEncryption()
    if form is PrivateFormat.PKCS12:
        data = serialize_key_and_certificates(
            b"a", sender_credential.key, sender_credential.certificate, sender_credential.chain, protection
        )
    else:
        data = sender_credential.key.private_bytes(encoding, form, protection)
    loaded = load_private_key(data, password)
    assert loaded.private_numbers() == sender_credential.key.private_numbers()
    if password:
        for wrong in (b"feil", None):
            with pytest.raises(SettingsError, match="password is missing or wrong"):
                load_private_key(data, wrong)


@pytest.mark.parametrize("data", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_what_is_no_private_key_is_told(data: bytes) -> None:
    with pytest.raises(SettingsError, match="cannot be loaded"):
        load_private_key(data)


def test_a_key_that_is_not_rsa_is_told() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(SettingsError, match="not an RSA key"):
        load_private_key(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def test_certificates_are_loaded_from_pem_and_der(sender_credential: Credential) -> None:
    assert load_certificates(sender_credential.certificate_pem) == (
        sender_credential.certificate,
        *sender_credential.chain,
    )
    der = sender_credential.certificate.public_bytes(Encoding.DER)
    assert load_certificates(der) == (sender_credential.certificate,)


@pytest.mark.parametrize("data", [b"", b"none", b"-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_told(data: bytes) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load_certificates(data)
