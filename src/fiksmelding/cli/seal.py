"""`fiksmelding seal`: files into a signed and encrypted envelope."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from fiksmelding.cli.progress import progress, watched
from fiksmelding.envelope import Signer, load_certificates, load_private_key, seal
from fiksmelding.errors import SettingsError


def seal_files(files: Sequence[Path], *, to: Path, sign_key: Path, sign_cert: Path, out: Path) -> None:
    """Seal files for the holder of a certificate.

    The envelope is written under another name first: `out` is whole or not there.

    Raises:
        SettingsError: Two files have the same name, or the signing key is not that of the certificate.
        EnvelopeError: The recipient's certificate or a file name cannot be used.
        OSError: Something cannot be read or written.
    """
    names = [file.name for file in files]
    if len(set(names)) != len(names):
        raise SettingsError("Two of the files have the same name: an envelope holds each name once.")
    certificate, *chain = load_certificates(sign_cert.read_bytes())
    key = load_private_key(sign_key.read_bytes())
    if key.public_key() != certificate.public_key():
        raise SettingsError(f"The key in {sign_key} is not the key of the certificate in {sign_cert}.")
    recipient = load_certificates(to.read_bytes())[0]
    partial = out.with_name(f".{out.name}.partial")
    try:
        with ExitStack() as stack:
            display = stack.enter_context(progress(sum(file.stat().st_size for file in files)))
            sources: dict[str, bytes | BinaryIO] = {
                file.name: watched(
                    display, stack.enter_context(file.open("rb")), size=file.stat().st_size, name=file.name
                )
                for file in files
            }
            target = stack.enter_context(partial.open("wb"))
            seal(sources, signer=Signer(key, certificate, tuple(chain)), recipient=recipient, out=target)
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
