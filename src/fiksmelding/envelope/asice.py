"""The ASiC-E container (ETSI EN 319 162-1, TS 102 918): written in one pass, verified before anything is handed on."""

import hashlib
import hmac
import io
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import BinaryIO, Literal

from fiksmelding.envelope import signature
from fiksmelding.envelope.limits import Limits
from fiksmelding.envelope.manifest import Manifest, Reference, parse_manifest, write_manifest
from fiksmelding.envelope.names import is_safe_name
from fiksmelding.envelope.problems import ContainerProblem, ContainerRefused
from fiksmelding.envelope.signature import Signer, VerifiedSignature
from fiksmelding.envelope.xades import verify_xades
from fiksmelding.envelope.zip_reader import RandomAccess, ZipEntry, ZipReader
from fiksmelding.envelope.zip_writer import Sink, ZipWriter
from fiksmelding.errors import SignatureInvalid

__all__ = ["Container", "EnvelopeFile", "verify_container", "write_container"]

MIME_TYPE = b"application/vnd.etsi.asic-e+zip"
META = "META-INF/"
FOLDED_META = META.casefold()
MANIFEST = META + "asicmanifest.xml"
MANIFEST_NAME = re.compile(r"meta-inf/asicmanifest[^/]*\.xml", re.IGNORECASE)
XADES_NAME = re.compile(r"meta-inf/[^/]*signatures[^/]*\.xml", re.IGNORECASE)

KEPT = 256 * 1024
"""Bytes of a file up to which its verified content is kept in memory, so that it need not be decrypted again."""

KEPT_IN_ALL = 1024 * 1024

Sha1 = Literal["refuse", "signature", "accept"]
"""Where SHA-1 is acceptable; see `Trust.sha1`."""


def write_container(
    files: Mapping[str, bytes | BinaryIO], *, signer: Signer, out: Sink, signed_at: datetime | None = None
) -> None:
    """Write a container in one pass (contract section 8).

    Raises:
        ContainerRefused: A file's name is not one that a careful reader accepts.
    """
    for name in files:
        if not is_safe_name(name) or name.endswith("/") or _is_meta(name) or name == "mimetype":
            raise ContainerRefused(ContainerProblem.BAD_NAME, "A file cannot be sealed under the name it has.")
    archive = ZipWriter(out, modified=signed_at)
    archive.store("mimetype", MIME_TYPE)
    digests = [(name, _add(archive, name, content)) for name, content in files.items()]
    signature_name = f"{META}signature-{uuid.uuid4()}.p7s"
    manifest = write_manifest(signature_name, digests)
    archive.deflate(MANIFEST, manifest)
    archive.deflate(signature_name, signature.sign(manifest, signer, signed_at=signed_at))
    archive.finish(b"mimetype=" + MIME_TYPE)


def _is_meta(name: str) -> bool:
    return name[: len(META)].casefold() == FOLDED_META


def _add(archive: ZipWriter, name: str, content: bytes | BinaryIO) -> bytes:
    """Write one file; returns its SHA-256."""
    source = io.BytesIO(content) if isinstance(content, bytes) else content
    first, second = source.read(KEPT), source.read(KEPT)
    if not second:
        archive.deflate(name, first)
        return hashlib.sha256(first).digest()
    digest = hashlib.sha256()
    archive.stream(name, first, chain((second,), iter(lambda: source.read(KEPT), b"")), digest.update)
    return digest.digest()


@dataclass(frozen=True, slots=True)
class Container:
    """A container whose digests and signature are right.

    Attributes:
        files: Exactly the files that the signature covers.
        signature: The signature.
    """

    files: Mapping[str, "EnvelopeFile"]
    signature: VerifiedSignature


@dataclass(frozen=True, slots=True)
class EnvelopeFile:
    """A file whose digest was found right.

    Attributes:
        name: Its name; safe to join to a folder's path.
        size: Bytes.
    """

    name: str
    size: int
    # Out of the representation: it may be a report's words.
    _content: bytes | Callable[[], Iterator[bytes]] = field(repr=False)

    def open(self) -> BinaryIO:
        """A reader of its content, from the beginning, while the envelope is open."""
        if isinstance(self._content, bytes):
            return io.BytesIO(self._content)
        return io.BufferedReader(_PartsReader(self._content()))

    def read(self) -> bytes:
        """Its whole content."""
        return self._content if isinstance(self._content, bytes) else b"".join(self._content())


class _PartsReader(io.RawIOBase):
    def __init__(self, parts: Iterator[bytes]) -> None:
        super().__init__()
        self._parts = parts
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed: any buffer
        if not self._left:
            self._left = memoryview(next(self._parts, b""))
        part = self._left[: len(buffer)]
        buffer[: len(part)] = part
        self._left = self._left[len(part) :]
        return len(part)


def verify_container(source: RandomAccess, *, limits: Limits, sha1: Sha1) -> Container:
    """Verify a container whole: structure, signature, digests.

    Raises:
        ContainerRefused: It is malformed, incomplete or hostile.
        SignatureInvalid: A digest or the signature is not right.
    """
    archive = ZipReader(source, limits)
    meta = [entry for name, entry in archive.entries.items() if _is_meta(name)]
    manifests = [entry for entry in meta if MANIFEST_NAME.fullmatch(entry.name)]
    signatures = [entry for entry in meta if XADES_NAME.fullmatch(entry.name)]
    if len(manifests) + len(signatures) > 1:
        raise ContainerRefused(ContainerProblem.TOO_MANY_MANIFESTS, "The container has more than one manifest.")
    if manifests:
        return _verify_cades(archive, manifests[0], limits, sha1)
    if signatures:
        return _verify_xades(archive, signatures[0], limits, sha1)
    raise ContainerRefused(ContainerProblem.NO_MANIFEST, "The container has no manifest: nothing in it is signed.")


def _verify_cades(archive: ZipReader, found: ZipEntry, limits: Limits, sha1: Sha1) -> Container:
    manifest_data = archive.read(found, limit=limits.manifest)
    manifest = parse_manifest(manifest_data)
    entry = archive.entries.get(manifest.signature)
    if entry is None or not _is_meta(entry.name):
        raise ContainerRefused(ContainerProblem.NO_SIGNATURE, "The container lacks the signature its manifest names.")
    p7s = archive.read(entry, limit=limits.signature)
    verified = signature.verify(p7s, manifest_data, allow_sha1=sha1 != "refuse")
    files: dict[str, EnvelopeFile] = {}
    room = KEPT_IN_ALL
    for covered, reference in _covered(archive, manifest):
        keep = covered.size <= min(KEPT, room)
        room -= covered.size if keep else 0
        files[covered.name] = _verified_file(archive, covered, reference, keep=keep, allow_sha1=sha1 == "accept")
    return Container(files, verified)


def _verify_xades(archive: ZipReader, found: ZipEntry, limits: Limits, sha1: Sha1) -> Container:
    covered: set[str] = set()

    def resolve(names: tuple[str, ...]) -> Callable[[], Iterator[bytes]]:
        entry = next((archive.entries[name] for name in names if name in archive.entries), None)
        if entry is None:
            raise ContainerRefused(ContainerProblem.ABSENT_FILE, "The signature names a file that the container lacks.")
        covered.add(entry.name)
        return lambda: archive.parts(entry)

    data = archive.read(found, limit=limits.manifest)
    verified = verify_xades(data, resolve, sha1_signature=sha1 != "refuse", sha1_digests=sha1 == "accept")
    files = _data_entries(archive)
    if not covered.issuperset(files):
        raise ContainerRefused(ContainerProblem.UNSIGNED_FILE, "The container has a file its signature does not name.")
    return Container({name: _streamed_file(archive, entry) for name, entry in files.items()}, verified)


def _streamed_file(archive: ZipReader, entry: ZipEntry) -> EnvelopeFile:
    return EnvelopeFile(entry.name, entry.size, lambda: archive.parts(entry))


def _data_entries(archive: ZipReader) -> dict[str, ZipEntry]:
    """What has to be signed for."""
    return {name: entry for name, entry in archive.entries.items() if name != "mimetype" and not _is_meta(name)}


def _covered(archive: ZipReader, manifest: Manifest) -> list[tuple[ZipEntry, Reference]]:
    """Pair files and references: every file is covered, every reference has its file."""
    files = _data_entries(archive)
    covered: dict[str, tuple[ZipEntry, Reference]] = {}
    for reference in manifest.references:
        name = next((one for one in reference.names() if one in files), None)
        if name is None:
            if reference.uri == "mimetype":
                continue
            raise ContainerRefused(ContainerProblem.ABSENT_FILE, "The manifest names a file that the container lacks.")
        if name in covered:
            raise ContainerRefused(ContainerProblem.MALFORMED_MANIFEST, "The manifest names a file twice.")
        covered[name] = (files[name], reference)
    if len(covered) < len(files):
        raise ContainerRefused(ContainerProblem.UNSIGNED_FILE, "The container has a file its manifest does not name.")
    return [covered[name] for name in files]


def _verified_file(
    archive: ZipReader, entry: ZipEntry, reference: Reference, *, keep: bool, allow_sha1: bool
) -> EnvelopeFile:
    if reference.algorithm == "sha1" and not allow_sha1:
        raise SignatureInvalid("A digest in the manifest is SHA-1, which is not accepted here.")
    digest = hashlib.new(reference.algorithm)
    kept: list[bytes] = []
    for part in archive.parts(entry):
        digest.update(part)
        if keep:
            kept.append(part)
    if not hmac.compare_digest(digest.digest(), reference.digest):
        raise SignatureInvalid("A file is not the one that was signed: its digest differs.")
    return EnvelopeFile(entry.name, entry.size, b"".join(kept)) if keep else _streamed_file(archive, entry)
