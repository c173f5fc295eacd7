"""TLS: the embedded broker's, and the simulator's own way to a RabbitMQ."""

import ssl
import tempfile
from pathlib import Path

from fiksmelding.errors import SettingsError
from fiksmelding.simulator.files import write_private
from fiksmelding.simulator.pki import Credential

__all__ = ["client_context", "server_context"]


def server_context(credential: Credential) -> ssl.SSLContext:
    """A context that proves itself with a certificate."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The ssl module reads keys from files alone.
    with tempfile.TemporaryDirectory(prefix="fiksmelding-") as folder:
        path = Path(folder) / "server.pem"
        write_private(path, credential.key_pem + credential.certificate_pem)
        context.load_cert_chain(path)
    return context


def client_context(roots_pem: bytes, ca_file: Path | None) -> ssl.SSLContext:
    """A context that believes a server whose certificate chains to these roots, or to those in a file.

    Raises:
        SettingsError: The file cannot be read, or holds no certificates.
    """
    try:
        return ssl.create_default_context(cafile=ca_file, cadata=None if ca_file else roots_pem.decode())
    except OSError as error:
        raise SettingsError(f"{ca_file} cannot be used as root certificates of RabbitMQ.") from error
