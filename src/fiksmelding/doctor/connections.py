"""The servers as the network shows them: reached, believed, and for how long."""

import asyncio
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path

from cryptography import x509
from yarl import URL

from fiksmelding.doctor.certificates import validity
from fiksmelding.doctor.conditions import Condition
from fiksmelding.doctor.findings import Finding
from fiksmelding.doctor.patient import Patient, Unexaminable, in_thread
from fiksmelding.errors import SettingsError
from fiksmelding.fiks.maskinporten import token_url
from fiksmelding.tls import client_context

__all__ = ["examine_connections"]

Address = tuple[str, int]


async def examine_connections(patient: Patient) -> Sequence[Finding]:
    """Can each server be reached, and is its TLS certificate to be believed and in force?"""
    found = await asyncio.gather(*(_try(patient, address, ca) for address, ca in _servers(patient).items()))
    return [finding for findings in found for finding in findings]


def _servers(patient: Patient) -> Mapping[tuple[Address, bool], Path | None]:
    """What is connected to: the address, whether by TLS, and whom its certificate has to chain to."""
    settings = patient.settings
    servers: dict[tuple[Address, bool], Path | None] = {}
    for url in (URL(settings.platform.api_url), token_url(settings.maskinporten)):
        if url.host and url.port:
            servers[(url.host, url.port), url.scheme == "https"] = settings.platform.ca_file
    if patient.receives:
        servers |= {(address, settings.broker.tls): settings.broker.ca_file for address in settings.broker.addresses}
    return servers


async def _try(patient: Patient, server: tuple[Address, bool], ca_file: Path | None) -> Sequence[Finding]:
    (host, port), encrypted = server
    try:
        context = await in_thread(lambda: client_context(ca_file)) if encrypted else None
        certificate = await asyncio.wait_for(_connect(host, port, context), patient.limit / 2)
    except SettingsError as error:
        raise Unexaminable(error.text) from error
    except ssl.SSLCertVerificationError as error:
        text = f"The certificate of {host}:{port} is not believed: {error.verify_message}."
        return [Finding(Condition.TLS_UNTRUSTED, text)]
    except (OSError, TimeoutError) as error:  # an ssl.SSLError is an OSError
        why = "no answer in time" if isinstance(error, TimeoutError) else error.strerror or type(error).__name__
        return [Finding(Condition.HOST_UNREACHABLE, f"{host}:{port} cannot be reached: {why}.")]
    ends = (
        None
        if certificate is None
        else validity(f"The TLS certificate of {host}:{port}", certificate, patient.clock.now())
    )
    return [ends or Finding(Condition.HOST_REACHED, f"{host}:{port} is reached{', by TLS' * encrypted}.")]


async def _connect(host: str, port: int, context: ssl.SSLContext | None) -> x509.Certificate | None:
    """Connect and part again; returns the server's certificate, if it showed one."""
    _, writer = await asyncio.open_connection(host, port, ssl=context)
    try:
        shown = writer.get_extra_info("ssl_object")
        data = None if shown is None else shown.getpeercert(binary_form=True)
        return None if data is None else x509.load_der_x509_certificate(data)
    finally:
        writer.transport.abort()
