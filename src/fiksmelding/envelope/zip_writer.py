"""Writing a zip to a sink that cannot seek, in the exact form that every peer reads (contract section 8).

The standard library marks every entry of an unseekable zip with a data descriptor, `mimetype` too, which Java refuses
and ETSI EN 319 162-1 (A.1) forbids. Hence our own.
"""

import struct
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Protocol

__all__ = ["Sink", "ZipWriter"]

STORED = 0
DEFLATED = 8
HAS_DESCRIPTOR = 0x0008
UTF8_NAME = 0x0800
VERSION = 20
VERSION_ZIP64 = 45
LIMIT_16 = 0xFFFF
LIMIT_32 = 0xFFFFFFFF
EARLIEST = (1980, 1, 1, 0, 0, 0)

LOCAL_HEADER = struct.Struct("<4s5H3L2H")
CENTRAL_HEADER = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
END_ZIP64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR_ZIP64 = struct.Struct("<4sLQL")

SAMPLE = 4 * 1024
WORTH_COMPRESSING = 0.9


class Sink(Protocol):
    """Where the zip goes: anything that takes bytes."""

    def write(self, data: bytes | bytearray | memoryview, /) -> int:
        """Take all of `data`."""
        ...


@dataclass(frozen=True, slots=True)
class _Written:
    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    position: int


class ZipWriter:
    """Writes entries one after the other; `finish` writes the central directory.

    Args:
        out: Where the zip goes.
        modified: The time that every entry carries, as it stands; 1980-01-01 when absent.
    """

    def __init__(self, out: Sink, *, modified: datetime | None = None) -> None:
        self._out = out
        self._entries: list[_Written] = []
        self._position = 0
        year, month, day, hour, minute, second = modified.timetuple()[:6] if modified else EARLIEST
        self._date = max(year - 1980, 0) << 9 | month << 5 | day
        self._time = hour << 11 | minute << 5 | second // 2

    def store(self, name: str, data: bytes) -> None:
        """Write an entry uncompressed, its size and CRC ahead of it."""
        self._known(name, STORED, data, data)

    def deflate(self, name: str, data: bytes) -> None:
        """Write an entry compressed, its size and CRC ahead of it; stored where compression would not help."""
        packer = zlib.compressobj(_level(data) and 6, zlib.DEFLATED, -zlib.MAX_WBITS)
        packed = packer.compress(data) + packer.flush()
        if len(packed) < len(data):
            self._known(name, DEFLATED, data, packed)
        else:
            self.store(name, data)

    def stream(self, name: str, first: bytes, rest: Iterable[bytes], seen: Callable[[bytes], None]) -> None:
        """Write an entry whose size is not known ahead: compressed, or deflated at level 0 where that would not help.

        Args:
            name: The entry's name.
            first: The content's first part, which tells whether compression helps.
            rest: Its other parts.
            seen: Gets every part of the content, uncompressed, in order.
        """
        position, flags = self._position, HAS_DESCRIPTOR | UTF8_NAME
        encoded = name.encode()
        self._write(self._local_header(encoded, flags, DEFLATED, (0, 0, 0)))
        start = self._position
        packer = zlib.compressobj(_level(first), zlib.DEFLATED, -zlib.MAX_WBITS)
        size = crc = 0
        for data in chain((first,), rest):
            seen(data)
            crc = zlib.crc32(data, crc)
            size += len(data)
            self._write(packer.compress(data))
        self._write(packer.flush())
        packed = self._position - start
        # Java's writer and reader take 8-byte sizes exactly when a size needs them, whatever the local header says.
        wide = packed > LIMIT_32 or size > LIMIT_32
        self._write(struct.pack("<4sLQQ" if wide else "<4sLLL", b"PK\x07\x08", crc, packed, size))
        self._entries.append(_Written(encoded, flags, DEFLATED, crc, packed, size, position))

    def finish(self, comment: bytes) -> None:
        """Write the central directory and the zip's comment."""
        start = self._position
        for entry in self._entries:
            self._write(self._central_header(entry))
        size, count = self._position - start, len(self._entries)
        if start > LIMIT_32 or count >= LIMIT_16:
            record = self._position
            self._write(
                END_ZIP64.pack(b"PK\x06\x06", 44, VERSION_ZIP64, VERSION_ZIP64, 0, 0, count, count, size, start)
            )
            self._write(LOCATOR_ZIP64.pack(b"PK\x06\x07", 0, record, 1))
            start, count = LIMIT_32, LIMIT_16
        self._write(END.pack(b"PK\x05\x06", 0, 0, count, count, size, start, len(comment)) + comment)

    def _write(self, data: bytes) -> None:
        self._out.write(data)
        self._position += len(data)

    def _known(self, name: str, method: int, data: bytes, packed: bytes) -> None:
        encoded, crc = name.encode(), zlib.crc32(data)
        flags = 0 if name.isascii() else UTF8_NAME
        self._entries.append(_Written(encoded, flags, method, crc, len(packed), len(data), self._position))
        self._write(self._local_header(encoded, flags, method, (crc, len(packed), len(data))))
        self._write(packed)

    def _local_header(self, name: bytes, flags: int, method: int, crc_and_sizes: tuple[int, int, int]) -> bytes:
        fields = (VERSION, flags, method, self._time, self._date, *crc_and_sizes, len(name), 0)
        return LOCAL_HEADER.pack(b"PK\x03\x04", *fields) + name

    def _central_header(self, entry: _Written) -> bytes:
        wide = [value for value in (entry.size, entry.packed, entry.position) if value > LIMIT_32]
        extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
        version = VERSION_ZIP64 if wide else VERSION
        fields = (
            *(version, version, entry.flags, entry.method, self._time, self._date, entry.crc),
            *(min(entry.packed, LIMIT_32), min(entry.size, LIMIT_32)),
            *(len(entry.name), len(extra), 0, 0, 0, 0, min(entry.position, LIMIT_32)),
        )
        return CENTRAL_HEADER.pack(b"PK\x01\x02", *fields) + entry.name + extra


def _level(data: bytes) -> int:
    """Deflate level for content that begins with `data`: 0 for what is compressed already.

    A sample from the middle tells: at its beginning even a compressed file has a legible head.
    """
    middle = max(0, len(data) - SAMPLE) // 2
    sample = data[middle : middle + SAMPLE]
    return 1 if len(zlib.compress(sample, 1)) < WORTH_COMPRESSING * len(sample) else 0
