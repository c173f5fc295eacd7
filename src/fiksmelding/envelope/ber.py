"""BER and DER: as much of ITU-T X.690 as CMS needs, in memory and out of a stream.

Reading takes BER (definite and indefinite lengths, constructed strings); writing gives DER. Tags above 30 do not occur
in CMS and are refused.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import BinaryIO, NamedTuple

__all__ = [
    "BerError",
    "Cursor",
    "Element",
    "Header",
    "decode",
    "encode",
    "encode_header",
    "encode_integer",
    "encode_oid",
    "encode_sequence",
    "encode_set",
    "read_element",
    "read_exactly",
    "read_header",
]

BOOLEAN = 0x01
INTEGER = 0x02
OCTET_STRING = 0x04
NULL = 0x05
OBJECT_IDENTIFIER = 0x06
SEQUENCE = 0x30
SET = 0x31
CONSTRUCTED = 0x20
END_OF_CONTENTS = b"\x00\x00"
INDEFINITE = b"\x80"

MAX_DEPTH = 32
"""Elements within elements; CMS with certificates needs about 15."""

MAX_LENGTH_OCTETS = 8


class BerError(ValueError):
    """The bytes are not the BER that was expected. Stays inside the room: callers turn it into an `EnvelopeError`."""


class Header(NamedTuple):
    """Identifier and length of an element.

    Attributes:
        tag: The identifier octet: class, constructed bit and number.
        length: Bytes of content, or None for an indefinite length.
        raw: The header as it was encoded.
    """

    tag: int
    length: int | None
    raw: bytes


def read_exactly(source: BinaryIO, size: int) -> bytes:
    """Read `size` bytes, or raise BerError if the stream ends before."""
    data = source.read(size)
    if len(data) == size:
        return data
    # A raw stream may give less than asked for without being at its end.
    parts = [data]
    missing = size - len(data)
    while missing and parts[-1]:
        parts.append(source.read(missing))
        missing -= len(parts[-1])
    if missing:
        raise BerError("the data end too early")
    return b"".join(parts)


def read_header(source: BinaryIO) -> Header:
    """Read identifier and length from a stream, and not a byte more.

    Raises:
        BerError: They are malformed, or the stream ends.
    """
    raw = read_exactly(source, 2)
    if raw[1] < 0x80 and raw[0] & 0x1F != 0x1F:
        return Header(raw[0], raw[1], raw)
    if raw[1] > 0x80:
        raw += read_exactly(source, _length_octets(raw[1]))
    tag, length, _ = _header_at(raw, 0)
    return Header(tag, length, raw)


def _length_octets(first: int) -> int:
    octets = first & 0x7F
    if octets > MAX_LENGTH_OCTETS:
        raise BerError("a length is too long")
    return octets


def read_element(source: BinaryIO, *, limit: int) -> "Element":
    """Read one whole element from a stream into memory.

    Args:
        source: The stream, standing at the element's first byte.
        limit: Largest encoding accepted, in bytes.

    Raises:
        BerError: It is malformed, larger than `limit`, or the stream ends.
    """
    header = read_header(source)
    parts: list[bytes] = []
    _collect(source, header, parts, limit, MAX_DEPTH)
    if header.length is not None:
        return Element(header.tag, parts[1], b"".join(parts))
    return decode(b"".join(parts))


def _collect(source: BinaryIO, header: Header, parts: list[bytes], room: int, depth: int) -> int:
    """Append the encoding of the element that `header` begins; returns how much room is left."""
    if depth == 0:
        raise BerError("elements are nested too deeply")
    parts.append(header.raw)
    room -= len(header.raw)
    if header.length is not None:
        if header.length > room:
            raise BerError("an element is too large")
        parts.append(read_exactly(source, header.length))
        return room - header.length
    while True:
        inner = read_header(source)
        if inner.raw == END_OF_CONTENTS:
            parts.append(END_OF_CONTENTS)
            return room - 2
        room = _collect(source, inner, parts, room, depth - 1)
        if room < 0:
            raise BerError("an element is too large")


class Element(NamedTuple):
    """One element in memory.

    Attributes:
        tag: The identifier octet.
        content: What is between the header and the end, without end-of-contents octets.
        raw: The whole encoding.
    """

    tag: int
    content: bytes
    raw: bytes

    def children(self) -> "Cursor":
        """The elements in this constructed one."""
        if not self.tag & CONSTRUCTED:
            raise BerError("a primitive element where a constructed one is expected")
        elements = []
        content, position, last = self.content, 0, len(self.content) - 1
        while position <= last:
            # Most elements are short: taking them here, without a call for each, halves the time an envelope costs.
            # (`Element(...)` would be such a call, too.)
            if position < last and content[position + 1] < 0x80 and content[position] & 0x1F != 0x1F:
                end = position + 2 + content[position + 1]
                if end > last + 1:
                    raise BerError("the data end too early")
                parts = (content[position], content[position + 2 : end], content[position:end])
                element = tuple.__new__(Element, parts)
            else:
                element, end = _decode_at(content, position, MAX_DEPTH)
            elements.append(element)
            position = end
        return Cursor(elements)

    def octets(self, depth: int = MAX_DEPTH) -> bytes:
        """The value of an octet string, primitive or constructed, whatever its tag."""
        if not self.tag & CONSTRUCTED:
            return self.content
        if depth == 0:
            raise BerError("elements are nested too deeply")
        pieces = self.children().rest()
        if any(piece.tag & ~CONSTRUCTED != OCTET_STRING for piece in pieces):
            raise BerError("an octet string holds something else")
        return b"".join(piece.octets(depth - 1) for piece in pieces)

    def integer(self) -> int:
        """The value of an INTEGER."""
        if self.tag != INTEGER or not self.content:
            raise BerError("an integer is expected")
        return int.from_bytes(self.content, "big", signed=True)

    def oid(self) -> str:
        """The value of an OBJECT IDENTIFIER, dotted."""
        if self.tag != OBJECT_IDENTIFIER or not self.content or self.content[-1] & 0x80 or len(self.content) > 64:
            raise BerError("an object identifier is expected")
        return _dotted(self.content)


@lru_cache(maxsize=256)
def _dotted(content: bytes) -> str:
    """The dotted form of an object identifier's content; the same few occur in every envelope."""
    numbers: list[int] = []
    value = 0
    for octet in content:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(str(number) for number in (first, numbers[0] - 40 * first, *numbers[1:]))


class Cursor:
    """Walks through the children of an element, one by one."""

    def __init__(self, elements: list[Element]) -> None:
        self._elements = elements
        self._next = 0

    def take(self, *tags: int) -> Element:
        """The next element, which must carry one of `tags` (any, when none is given)."""
        if self._next == len(self._elements):
            raise BerError("an element is missing")
        element = self._elements[self._next]
        if tags and element.tag not in tags:
            raise BerError("an unexpected element")
        self._next += 1
        return element

    def optional(self, *tags: int) -> Element | None:
        """The next element if it carries one of `tags`."""
        if self._next < len(self._elements) and self._elements[self._next].tag in tags:
            return self.take()
        return None

    def rest(self) -> list[Element]:
        """All that is left."""
        left = self._elements[self._next :]
        self._next = len(self._elements)
        return left


def decode(data: bytes) -> Element:
    """Decode one element; whatever follows it is left alone.

    Raises:
        BerError: The bytes are malformed.
    """
    return _decode_at(data, 0, MAX_DEPTH)[0]


def _header_at(data: bytes, position: int) -> tuple[int, int | None, int]:
    """Tag, length (None when indefinite) and start of the content of the element at `position`."""
    start = position + 2
    if start > len(data):
        raise BerError("the data end too early")
    tag, first = data[position], data[position + 1]
    if tag & 0x1F == 0x1F:
        raise BerError("a tag above 30")
    if first < 0x80:
        return tag, first, start
    if first == 0x80:
        if not tag & CONSTRUCTED:
            raise BerError("an indefinite length on a primitive element")
        return tag, None, start
    end = start + _length_octets(first)
    if end > len(data):
        raise BerError("the data end too early")
    return tag, int.from_bytes(data[start:end], "big"), end


def _decode_at(data: bytes, position: int, depth: int) -> tuple[Element, int]:
    tag, length, start = _header_at(data, position)
    if length is None:
        stop = _end_of_contents(data, start, depth)
        end = stop + len(END_OF_CONTENTS)
    else:
        stop = end = start + length
        if end > len(data):
            raise BerError("the data end too early")
    return Element(tag, data[start:stop], data[position:end]), end


def _end_of_contents(data: bytes, position: int, depth: int) -> int:
    """Where the end-of-contents octets are of the indefinite element whose content starts at `position`."""
    if depth == 0:
        raise BerError("elements are nested too deeply")
    while data[position : position + 2] != END_OF_CONTENTS:
        _, length, position = _header_at(data, position)
        if length is None:
            position = _end_of_contents(data, position, depth - 1) + len(END_OF_CONTENTS)
        else:
            position += length
    return position


def encode_header(tag: int, length: int) -> bytes:
    """Identifier and definite length, as DER."""
    if length < 0x80:
        return bytes((tag, length))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets


def encode(tag: int, *parts: bytes) -> bytes:
    """An element with `parts` as its content."""
    content = b"".join(parts)
    return encode_header(tag, len(content)) + content


def encode_integer(value: int) -> bytes:
    """An INTEGER."""
    return encode(INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def encode_oid(dotted: str) -> bytes:
    """An OBJECT IDENTIFIER."""
    first, second, *others = (int(part) for part in dotted.split("."))
    content = bytearray()
    for number in (40 * first + second, *others):
        septets = [number & 0x7F]
        while number := number >> 7:
            septets.append(number & 0x7F | 0x80)
        content += bytes(reversed(septets))
    return encode(OBJECT_IDENTIFIER, bytes(content))


def encode_sequence(*parts: bytes) -> bytes:
    """A SEQUENCE."""
    return encode(SEQUENCE, *parts)


def encode_set(parts: Iterable[bytes], tag: int = SET) -> bytes:
    """A SET OF, sorted as DER asks (X.690, 11.6)."""
    return encode(tag, *sorted(parts))
