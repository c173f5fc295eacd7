"""Whom we believe we are talking to: one way to make a TLS context, for every server that we call."""

import ipaddress
import ssl
from pathlib import Path

from fiksmelding.errors import SettingsError


def client_context(ca_file: Path | None) -> ssl.SSLContext:
    """Make a context that verifies the server's certificate and host name. Reads files: call it in a thread.

    Args:
        ca_file: Certificates (PEM) the server's must chain to; the system's own when None.

    Raises:
        SettingsError: `ca_file` cannot be read, or holds no certificate.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except ssl.SSLError as error:
        raise SettingsError(f"{ca_file} holds no certificates in PEM format.") from error
    except OSError as error:
        raise SettingsError(f"{ca_file} cannot be read: {error.strerror}.") from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def is_this_machine(host: str) -> bool:
    """Whether `host` (a name or an IP address) can only mean the machine that we run on."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
