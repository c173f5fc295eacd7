"""The ciphertext of a CMS envelope as one addressable string, wherever its pieces stand in the source.

Streaming writers cut the ciphertext in many primitive octet strings (BouncyCastle in pieces of 1 000 bytes) within a
constructed one, perhaps nested. The pieces are found once; from then on any part is read in place. Neighbouring pieces
of one size are kept as one run, so 5 GB from a regular writer costs a few entries.
"""

from array import array
from bisect import bisect_right
from typing import BinaryIO

from fiksmelding.envelope.ber import CONSTRUCTED, END_OF_CONTENTS, OCTET_STRING, BerError, Header, read_header

__all__ = ["Pieces"]

MAX_DEPTH = 16
SCAN_WINDOW = 1024 * 1024
STEPS_A_RUN = 4


class Pieces:
    """Where each piece of the ciphertext is.

    Attributes:
        size: Bytes of ciphertext in all.
    """

    def __init__(self, source: BinaryIO, *, max_runs: int) -> None:
        self.size = 0
        self._source = source
        self._max_runs = max_runs
        # One column each, 40 bytes a run: a list of objects would cost ten times as much.
        self._first_byte = array("Q")  # offset in the ciphertext
        self._position = array("Q")  # offset in the source, of the first piece's header
        self._header_size = array("Q")
        self._piece_size = array("Q")
        self._count = array("Q")

    def add(self, position: int, header_size: int, piece_size: int, count: int = 1) -> None:
        """Note `count` pieces of one size, the first one's header at `position` in the source.

        Raises:
            BerError: There are too many changes of size.
        """
        if piece_size == 0:
            return
        self.size += piece_size * count
        if self._count and header_size == self._header_size[-1] and piece_size == self._piece_size[-1]:
            end = self._position[-1] + self._count[-1] * (header_size + piece_size)
            if end == position:
                self._count[-1] += count
                return
        if len(self._count) == self._max_runs:
            raise BerError("the ciphertext is cut in too many irregular pieces")
        self._first_byte.append(self.size - piece_size * count)
        self._position.append(position)
        self._header_size.append(header_size)
        self._piece_size.append(piece_size)
        self._count.append(count)

    def read(self, offset: int, size: int) -> bytes:
        """Read `size` bytes of ciphertext from `offset`; less only at the end.

        Raises:
            BerError: The source has become shorter since the pieces were found.
        """
        size = min(size, self.size - offset)
        parts: list[bytes] = []
        run = bisect_right(self._first_byte, offset) - 1
        while size > 0:
            data = self._read_run(run, offset, size)
            parts.append(data)
            offset += len(data)
            size -= len(data)
            run += 1
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _read_run(self, run: int, offset: int, size: int) -> bytes:
        """Read from one run, up to its end."""
        header, piece = self._header_size[run], self._piece_size[run]
        within = offset - self._first_byte[run]
        size = min(size, piece * self._count[run] - within)
        first, skip = divmod(within, piece)
        last = (within + size - 1) // piece
        stride = header + piece
        start = self._position[run] + first * stride + header + skip
        span = size + (last - first) * header
        self._source.seek(start)
        data = _read_fully(self._source, span)
        if len(data) != span:
            raise BerError("the source has become shorter")
        if first == last:
            return data
        view = memoryview(data)
        head = view[: piece - skip]
        return b"".join([head, *(view[at : at + piece] for at in range(stride - skip, span, stride))])


def _read_fully(source: BinaryIO, size: int) -> bytes:
    data = source.read(size)
    while len(data) < size:
        more = source.read(size - len(data))
        if not more:
            break
        data += more
    return data


def find_pieces(source: BinaryIO, header: Header, *, max_runs: int) -> Pieces:
    """Find the pieces of the ciphertext whose header was just read; the source then stands behind it.

    Args:
        source: Seekable, standing at the first byte of content.
        header: The header of the `encryptedContent` [0], primitive or constructed.
        max_runs: How many changes of piece size to bear.

    Raises:
        BerError: The structure is malformed, or the source ends within it.
    """
    pieces = Pieces(source, max_runs=max_runs)
    position = source.tell()
    end = source.seek(0, 2)
    if header.tag & CONSTRUCTED:
        position = _Walk(source, pieces, end, max_steps=STEPS_A_RUN * max_runs).walk(position, header.length)
    else:
        length = header.length or 0
        pieces.add(position - len(header.raw), len(header.raw), length)
        position += length
        if position > end:
            raise BerError("the data end too early")
    source.seek(position)
    return pieces


class _Walk:
    """One walk over the headers of a constructed octet string."""

    def __init__(self, source: BinaryIO, pieces: Pieces, source_end: int, *, max_steps: int) -> None:
        self._source = source
        self._pieces = pieces
        self._source_end = source_end
        self._max_steps = max_steps
        # Where each open element ends, outermost first; None where only end-of-contents octets tell.
        self._ends: list[int | None] = []

    def walk(self, position: int, length: int | None) -> int:
        """Note all pieces; returns where the octet string ends."""
        self._open(position, length)
        steps = 0
        while self._ends:
            # Empty pieces and strings within strings cost no memory, but time.
            steps += 1
            if steps > self._max_steps:
                raise BerError("the ciphertext is cut in too many irregular pieces")
            if self._ends[-1] == position:
                self._ends.pop()
                continue
            self._source.seek(position)
            header = read_header(self._source)
            position += len(header.raw)
            if header.raw == END_OF_CONTENTS and self._ends[-1] is None:
                self._ends.pop()
            elif header.tag == OCTET_STRING | CONSTRUCTED:
                self._open(position, header.length)
            elif header.tag == OCTET_STRING:
                position = self._piece(position, header)
            else:
                raise BerError("an octet string holds something else")
        return position

    def _bound(self) -> int:
        """Where the innermost element with a known end ends: nothing in it may go beyond."""
        return next((end for end in reversed(self._ends) if end is not None), self._source_end)

    def _open(self, position: int, length: int | None) -> None:
        if len(self._ends) == MAX_DEPTH:
            raise BerError("octet strings are nested too deeply")
        if position + (length or 0) > self._bound():
            raise BerError("an element goes beyond the one around it")
        self._ends.append(None if length is None else position + length)

    def _piece(self, position: int, header: Header) -> int:
        """Note the piece whose content starts at `position` and those like it that follow; returns their end."""
        length = header.length or 0
        bound = self._bound()
        if position + length > bound:
            raise BerError("an element goes beyond the one around it")
        start = position - len(header.raw)
        self._pieces.add(start, len(header.raw), length)
        position += length
        if length == 0:
            return position
        return self._regular(position, header.raw, length, bound)

    def _regular(self, position: int, header: bytes, length: int, bound: int) -> int:
        """Note the pieces from `position` on that carry the same header: columns are compared, not pieces read."""
        stride = len(header) + length
        # Begins with few, so that pieces that keep changing size do not make each of them cost a whole window.
        tried = 1
        while True:
            room = min(tried, SCAN_WINDOW // stride, (bound - position) // stride)
            if room < 1:
                return position
            self._source.seek(position)
            window = _read_fully(self._source, room * stride)
            count = min(_same(window[column::stride], octet) for column, octet in enumerate(header))
            if count:
                self._pieces.add(position, len(header), length, count)
                position += count * stride
            if count < room:
                return position
            tried *= 4


def _same(column: bytes, octet: int) -> int:
    """How many bytes at the beginning of `column` equal `octet`."""
    return len(column) - len(column.lstrip(bytes((octet,))))
