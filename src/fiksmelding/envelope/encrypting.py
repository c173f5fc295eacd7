"""CMS EnvelopedData (RFC 5652) written as a stream."""

import secrets
from types import TracebackType
from typing import BinaryIO, Self

from cryptography import x509
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from fiksmelding.envelope import algorithms
from fiksmelding.envelope.ber import (
    CONSTRUCTED,
    END_OF_CONTENTS,
    INDEFINITE,
    OCTET_STRING,
    SEQUENCE,
    encode,
    encode_header,
    encode_integer,
    encode_oid,
    encode_sequence,
)
from fiksmelding.envelope.recipients import recipient_info, recipient_infos

__all__ = ["EncryptingWriter"]

BLOCK = 16
CONTENT = 0xA0
ENCRYPTED_CONTENT = 0x80

DEFINITE_UP_TO = 1024 * 1024
"""Bytes of content up to which we write DER: what is held in memory until its length is known."""

PIECE = 64 * 1024


class EncryptingWriter:
    """A sink that encrypts what is written into CMS EnvelopedData for one recipient (contract section 8).

    Content up to 1 MiB gives DER, which every reader takes; more gives BER with indefinite lengths and the ciphertext
    in pieces, as the Java client writes. Closing finishes the envelope and leaves `out` open.
    """

    def __init__(
        self,
        out: BinaryIO,
        recipient: x509.Certificate,
        *,
        definite_up_to: int = DEFINITE_UP_TO,
        piece_size: int = PIECE,
    ) -> None:
        content_key = secrets.token_bytes(32)
        iv = secrets.token_bytes(BLOCK)
        self._out = out
        self._encryptor = Cipher(AES(content_key), CBC(iv)).encryptor()
        self._recipients = recipient_infos([recipient_info(recipient, content_key)])
        self._content_info = encode_oid(algorithms.DATA) + encode_sequence(
            encode_oid(algorithms.AES_256_CBC), encode(OCTET_STRING, iv)
        )
        self._definite_up_to = definite_up_to
        self._piece_size = max(BLOCK, piece_size - piece_size % BLOCK)
        self._pending = bytearray()
        self._streaming = False
        self._written = 0

    def write(self, data: bytes | bytearray | memoryview) -> int:
        """Encrypt `data` and pass on what is ready."""
        self._pending += data
        self._written += len(data)
        if not self._streaming and len(self._pending) > self._definite_up_to:
            self._begin_streaming()
        if self._streaming and len(self._pending) >= self._piece_size:
            self._write_pieces()
        return len(data)

    def close(self) -> None:
        """Write what remains: without it the envelope is incomplete."""
        padding = BLOCK - self._written % BLOCK
        self._pending += bytes((padding,)) * padding
        last = self._encryptor.update(self._pending) + self._encryptor.finalize()
        self._pending.clear()
        if self._streaming:
            # Ends the ciphertext, EncryptedContentInfo, EnvelopedData, the explicit tag and ContentInfo.
            self._out.write(encode(OCTET_STRING, last) + 5 * END_OF_CONTENTS)
        else:
            self._out.write(self._definite(last))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()

    def _definite(self, ciphertext: bytes) -> bytes:
        content = encode_sequence(self._content_info, encode(ENCRYPTED_CONTENT, ciphertext))
        enveloped = encode_sequence(encode_integer(0), self._recipients, content)
        return encode_sequence(encode_oid(algorithms.ENVELOPED_DATA), encode(CONTENT, enveloped))

    def _begin_streaming(self) -> None:
        self._streaming = True
        sequence = bytes((SEQUENCE,)) + INDEFINITE
        self._out.write(
            b"".join(
                (
                    sequence,
                    encode_oid(algorithms.ENVELOPED_DATA),
                    bytes((CONTENT,)) + INDEFINITE,
                    sequence,
                    encode_integer(0),
                    self._recipients,
                    sequence,
                    self._content_info,
                    bytes((ENCRYPTED_CONTENT | CONSTRUCTED,)) + INDEFINITE,
                )
            )
        )

    def _write_pieces(self) -> None:
        whole = len(self._pending) - len(self._pending) % self._piece_size
        # The view must be gone before the buffer can shrink.
        with memoryview(self._pending) as view, view[:whole] as ready:
            ciphertext = memoryview(self._encryptor.update(ready))
        del self._pending[:whole]
        header = encode_header(OCTET_STRING, self._piece_size)
        for start in range(0, whole, self._piece_size):
            self._out.write(header)
            self._out.write(ciphertext[start : start + self._piece_size])
