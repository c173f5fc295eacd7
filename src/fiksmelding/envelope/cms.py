"""CMS EnvelopedData and AuthEnvelopedData (RFC 5652, RFC 5083), read in place.

CBC and counter mode let the reader decrypt from any block on, so a container can be read where it lies; no plaintext is
stored and memory does not depend on size.
"""

import io
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC, CTR, GCM

from fiksmelding.envelope import algorithms
from fiksmelding.envelope.algorithms import AlgorithmIdentifier, algorithm_of
from fiksmelding.envelope.ber import (
    CONSTRUCTED,
    END_OF_CONTENTS,
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    SET,
    BerError,
    Element,
    Header,
    read_element,
    read_exactly,
    read_header,
)
from fiksmelding.envelope.keys import DecryptionKey
from fiksmelding.envelope.limits import Limits
from fiksmelding.envelope.pieces import Pieces, find_pieces
from fiksmelding.envelope.recipients import (
    KeyTransport,
    candidate_keys,
    parse_recipients,
)
from fiksmelding.errors import DecryptionFailed, EnvelopeError

__all__ = ["DecryptingReader", "open_cms"]

BLOCK = 16
CHUNK = 256 * 1024
"""Bytes decrypted at a time; a multiple of the block."""

CONTENT = 0xA0
ORIGINATOR = 0xA0
AUTHENTICATED_ATTRIBUTES = 0xA1
ENCRYPTED_CONTENT = 0x80

GCM_NONCE = 12
GCM_LEAST_TAG = 12
GCM_DEFAULT_TAG = 12


@dataclass(frozen=True, slots=True)
class _Envelope:
    """What an envelope says in the clear."""

    recipients: list[KeyTransport]
    algorithm: AlgorithmIdentifier
    pieces: Pieces
    authenticated: bool
    attributes: Element | None
    tag: bytes


def open_cms(
    source: BinaryIO,
    *,
    keys: Sequence[DecryptionKey],
    limits: Limits,
    allow_pkcs1: bool = True,
    is_plausible: Callable[["DecryptingReader"], bool] = lambda _: True,
) -> "DecryptingReader":
    """Find the content key of an envelope and return a reader of its content.

    Args:
        source: The envelope: seekable, standing at its first byte; not to be changed while the reader is used.
        keys: Private keys to try, each on each recipient.
        limits: What the envelope may ask of us.
        allow_pkcs1: Whether a content key padded with PKCS#1 v1.5 is acceptable.
        is_plausible: Whether the content looks as it should. Where it does not, the content key was wrong or the
            ciphertext altered, which is a failed decryption like any other.

    Raises:
        EnvelopeError: It is no such envelope, or uses an algorithm that we do not know.
        DecryptionFailed: No key opens it.
    """
    try:
        envelope = _parse(_at_hand(source), limits)
        open_content, key_size = _content_opener(envelope)
    except BerError as error:
        raise EnvelopeError(
            f"This is no CMS envelope that can be read: {error}.",
            advice="Keep it; ask the sender what was sent.",
        ) from error
    for content_key in candidate_keys(envelope.recipients, keys, size=key_size, allow_pkcs1=allow_pkcs1):
        reader = open_content(content_key)
        if reader is not None and is_plausible(reader):
            return reader
    raise DecryptionFailed


def _at_hand(source: BinaryIO) -> BinaryIO:
    """A source that is no longer than a chunk, in memory: a report is read in one go."""
    start = source.tell()
    size = source.seek(0, io.SEEK_END) - start
    source.seek(start)
    return io.BytesIO(read_exactly(source, size)) if 0 <= size <= CHUNK else source


def _parse(source: BinaryIO, limits: Limits) -> _Envelope:
    def element(*tags: int) -> Element:
        one = read_element(source, limit=limits.cms_header)
        if one.tag not in tags:
            raise BerError("an unexpected element")
        return one

    _enter(source, SEQUENCE)
    kind = element(OBJECT_IDENTIFIER).oid()
    if kind not in {algorithms.ENVELOPED_DATA, algorithms.AUTH_ENVELOPED_DATA}:
        raise BerError("it holds no enveloped data")
    _enter(source, CONTENT)
    _enter(source, SEQUENCE)
    element(INTEGER)
    recipients = element(ORIGINATOR, SET)
    if recipients.tag == ORIGINATOR:
        recipients = element(SET)
    content_info = _enter(source, SEQUENCE)
    element(OBJECT_IDENTIFIER)
    algorithm = algorithm_of(element(SEQUENCE))
    content = _enter(source, ENCRYPTED_CONTENT, ENCRYPTED_CONTENT | CONSTRUCTED)
    pieces = find_pieces(source, content, max_runs=limits.irregular_pieces)
    attributes, tag = None, b""
    if kind == algorithms.AUTH_ENVELOPED_DATA:
        if content_info.length is None and source.read(2) != END_OF_CONTENTS:
            raise BerError("the content does not end where it should")
        mac = element(AUTHENTICATED_ATTRIBUTES, OCTET_STRING)
        if mac.tag == AUTHENTICATED_ATTRIBUTES:
            attributes, mac = mac, element(OCTET_STRING)
        tag = mac.octets()
    return _Envelope(
        parse_recipients(recipients, limit=limits.recipients),
        algorithm,
        pieces,
        kind == algorithms.AUTH_ENVELOPED_DATA,
        attributes,
        tag,
    )


def _enter(source: BinaryIO, *tags: int) -> Header:
    header = read_header(source)
    if header.tag not in tags:
        raise BerError("an unexpected element")
    return header


ContentOpener = Callable[[bytes], "DecryptingReader | None"]


def _content_opener(envelope: _Envelope) -> tuple[ContentOpener, int]:
    """How to decrypt the content once there is a key, and of what size that key is."""
    oid, parameters = envelope.algorithm.oid, envelope.algorithm.parameters
    if parameters is None:
        raise BerError("a content encryption algorithm without its parameters")
    if envelope.authenticated and oid in algorithms.GCM_KEY_SIZES:
        return _gcm_opener(envelope, parameters), algorithms.GCM_KEY_SIZES[oid]
    if not envelope.authenticated and oid in algorithms.CBC_KEY_SIZES:
        if parameters.tag != OCTET_STRING or len(parameters.content) != BLOCK:
            raise BerError("the initialisation vector is expected")
        iv = parameters.content
        return lambda key: _open_cbc(envelope.pieces, key, iv), algorithms.CBC_KEY_SIZES[oid]
    raise BerError("an unknown content encryption algorithm")


def _open_cbc(pieces: Pieces, key: bytes, iv: bytes) -> "DecryptingReader | None":
    if pieces.size == 0 or pieces.size % BLOCK:
        return None
    content = _CbcContent(pieces, key, iv)
    # The reader begins with the chunk that holds the padding: the zip's directory is in it, often all of the zip.
    last_at = (pieces.size - 1) // CHUNK * CHUNK
    last = content.decrypt(last_at, CHUNK)
    padding = last[-1]
    if not 1 <= padding <= BLOCK or not last.endswith(bytes((padding,)) * padding):
        return None
    return DecryptingReader(content, pieces.size - padding, loaded=(last_at, last[:-padding]))


def _gcm_opener(envelope: _Envelope, parameters: Element) -> ContentOpener:
    children = parameters.children()
    nonce = children.take(OCTET_STRING).content
    length = children.optional(INTEGER)
    expected = GCM_DEFAULT_TAG if length is None else length.integer()
    # RFC 5084 recommends a nonce of 12 bytes; with any other the counter may wrap differently from CTR mode's.
    if len(nonce) != GCM_NONCE or not GCM_LEAST_TAG <= expected <= BLOCK or len(envelope.tag) != expected:
        raise BerError("strange AES-GCM parameters")
    # The attributes are authenticated as a SET OF, not with the implicit tag they carry (RFC 5083, 2.2).
    attributes = bytes((SET,)) + envelope.attributes.raw[1:] if envelope.attributes else b""

    def open_content(key: bytes) -> "DecryptingReader | None":
        decryptor = Cipher(AES(key), GCM(nonce, envelope.tag, min_tag_length=GCM_LEAST_TAG)).decryptor()
        decryptor.authenticate_additional_data(attributes)
        for offset in range(0, envelope.pieces.size, CHUNK):
            decryptor.update(envelope.pieces.read(offset, CHUNK))
        try:
            decryptor.finalize()
        except InvalidTag:
            return None
        return DecryptingReader(_GcmContent(envelope.pieces, key, nonce), envelope.pieces.size)

    return open_content


class _CbcContent:
    """Decrypts any run of blocks: all that CBC needs is the ciphertext block before it."""

    def __init__(self, pieces: Pieces, key: bytes, iv: bytes) -> None:
        self._pieces = pieces
        self._key = AES(key)
        self._iv = iv

    def decrypt(self, offset: int, size: int) -> bytes:
        if offset == 0:
            return Cipher(self._key, CBC(self._iv)).decryptor().update(self._pieces.read(0, size))
        data = memoryview(self._pieces.read(offset - BLOCK, size + BLOCK))
        return Cipher(self._key, CBC(bytes(data[:BLOCK]))).decryptor().update(data[BLOCK:])


class _GcmContent:
    """Decrypts any run of blocks of a ciphertext whose tag was found good: GCM is counter mode from 2 on."""

    def __init__(self, pieces: Pieces, key: bytes, nonce: bytes) -> None:
        self._pieces = pieces
        self._key = AES(key)
        self._nonce = nonce

    def decrypt(self, offset: int, size: int) -> bytes:
        counter = self._nonce + (2 + offset // BLOCK).to_bytes(BLOCK - GCM_NONCE, "big")
        return Cipher(self._key, CTR(counter)).decryptor().update(self._pieces.read(offset, size))


class DecryptingReader(io.RawIOBase):
    """The content of an envelope: read-only, seekable, decrypted as it is asked for.

    Attributes:
        size: Bytes of content.
    """

    def __init__(
        self, content: "_CbcContent | _GcmContent", size: int, *, loaded: tuple[int, bytes] = (-1, b"")
    ) -> None:
        super().__init__()
        self.size = size
        self._content = content
        self._position = 0
        # Offset and content of the last chunk; replaced together, so that no thread sees half of a change.
        self._loaded = loaded
        self._lock = threading.Lock()

    def read_at(self, offset: int, size: int) -> bytes:
        """Read `size` bytes from `offset`, less only at the end. May be called from several threads.

        Raises:
            EnvelopeError: The source has become shorter since it was opened.
        """
        chunk_at, chunk = self._loaded
        start = offset - chunk_at
        if start >= 0 and start + size <= len(chunk):
            return chunk[start : start + size]
        end = min(offset + size, self.size)
        parts = []
        with self._lock:
            while offset < end:
                start = offset % CHUNK
                part = self._load(offset - start)[start : start + end - offset]
                parts.append(part)
                offset += len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _load(self, chunk_at: int) -> bytes:
        loaded_at, chunk = self._loaded
        if chunk_at != loaded_at:
            try:
                chunk = self._content.decrypt(chunk_at, CHUNK)[: self.size - chunk_at]
            except BerError as error:
                raise EnvelopeError(f"The envelope changed while it was read: {error}.") from error
            self._loaded = chunk_at, chunk
        return chunk

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position, in bytes of content."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise ValueError("A position before the beginning.")
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """The position, in bytes of content."""
        return self._position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # typeshed: any buffer
        """Read into `buffer`; less than its size at the end of a chunk."""
        data = self.read_at(self._position, min(len(buffer), CHUNK - self._position % CHUNK))
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
