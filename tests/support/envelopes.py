"""Short ways to seal and open in tests."""

import io
from collections.abc import Mapping
from datetime import UTC, datetime
from random import Random

from cryptography import x509

from fiksmelding.envelope import Signer, Trust, open_envelope, seal
from fiksmelding.simulator.pki import Credential

REPORT = {
    "bekymringsmelding.json": b'{"melding": "\xc3\xa6\xc3\xb8\xc3\xa5"}' * 40,
    "bekymringsmelding.pdf": bytes(range(256)) * 90,
}


def noise(size: int, seed: int = 0) -> bytes:
    """Bytes that no compression makes smaller, the same in every run."""
    return Random(seed).randbytes(size)  # a test's content, no secret


def signer(credential: Credential) -> Signer:
    """The signer with that credential."""
    return Signer(credential.key, credential.certificate, credential.chain)


def sealed(files: Mapping[str, bytes], sender: Credential, recipient: Credential) -> bytes:
    """An envelope around `files`."""
    out = io.BytesIO()
    seal(files, signer=signer(sender), recipient=recipient.certificate, out=out)
    return out.getvalue()


def opened(
    envelope: bytes, recipient: Credential, *, roots: tuple[x509.Certificate, ...] | None = None
) -> dict[str, bytes]:
    """The files of an envelope; with roots, only of one whose signer's chain ends in one of them."""
    trust = None if roots is None else Trust(roots=roots, policy="require_chain")
    with open_envelope(
        io.BytesIO(envelope), keys=[recipient.key], trust=trust, received_at=datetime.now(UTC)
    ) as content:
        return {name: file.read() for name, file in content.files.items()}
