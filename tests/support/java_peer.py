"""KS's own Java libraries, running beside the tests (interop/java)."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates

from fiksmelding.simulator.pki import Credential
from support.java_process import JavaProcess, build, java_command

PROJECT = Path(__file__).parents[2] / "interop" / "java"
MAIN = "no.fiksmelding.interop.Peer"
PASSWORD = "password"
ALIAS = "signer"


class JavaPeer:
    """Seals and opens on command.

    Args:
        process: The program, running.
        folder: Where it finds its keys and may put files.
        sender: Who signs what it seals.
        recipient: Whose envelopes it opens.
    """

    def __init__(self, process: JavaProcess, folder: Path, *, sender: Credential, recipient: Credential) -> None:
        self._process = process
        self._key_store = folder / "sender.p12"
        self._key = folder / "recipient.key"
        self._certificate = folder / "recipient.cer"
        chain = [sender.certificate, *sender.chain][1:]
        self._key_store.write_bytes(
            serialize_key_and_certificates(
                ALIAS.encode(), sender.key, sender.certificate, chain, BestAvailableEncryption(PASSWORD.encode())
            )
        )
        self._key.write_bytes(recipient.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))
        self._certificate.write_bytes(recipient.certificate.public_bytes(Encoding.DER))

    def seal(self, files: list[Path], out: Path) -> float:
        """Seal files; returns milliseconds."""
        return self._ask("seal", self._key_store, PASSWORD, ALIAS, self._certificate, out, *files)

    def open(self, envelope: Path, out: Path) -> float:
        """Verify an envelope and write its files as a plain zip; returns milliseconds."""
        return self._ask("open", self._key_store, PASSWORD, ALIAS, self._key, envelope, out)

    def read(self, envelope: Path) -> float:
        """Stream an envelope's files to nowhere; returns milliseconds."""
        return self._ask("read", self._key_store, PASSWORD, ALIAS, self._key, envelope)

    def encrypt(self, source: Path, out: Path) -> float:
        """Encrypt as CMS alone; returns milliseconds."""
        return self._ask("encrypt", self._certificate, source, out)

    def decrypt(self, source: Path, out: Path) -> float:
        """Decrypt CMS alone; returns milliseconds."""
        return self._ask("decrypt", self._key, source, out)

    def xades(self, files: list[Path], out: Path) -> float:
        """Write a bare container with a XAdES signature; returns milliseconds."""
        return self._ask("xades", self._key_store, PASSWORD, ALIAS, out, *files)

    def _ask(self, *words: str | Path) -> float:
        return float(self._process.ask(*words))


@contextmanager
def java_peer(folder: Path, *, sender: Credential, recipient: Credential) -> Iterator[JavaPeer]:
    """Build and start the Java side."""
    build(PROJECT)
    with JavaProcess(java_command(PROJECT, MAIN)) as process:
        yield JavaPeer(process, folder, sender=sender, recipient=recipient)
