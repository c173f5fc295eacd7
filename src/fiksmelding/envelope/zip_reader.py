"""Reading a zip that may be hostile, in place.

Readers differ in what they believe when a zip contradicts itself, and attacks live in that difference. So everything
has to agree: central directory, local headers and data descriptors; and entries and directory have to cover the file
from the first byte to the last without gap or overlap. The standard library's reader looks at too little of that.
"""

import stat
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from fiksmelding.envelope.limits import Limits
from fiksmelding.envelope.names import is_safe_name
from fiksmelding.envelope.problems import ContainerProblem, ContainerRefused

__all__ = ["ZipEntry", "ZipReader", "looks_like_zip"]

LOCAL_HEADER = struct.Struct("<4s5H3L2H")
CENTRAL_HEADER = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
END_ZIP64 = struct.Struct("<4sQ2H2L4Q")
LOCATOR_ZIP64 = struct.Struct("<4sLQL")

LOCAL_SIGNATURE = b"PK\x03\x04"
CENTRAL_SIGNATURE = b"PK\x01\x02"
END_SIGNATURE = b"PK\x05\x06"
LONGEST_COMMENT = 0xFFFF
USUAL_COMMENT = 256
LIMIT_16 = 0xFFFF
LIMIT_32 = 0xFFFFFFFF

STORED = 0
DEFLATED = 8
ENCRYPTED = 0x0001
HAS_DESCRIPTOR = 0x0008
UTF8_NAME = 0x0800
# Strong encryption and masked headers.
ENCRYPTED_IN_ANY_WAY = ENCRYPTED | 0x0040 | 0x2000
MADE_ON_UNIX = 3
ZIP64_EXTRA = 1

PART = 256 * 1024
"""Bytes handed on at a time."""


class RandomAccess(Protocol):
    """What the zip lies in."""

    size: int

    def read_at(self, offset: int, size: int) -> bytes:
        """Read `size` bytes from `offset`, less only at the end."""
        ...


class ZipEntry(NamedTuple):
    """One entry, as central directory and local header agree on it.

    Attributes:
        name: Its name, safe to show and to join to a folder's path.
        size: Bytes, unpacked.
        packed: Bytes, as stored.
        method: 0 stored or 8 deflated.
        crc: CRC-32 of the content.
        position: Where its data start.
    """

    name: str
    size: int
    packed: int
    method: int
    crc: int
    position: int


class _Central(NamedTuple):
    """What the central directory says of an entry."""

    name: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    position: int
    host: int
    attributes: int


@dataclass(frozen=True, slots=True)
class _End:
    """Where the central directory is, and how large."""

    start: int
    size: int
    count: int
    record: int


def malformed(what: str) -> ContainerRefused:
    """The zip is broken."""
    return ContainerRefused(ContainerProblem.MALFORMED_ZIP, f"The container's zip is malformed: {what}.")


def _find_end(source: RandomAccess) -> tuple[int, bytes] | None:
    """Position and bytes of the end record: the last one whose comment reaches exactly to the end."""
    for longest_comment in (USUAL_COMMENT, LONGEST_COMMENT):
        start = max(0, source.size - END.size - longest_comment)
        tail = source.read_at(start, source.size - start)
        at = tail.rfind(END_SIGNATURE)
        while at >= 0:
            record = tail[at : at + END.size]
            if len(record) == END.size and END.unpack(record)[-1] == len(tail) - at - END.size:
                return start + at, record
            at = tail.rfind(END_SIGNATURE, 0, at)
    return None


def looks_like_zip(source: RandomAccess) -> bool:
    """Whether it begins and ends like a zip."""
    return _find_end(source) is not None and source.read_at(0, 2) == b"PK"


class ZipReader:
    """The entries of a zip.

    Args:
        source: What it lies in.
        limits: What it may ask of us.

    Attributes:
        entries: Every file in it by name, in the order of the central directory; folders are left out.

    Raises:
        ContainerRefused: The zip is malformed or hostile.
    """

    def __init__(self, source: RandomAccess, limits: Limits) -> None:
        self._source = source
        self._limits = limits
        end = self._end()
        centrals = self._central_directory(end)
        located = [(central, self._locate(central)) for central in centrals]
        self._check_cover(located, end)
        self.entries = self._files([entry for _, entry in located])

    def parts(self, entry: ZipEntry) -> Iterator[bytes]:
        """The content of an entry, unpacked, in parts of at most about 256 KiB.

        Raises:
            ContainerRefused: Content and headers disagree.
        """
        unpacked = self._stored(entry) if entry.method == STORED else self._inflated(entry)
        size = crc = 0
        for part in unpacked:
            size += len(part)
            if size > entry.size:
                raise malformed("an entry is longer than its header says")
            crc = zlib.crc32(part, crc)
            yield part
        if size != entry.size or crc != entry.crc:
            raise malformed("an entry is not what its header says")

    def read(self, entry: ZipEntry, *, limit: int) -> bytes:
        """The whole content of an entry that may hold at most `limit` bytes."""
        if entry.size > limit:
            raise ContainerRefused(ContainerProblem.TOO_LARGE, f"A part of the container is larger than {limit} bytes.")
        return b"".join(self.parts(entry))

    def _stored(self, entry: ZipEntry) -> Iterator[bytes]:
        position, end = entry.position, entry.position + entry.packed
        while position < end:
            # Ends where the decrypting reader's chunks end, so that nothing is decrypted twice.
            size = min(PART - position % PART, end - position)
            yield self._source.read_at(position, size)
            position += size

    def _inflated(self, entry: ZipEntry) -> Iterator[bytes]:
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for packed in self._stored(entry):
                part = unpacker.decompress(packed, PART)
                while part:
                    yield part
                    part = b"" if unpacker.eof else unpacker.decompress(unpacker.unconsumed_tail, PART)
            part = unpacker.flush()
        except zlib.error as error:
            raise malformed("an entry cannot be unpacked") from error
        if part:
            yield part
        if not unpacker.eof or unpacker.unused_data:
            raise malformed("an entry's packed data do not end where they should")

    def _end(self) -> _End:
        found = _find_end(self._source)
        if found is None:
            raise ContainerRefused(ContainerProblem.NOT_A_CONTAINER, "This is no container: it has no zip's end.")
        record_at, record = found
        _, disk, first_disk, count_here, count, size, start, _ = END.unpack(record)
        if LIMIT_16 in {disk, first_disk, count_here, count} or LIMIT_32 in {size, start}:
            return self._end_zip64(record_at)
        if disk or first_disk or count_here != count:
            raise malformed("it spans several disks")
        return _End(start, size, count, record_at)

    def _end_zip64(self, record_at: int) -> _End:
        locator_at = record_at - LOCATOR_ZIP64.size
        locator = self._source.read_at(max(locator_at, 0), LOCATOR_ZIP64.size)
        if locator_at < 0 or not locator.startswith(b"PK\x06\x07"):
            raise malformed("its Zip64 locator is missing")
        _, _, position, _ = LOCATOR_ZIP64.unpack(locator)
        record = self._source.read_at(position, END_ZIP64.size)
        if position + END_ZIP64.size != locator_at or not record.startswith(b"PK\x06\x06"):
            raise malformed("its Zip64 end record is missing")
        _, length, _, _, disk, first_disk, count_here, count, size, start = END_ZIP64.unpack(record)
        if disk or first_disk or count_here != count or length != END_ZIP64.size - 12:
            raise malformed("its Zip64 end record is strange")
        return _End(start, size, count, position)

    def _central_directory(self, end: _End) -> list[_Central]:
        if end.count > self._limits.entries:
            text = f"The container has {end.count} entries; at most {self._limits.entries} are accepted."
            raise ContainerRefused(ContainerProblem.TOO_MANY_ENTRIES, text)
        if end.size > self._limits.central_directory:
            raise ContainerRefused(ContainerProblem.TOO_LARGE, "The container's central directory is too large.")
        if end.start + end.size != end.record:
            raise ContainerRefused(
                ContainerProblem.DATA_BETWEEN, "The container's central directory is not where its end record says."
            )
        data = self._source.read_at(end.start, end.size)
        centrals, at = [], 0
        for _ in range(end.count):
            central, at = _central(data, at)
            centrals.append(central)
        if at != len(data):
            raise malformed("its central directory holds more than its entries")
        return centrals

    def _locate(self, central: _Central) -> ZipEntry:
        """Read the local header, compare it, and say where the data are."""
        raw = self._source.read_at(central.position, LOCAL_HEADER.size)
        if len(raw) < LOCAL_HEADER.size or not raw.startswith(LOCAL_SIGNATURE):
            raise malformed("an entry has no local header")
        _, _, flags, method, _, _, crc, packed, size, name_length, extra_length = LOCAL_HEADER.unpack(raw)
        rest = self._source.read_at(central.position + LOCAL_HEADER.size, name_length + extra_length)
        name, extra = rest[:name_length], rest[name_length:]
        wide = _zip64_values(extra)
        if LIMIT_32 in (size, packed) and len(wide) >= 2:
            size, packed = wide[0], wide[1]
        told = (crc, packed, size)
        meant = (central.crc, central.packed, central.size)
        sizes_agree = told == meant or (flags & HAS_DESCRIPTOR and told == (0, 0, 0))
        if (flags, method, name) != (central.flags, central.method, central.name) or not sizes_agree:
            raise ContainerRefused(
                ContainerProblem.MISMATCHED_HEADERS, "An entry's local header contradicts the central directory."
            )
        position = central.position + LOCAL_HEADER.size + name_length + extra_length
        return ZipEntry(_name(central), central.size, central.packed, central.method, central.crc, position)

    def _check_cover(self, located: list[tuple[_Central, ZipEntry]], end: _End) -> None:
        """Refuse bytes that belong to no entry, or to two."""
        position = 0
        for central, entry in sorted(located, key=lambda pair: pair[0].position):
            if central.position < position:
                raise ContainerRefused(ContainerProblem.OVERLAPPING_ENTRIES, "Entries of the container overlap.")
            self._check_gap(position, central.position)
            position = entry.position + entry.packed
            if position > end.start:
                raise ContainerRefused(
                    ContainerProblem.OVERLAPPING_ENTRIES, "An entry of the container overlaps the central directory."
                )
            if central.flags & HAS_DESCRIPTOR:
                position += self._descriptor(central, position)
        if position > end.start:
            raise malformed("an entry reaches into the central directory")
        self._check_gap(position, end.start)

    def _check_gap(self, position: int, following: int) -> None:
        if position != following:
            where = "before its first entry" if position == 0 else "between its entries"
            raise ContainerRefused(ContainerProblem.DATA_BETWEEN, f"The container holds data {where}.")

    def _descriptor(self, central: _Central, position: int) -> int:
        """The length of the data descriptor at `position`, with or without signature, with sizes of 4 or 8 bytes."""
        data = self._source.read_at(position, 24)
        for sizes in ("LL", "QQ"):
            values = struct.pack("<L" + sizes, central.crc, *_narrow(sizes, central.packed, central.size))
            for descriptor in (b"PK\x07\x08" + values, values):
                if data.startswith(descriptor):
                    return len(descriptor)
        raise ContainerRefused(
            ContainerProblem.MISMATCHED_HEADERS, "An entry's data descriptor contradicts the central directory."
        )

    def _files(self, entries: list[ZipEntry]) -> dict[str, ZipEntry]:
        files: dict[str, ZipEntry] = {}
        names: set[str] = set()
        total = 0
        for entry in entries:
            if entry.name in names:
                raise ContainerRefused(ContainerProblem.DUPLICATE_ENTRY, "Two entries of the container have one name.")
            names.add(entry.name)
            total += entry.size
            self._check_size(entry, total)
            if not entry.name.endswith("/"):
                files[entry.name] = entry
            elif entry.size:
                raise ContainerRefused(ContainerProblem.SPECIAL_FILE, "A folder of the container has content.")
        return files

    def _check_size(self, entry: ZipEntry, total: int) -> None:
        if total > self._limits.total_size:
            text = f"The container unpacks to more than {self._limits.total_size} bytes."
            raise ContainerRefused(ContainerProblem.TOO_LARGE, text)
        if entry.size > self._limits.ratio_floor and entry.size > entry.packed * self._limits.ratio:
            text = f"An entry of the container unpacks to more than {self._limits.ratio} times its size."
            raise ContainerRefused(ContainerProblem.ZIP_BOMB, text)


def _narrow(sizes: str, *values: int) -> tuple[int, ...]:
    return tuple(value & LIMIT_32 for value in values) if sizes == "LL" else values


def _central(data: bytes, at: int) -> tuple[_Central, int]:
    """The entry of the central directory at `at`, checked as far as it goes by itself, and where the next one is."""
    raw = data[at : at + CENTRAL_HEADER.size]
    if len(raw) < CENTRAL_HEADER.size or not raw.startswith(CENTRAL_SIGNATURE):
        raise malformed("its central directory is broken")
    fields = CENTRAL_HEADER.unpack(raw)
    made_by, flags, method, crc, packed, size = fields[1], fields[3], fields[4], *fields[7:10]
    name_length, extra_length, comment_length, disk, _, attributes, position = fields[10:]
    name_at = at + CENTRAL_HEADER.size
    extra_at = name_at + name_length
    end = extra_at + extra_length + comment_length
    if end > len(data) or disk not in (0, LIMIT_16):
        raise malformed("its central directory is broken")
    size, packed, position = _widened((size, packed, position), _zip64_values(data[extra_at : extra_at + extra_length]))
    if flags & ENCRYPTED_IN_ANY_WAY:
        raise ContainerRefused(ContainerProblem.ENCRYPTED_ENTRY, "An entry of the container is encrypted by itself.")
    if method not in (STORED, DEFLATED) or (method == STORED and packed != size):
        raise ContainerRefused(
            ContainerProblem.UNKNOWN_COMPRESSION, f"An entry of the container is compressed in an odd way ({method})."
        )
    host = made_by >> 8
    return _Central(data[name_at:extra_at], flags, method, crc, packed, size, position, host, attributes), end


def _widened(values: tuple[int, int, int], wide: tuple[int, ...]) -> tuple[int, int, int]:
    """Replace each value that says "see Zip64" by the next one of the Zip64 field (APPNOTE 4.5.3)."""
    needed = values.count(LIMIT_32)
    if not needed:
        return values
    if needed > len(wide):
        raise malformed("a Zip64 field is missing")
    following = iter(wide)
    size, packed, position = (next(following) if value == LIMIT_32 else value for value in values)
    return size, packed, position


def _zip64_values(extra: bytes) -> tuple[int, ...]:
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, at)
        at += 4
        if kind == ZIP64_EXTRA:
            count = min(length, len(extra) - at) // 8
            return struct.unpack_from(f"<{count}Q", extra, at)
        at += length
    return ()


def _name(central: _Central) -> str:
    """The entry's name, if nothing about it is dangerous."""
    try:
        name = central.name.decode("utf-8")
    except UnicodeDecodeError:
        name = "" if central.flags & UTF8_NAME else central.name.decode("cp437")
    if not is_safe_name(name):
        raise ContainerRefused(ContainerProblem.BAD_NAME, "An entry of the container has a name that is not safe.")
    if central.host == MADE_ON_UNIX and stat.S_IFMT(central.attributes >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise ContainerRefused(ContainerProblem.SPECIAL_FILE, "An entry of the container is a link or a device.")
    return name
