"""A document on its way in, that may have to be asked for again: how far it has come, and whether it is the same."""

import hashlib
import re
from collections.abc import Mapping

from fiksmelding.errors import PlatformError, PlatformUnavailable

PARTIAL_CONTENT = 206
CONTENT_RANGE = re.compile(r"bytes (\d{1,15})-\d{1,15}/(\d{1,15})")


class DocumentTooLarge(PlatformError):
    """A document is larger than the limit. It will not become smaller: asking again is of no use."""


class DocumentChanged(PlatformUnavailable):
    """A document is not what it was at first: what has come of it is of no use."""


class PartialDocument:
    """What has come of a document.

    Args:
        path: Where it is.
        limit: The most that is accepted, in bytes.
    """

    def __init__(self, path: str, limit: int) -> None:
        self.path = path
        self.size = 0
        self.length: int | None = None
        self.complete = False
        self._limit = limit
        self._digest = hashlib.sha256()
        self._etag: str | None = None
        self._framed = False
        self._begun = False
        self._changed = False
        self._known = 0
        self._repeated = hashlib.sha256()

    @property
    def may_go_on(self) -> bool:
        """Whether asking for the rest makes sense: it is there, and has not proved to be another document."""
        return self._begun and not self._changed

    def wanted(self) -> dict[str, str]:
        """The request's headers: only the rest, provided it is still the same document (RFC 9110, 13.1.5).

        Without a strong validator nobody could tell whether the rest belongs to what came before; then all of it is
        asked for, and compared.
        """
        if not self.size or self._etag is None:
            return {}
        return {"Range": f"bytes={self.size}-", "If-Range": self._etag}

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """An answer has begun.

        Raises:
            DocumentTooLarge: It announces more than the limit.
            DocumentChanged: It is not the document that came before.
            PlatformUnavailable: It is not the part that was asked for.
        """
        self._begun = True
        self._repeated = hashlib.sha256()
        self._known = 0 if status == PARTIAL_CONTENT else self.size
        self._framed = headers.get("Transfer-Encoding", "").lower() == "chunked"
        length = self._part(headers) if status == PARTIAL_CONTENT else _whole(headers)
        if self.size and None not in {length, self.length} and length != self.length:
            raise self._another()
        self.length = self.length if length is None else length
        self._etag = _strong_etag(headers)
        self._check_limit(length or 0)

    def take(self, piece: bytes) -> bytes:
        """Take what came; returns what of it is new.

        Raises:
            DocumentTooLarge: It has become more than the limit.
            DocumentChanged: It does not begin as it did before.
        """
        known, fresh = piece[: self._known], piece[self._known :]
        if known:
            self._known -= len(known)
            self._repeated.update(known)
            if not self._known and self._repeated.digest() != self._digest.digest():
                raise self._another()
        self._check_limit(self.size + len(fresh))
        self.size += len(fresh)
        self._digest.update(fresh)
        return fresh

    def end(self, length: int | None) -> None:
        """An answer has ended by itself.

        Args:
            length: What the document's length is by its metadata, when the answer did not announce one.

        Raises:
            PlatformUnavailable: That was not all, or nothing tells whether it was.
        """
        expected = self.length if length is None else length
        if self._known or (expected is not None and self.size != expected):
            raise PlatformUnavailable(f"{self.path} broke off: {self.size} of {expected} bytes came.", path=self.path)
        if expected is None and not self._framed:
            raise PlatformUnavailable(f"Nothing tells whether {self.path} is complete.", path=self.path)
        self.complete = True

    def _part(self, headers: Mapping[str, str]) -> int:
        found = CONTENT_RANGE.fullmatch(headers.get("Content-Range", ""))
        if found is None or int(found[1]) != self.size:
            self._etag = None  # next time all of it
            raise PlatformUnavailable(f"{self.path}: another part came than was asked for.", path=self.path)
        if _strong_etag(headers) not in {None, self._etag}:
            raise self._another()
        return int(found[2])

    def _check_limit(self, size: int) -> None:
        if size > self._limit:
            raise DocumentTooLarge(
                f"The document at {self.path} is too large: {size} bytes, at most {self._limit}.", path=self.path
            )

    def _another(self) -> DocumentChanged:
        self._changed = True
        return DocumentChanged(f"{self.path} is not the document that it was at first.", path=self.path)


def _whole(headers: Mapping[str, str]) -> int | None:
    # A compressed answer announces its compressed length.
    length = headers.get("Content-Length", "") if "Content-Encoding" not in headers else ""
    return int(length) if length.isascii() and length.isdigit() else None


def _strong_etag(headers: Mapping[str, str]) -> str | None:
    # A weak one (`W/"…"`) does not promise the same bytes.
    etag = headers.get("ETag", "")
    return etag if etag.startswith('"') and "Content-Encoding" not in headers else None
