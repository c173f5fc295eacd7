"""The broker's TLS."""

import ssl
import tempfile
from pathlib import Path

from fiksmelding.simulator.files import write_private
from fiksmelding.simulator.pki import Credential

__all__ = ["server_context"]


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
