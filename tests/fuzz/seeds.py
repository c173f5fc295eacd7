"""What mutation starts from: envelopes and containers of every kind that we read, and what to do with a mutant."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from fiksmelding.envelope import Limits, Trust, decrypt, open_container, open_envelope
from fiksmelding.envelope.ber import decode
from fiksmelding.errors import EnvelopeError
from fiksmelding.simulator.pki import Authority, Credential
from support.cms_writer import ContentCipher, enveloped
from support.envelopes import noise, sealed
from support.xades_writer import signatures_xml, xades_container

FILES = {"a.json": b'{"melding": "a"}' * 9, "b.bin": noise(300)}
# Small, so that a mutant that claims gigabytes is caught by the limit and not by the fuzzer's patience.
LIMITS = Limits(total_size=64 * 1024 * 1024, central_directory=1024 * 1024)
NOW = datetime.now(UTC)


@dataclass(frozen=True)
class Subject:
    """Something to mutate.

    Attributes:
        name: What it is.
        data: As it was sealed.
        open: Opens a mutant; returns its files, or raises EnvelopeError.
    """

    name: str
    data: bytes
    open: Callable[[bytes], dict[str, bytes]]


@cache
def authority() -> Authority:
    """Who issued their certificates."""
    return Authority.new()


@cache
def keys() -> tuple[Credential, Credential]:
    """Sender and recipient."""
    return authority().business("974760673", "Avsender"), authority().business("964338531", "Mottaker")


@cache
def trust() -> Trust:
    """As much is judged as can be."""
    return Trust(sha1="accept", roots=(authority().root.certificate,))


@cache
def subjects() -> tuple[Subject, ...]:
    """Everything that is mutated."""
    sender, recipient = keys()
    definite = sealed(FILES, sender, recipient)
    container = decrypt(io.BytesIO(definite), keys=[recipient.key]).read()
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    indefinite = enveloped(container, [(recipient.certificate, oaep)], piece_size=64)
    authenticated = enveloped(container, [(recipient.certificate, oaep)], cipher=ContentCipher.AES_256_GCM)
    xades = signatures_xml(FILES, sender)
    with zipfile.ZipFile(io.BytesIO(container)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist() if name.startswith("META-INF/")}
    inner = [Subject(name, content, partial(_open_with, container, name)) for name, content in parts.items()]
    return (
        *inner,
        Subject("signatures.xml", xades, lambda mutant: open_bare(xades_container(FILES, mutant))),
        Subject("container", container, open_bare),
        Subject("definite envelope", definite, open_sealed),
        Subject("envelope in pieces", indefinite, open_sealed),
        Subject("authenticated envelope", authenticated, open_sealed),
    )


def _open_with(container: bytes, entry: str, mutant: bytes) -> dict[str, bytes]:
    return open_bare(replace_entry(container, entry, mutant))


def open_sealed(data: bytes) -> dict[str, bytes]:
    """Open as an envelope."""
    recipient = keys()[1]
    with open_envelope(
        io.BytesIO(data), keys=[recipient.key], trust=trust(), received_at=NOW, limits=LIMITS
    ) as content:
        return {name: file.read() for name, file in content.files.items()}


def open_bare(data: bytes) -> dict[str, bytes]:
    """Open as a bare container."""
    with open_container(io.BytesIO(data), trust=trust(), received_at=NOW, limits=LIMITS) as content:
        return {name: file.read() for name, file in content.files.items()}


def check(subject: Subject, mutant: bytes) -> None:
    """A mutant gives what was sealed, or an EnvelopeError; anything else is a finding."""
    try:
        files = subject.open(mutant)
    except EnvelopeError:
        return
    assert files == FILES, f"{subject.name}: other content came out of {mutant.hex()}"


def replace_entry(container: bytes, entry: str, content: bytes) -> bytes:
    """The container with one entry replaced, its zip in order."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(container)) as source, zipfile.ZipFile(out, "w") as target:
        for info in source.infolist():
            target.writestr(info.filename, content if info.filename == entry else source.read(info))
    return out.getvalue()


def parse_everything(data: bytes) -> None:
    """Give arbitrary bytes to every parser that a stranger can reach."""
    for opener in (open_sealed, open_bare):
        try:
            opener(data)
        except EnvelopeError:
            continue
        raise AssertionError(f"arbitrary bytes were opened: {data.hex()}")
    with_structure(data)


def with_structure(data: bytes) -> None:
    """The in-memory BER parser by itself: it may only say BerError, which is a ValueError."""
    try:
        element = decode(data)
        element.octets()
    except ValueError:
        return
