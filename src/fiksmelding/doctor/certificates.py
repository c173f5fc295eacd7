"""When keys and certificates end: ours, the published one, those of the servers, and whom we trust."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from cryptography import x509

from fiksmelding.doctor.conditions import Condition
from fiksmelding.doctor.findings import Finding
from fiksmelding.doctor.patient import Patient, Unexaminable, in_thread
from fiksmelding.envelope import load_certificates
from fiksmelding.errors import FiksmeldingError
from fiksmelding.fiks import Catalog
from fiksmelding.sender.recipients import read_pins

__all__ = ["SOON", "examine_certificates", "validity"]

SOON = timedelta(days=30)
"""A new business certificate takes days to order and a week to be everywhere."""
Named = tuple[str, x509.Certificate]


async def examine_certificates(patient: Patient) -> Sequence[Finding]:
    """When does each certificate end, of those in files and that which the catalog publishes?"""
    certificates = await in_thread(lambda: list(_in_files(patient)))
    certificates += await _published(patient)
    now = patient.clock.now()
    found = [finding for name, certificate in certificates if (finding := validity(name, certificate, now))]
    if found or not certificates:
        return found
    name, first = min(certificates, key=lambda one: one[1].not_valid_after_utc)
    text = f"{len(certificates)} certificates are valid; the first to end is {name}, {_day(first.not_valid_after_utc)}."
    return [Finding(Condition.CERTIFICATES_VALID, text)]


def validity(name: str, certificate: x509.Certificate, now: datetime) -> Finding | None:
    """What is to be said about when a certificate begins and ends; None when nothing is."""
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < begins:
        return Finding(Condition.CERTIFICATE_NOT_YET_VALID, f"{name} is valid from {_day(begins)} only.")
    if now > ends:
        return Finding(Condition.CERTIFICATE_EXPIRED, f"{name} expired {_day(ends)}.")
    if ends - now < SOON:
        return Finding(Condition.CERTIFICATE_ENDS_SOON, f"{name} ends {_day(ends)}, in {(ends - now).days} days.")
    return None


def _in_files(patient: Patient) -> Iterator[Named]:
    settings = patient.settings
    files = {
        "account.sign_certificate": settings.account.sign_certificate,
        "maskinporten.certificate": settings.maskinporten.certificate,
    }
    paths = [(f"{key} ({path.name})", path) for key, path in files.items() if path is not None]
    if patient.receives:
        paths += [(f"trust.roots ({path.name})", path) for path in settings.trust.roots]
    for name, path in paths:
        with suppress(OSError, FiksmeldingError):  # the check of the key files tells
            yield from ((name, certificate) for certificate in load_certificates(path.read_bytes()))
    if patient.sends:
        with suppress(FiksmeldingError):
            pins = read_pins(settings.sender.pinned_certificates)
            yield from ((f"the pinned {name}.pem", one) for name, pinned in pins.items() for one in pinned)


async def _published(patient: Patient) -> list[Named]:
    try:
        session = await patient.session()
        return [("the account's published certificate", await Catalog(session).public_key(session.account_id))]
    except (FiksmeldingError, Unexaminable):
        return []  # the check of the published key tells


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"
