"""Which names of files are safe."""

import unicodedata

__all__ = ["is_safe_name"]

NO_FILE = frozenset(("", ".", ".."))
"""Segments of a path that name no file of their own."""

NOT_IN_NAMES = ("Cc", "Cs", "Zl", "Zp")
TURNING = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Characters that turn the direction of writing: they make a name look like another."""


def is_safe_name(name: str) -> bool:
    """Whether a name stays in the folder it is joined to, on every system, and can be shown."""
    if "\\" in name or ":" in name:
        return False
    if not (name.isascii() and name.isprintable()) and any(map(_is_dangerous, name)):
        return False
    return NO_FILE.isdisjoint(name.removesuffix("/").split("/"))


def _is_dangerous(character: str) -> bool:
    return unicodedata.category(character) in NOT_IN_NAMES or character in TURNING
