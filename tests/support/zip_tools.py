"""Containers as a hostile sender makes them: zips that are wrong in one way, signed as they should be."""

import hashlib
import io
import struct
import zipfile
from collections.abc import Callable, Mapping

from fiksmelding.envelope.manifest import write_manifest
from fiksmelding.envelope.signature import Signer, sign

MANIFEST = "META-INF/asicmanifest.xml"
SIGNATURE = "META-INF/signature-1.p7s"
MIME_TYPE = "application/vnd.etsi.asic-e+zip"


def signed_entries(files: Mapping[str, bytes], signer: Signer) -> dict[str, bytes]:
    """The entries of a container around `files`, in order."""
    manifest = write_manifest(SIGNATURE, [(name, hashlib.sha256(data).digest()) for name, data in files.items()])
    return {"mimetype": MIME_TYPE.encode(), **files, MANIFEST: manifest, SIGNATURE: sign(manifest, signer)}


def zipped(
    entries: Mapping[str, bytes],
    *,
    compression: int = zipfile.ZIP_STORED,
    change: Callable[[zipfile.ZipInfo], None] = lambda _: None,
) -> bytes:
    """A zip of `entries`, written by the standard library.

    Args:
        entries: Name and content.
        compression: Method for all.
        change: Gets each entry's ZipInfo before it is written.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, data in entries.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = compression
            change(info)
            archive.writestr(info, data)
    return out.getvalue()


def central_header(data: bytes, name: str) -> int:
    """Where the central directory's header of an entry is."""
    encoded = name.encode()
    at = data.index(b"PK\x01\x02")
    while data[at + 46 : at + 46 + len(encoded)] != encoded:
        at = data.index(b"PK\x01\x02", at + 4)
    return at


def patched(data: bytes, at: int, form: str, value: int) -> bytes:
    """`data` with a number at `at` replaced."""
    return data[:at] + struct.pack(form, value) + data[at + struct.calcsize(form) :]


def local_header(data: bytes, name: str) -> int:
    """Where an entry's local header is."""
    return int(struct.unpack_from("<L", data, central_header(data, name) + 42)[0])


def moved(data: bytes, by: int, *, but: str = "") -> bytes:
    """`data` with every offset in its directory raised, as needed when bytes are put before it."""
    at = data.index(b"PK\x01\x02")
    while at >= 0:
        name_length = struct.unpack_from("<H", data, at + 28)[0]
        if data[at + 46 : at + 46 + name_length] != but.encode() or not but:
            data = patched(data, at + 42, "<L", struct.unpack_from("<L", data, at + 42)[0] + by)
        at = data.find(b"PK\x01\x02", at + 4)
    return moved_directory(data, by)


def moved_directory(data: bytes, by: int) -> bytes:
    """`data` with the directory's own offset raised."""
    end = data.rindex(b"PK\x05\x06")
    return patched(data, end + 16, "<L", struct.unpack_from("<L", data, end + 16)[0] + by)


def renamed(data: bytes, old: str, new: bytes, *, utf8: bool = False) -> bytes:
    """`data` with the name of an entry replaced by one of the same length, in both its headers."""
    central, local = central_header(data, old), local_header(data, old)
    for name_at, flags_at in ((local + 30, local + 6), (central + 46, central + 8)):
        data = data[:name_at] + new + data[name_at + len(new) :]
        data = patched(data, flags_at, "<H", 0x0800) if utf8 else data
    return data
