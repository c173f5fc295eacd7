"""Sealing and opening: what the rest of the house calls."""

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from cryptography import x509

from fiksmelding.envelope.asice import EnvelopeFile, verify_container, write_container
from fiksmelding.envelope.cms import CHUNK, open_cms
from fiksmelding.envelope.encrypting import EncryptingWriter
from fiksmelding.envelope.keys import DecryptionKey
from fiksmelding.envelope.limits import Limits
from fiksmelding.envelope.signature import Signer
from fiksmelding.envelope.trust import SignerInfo, Trust
from fiksmelding.envelope.zip_reader import RandomAccess, looks_like_zip

__all__ = ["OpenedEnvelope", "decrypt", "encrypt", "open_container", "open_envelope", "seal"]


@dataclass(frozen=True, slots=True)
class OpenedEnvelope:
    """An envelope whose digests and signature were found right.

    Attributes:
        files: Exactly the files that the signature covers, by name.
        signer: Who signed, and what is known about that.
    """

    files: Mapping[str, EnvelopeFile]
    signer: SignerInfo


def seal(
    files: Mapping[str, bytes | BinaryIO],
    *,
    signer: Signer,
    recipient: x509.Certificate,
    out: BinaryIO,
    signed_at: datetime | None = None,
) -> None:
    """Sign files, pack them in an ASiC-E container and encrypt it, in one pass (contract section 8).

    Args:
        files: Name and content of each file; a stream is read once, from where it stands.
        signer: Who signs.
        recipient: Whose private key shall open it.
        out: Gets the envelope; need not be seekable, and is left open.
        signed_at: Time to state in the signature and the zip, aware; none is stated when absent.

    Raises:
        ContainerInvalid: A file's name is not one that a careful reader accepts.
        EnvelopeError: The recipient's certificate holds no RSA key.
    """
    with EncryptingWriter(out, recipient) as sink:
        write_container(files, signer=signer, out=sink, signed_at=signed_at)


def encrypt(source: BinaryIO, *, recipient: x509.Certificate, out: BinaryIO) -> None:
    """Encrypt as CMS EnvelopedData, without a container: so the print copy travels (contract section 10).

    Args:
        source: Read to its end.
        recipient: Whose private key shall open it.
        out: Gets the envelope; left open.

    Raises:
        EnvelopeError: The recipient's certificate holds no RSA key.
    """
    with EncryptingWriter(out, recipient) as sink:
        while data := source.read(CHUNK):
            sink.write(data)


def decrypt(
    source: BinaryIO, *, keys: Sequence[DecryptionKey], allow_pkcs1: bool = True, limits: Limits | None = None
) -> BinaryIO:
    """Open CMS EnvelopedData or AuthEnvelopedData, whatever it holds.

    EnvelopedData protects no integrity: what comes out is whatever someone encrypted, or altered.

    Args:
        source: Seekable, standing at the envelope's first byte; not to be changed while the result is read.
        keys: Private keys to try.
        allow_pkcs1: Whether a content key padded with PKCS#1 v1.5 is acceptable.
        limits: What the envelope may ask of us.

    Returns:
        A seekable reader that decrypts as it is read.

    Raises:
        DecryptionFailed: No key opens it.
        EnvelopeError: It is no such envelope.
    """
    reader = open_cms(source, keys=keys, limits=limits or Limits(), allow_pkcs1=allow_pkcs1)
    return io.BufferedReader(reader, CHUNK)


@contextmanager
def open_envelope(
    source: BinaryIO,
    *,
    keys: Sequence[DecryptionKey],
    trust: Trust | None = None,
    received_at: datetime | None = None,
    limits: Limits | None = None,
) -> Iterator[OpenedEnvelope]:
    """Decrypt and verify an envelope. Nothing of it is written anywhere, and memory does not grow with its size.

    All digests and the signature have been verified when the context is entered.

    Args:
        source: Seekable, standing at the envelope's first byte; not to be changed or closed within the context.
        keys: Private keys to try.
        trust: Whom to believe; `Trust()` hands on whoever signed, with a verdict.
        received_at: When the envelope was received, aware; the signer's validity is judged at that time.
        limits: What the envelope may ask of us.

    Raises:
        DecryptionFailed: No key opens it, or what comes out is no container.
        ContainerInvalid: The container is malformed, incomplete or hostile.
        SignatureInvalid: A digest or the signature is not right, or the policy refuses the signer.
        EnvelopeError: It is no CMS envelope.
    """
    trust, limits = trust or Trust(), limits or Limits()
    reader = open_cms(source, keys=keys, limits=limits, allow_pkcs1=trust.allow_pkcs1, is_plausible=looks_like_zip)
    yield _verify(reader, trust, received_at, limits)


@contextmanager
def open_container(
    source: BinaryIO, *, trust: Trust | None = None, received_at: datetime | None = None, limits: Limits | None = None
) -> Iterator[OpenedEnvelope]:
    """Verify a bare container, as it is inside an envelope. Arguments and errors as in `open_envelope`."""
    yield _verify(_PlainSource(source), trust or Trust(), received_at, limits or Limits())


def _verify(source: RandomAccess, trust: Trust, received_at: datetime | None, limits: Limits) -> OpenedEnvelope:
    container = verify_container(source, limits=limits, sha1=trust.sha1)
    return OpenedEnvelope(container.files, trust.judge(container.signature, received_at))


class _PlainSource:
    """A seekable source, as the zip reader wants it."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._start = source.tell()
        self.size = source.seek(0, io.SEEK_END) - self._start

    def read_at(self, offset: int, size: int) -> bytes:
        self._source.seek(self._start + offset)
        return self._source.read(size)
