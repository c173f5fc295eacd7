"""How much an envelope may ask of us before it is refused, in one place."""

from dataclasses import dataclass

__all__ = ["Limits"]

MEBIBYTE = 1024 * 1024
GIBIBYTE = 1024 * MEBIBYTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what an envelope may hold. Sizes in bytes.

    The defaults leave room for the largest body the platform carries (5 GB, contract section 7) and refuse what only an
    attack needs.

    Attributes:
        recipients: RecipientInfos in the CMS; each may cost an RSA operation for every key.
        cms_header: Size of any CMS structure that is read whole (the recipients, attributes, an algorithm).
        irregular_pieces: Changes of size among the pieces of a constructed ciphertext; each costs 40 bytes of memory.
        entries: Entries in the zip.
        central_directory: Size of the zip's central directory.
        total_size: Size of all entries, unpacked.
        ratio: How many times larger an entry may be unpacked than packed...
        ratio_floor: ...once it is larger than this.
        manifest: Size of a manifest, unpacked.
        signature: Size of a signature, unpacked.
    """

    recipients: int = 32
    cms_header: int = MEBIBYTE // 4
    irregular_pieces: int = 500_000
    entries: int = 1000
    central_directory: int = 4 * MEBIBYTE
    total_size: int = 8 * GIBIBYTE
    ratio: int = 200
    ratio_floor: int = 16 * MEBIBYTE
    manifest: int = 4 * MEBIBYTE
    signature: int = MEBIBYTE // 4
