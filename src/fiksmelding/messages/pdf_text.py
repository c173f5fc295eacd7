"""Text from a report, made ready to be set: nothing that no font has is dropped, and nothing runs off the page."""

import json
import re
from bisect import bisect_right
from functools import cache
from pathlib import Path

__all__ = ["FONT_FOLDER", "paragraphs", "shown"]

FONT_FOLDER = Path(__file__).parent / "pdf_template" / "fonts"

_LINE_END = re.compile("\r\n|[\r\u2028]")
_PARAGRAPH_END = re.compile("\n(?:[ \t]*\n)+|\u2029")
_LONG_WORD = re.compile(r"[^ \u200b-]{36}(?=[^ \u200b-]{8})")
_SHOWN_AS_CODE = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
"""Bidirectional overrides and isolates can make a text read as another than it is; U+FEFF is forbidden by PDF/UA."""


@cache
def _covered() -> tuple[list[int], list[int]]:
    ranges: list[list[int]] = json.loads((FONT_FOLDER / "coverage.json").read_text("utf-8"))
    return [first for first, _ in ranges], [last for _, last in ranges]


def _has_glyph(character: str) -> bool:
    if " " <= character <= "~":
        return True
    firsts, lasts = _covered()
    index = bisect_right(firsts, ord(character)) - 1
    return index >= 0 and ord(character) <= lasts[index] and character >= " " and character not in _SHOWN_AS_CODE


def shown(text: str) -> str:
    """One line of text as the fonts can show it: what they lack stands as its code point, such as `[U+1F600]`.

    A word that is longer than a line gets places where it may be broken (zero-width spaces).
    """
    whole = "".join(
        character if _has_glyph(character) else f"[U+{ord(character):04X}]" for character in text.replace("\t", "    ")
    )
    return _LONG_WORD.sub(lambda found: found.group() + "\u200b", whole)


def paragraphs(text: str) -> list[list[str]]:
    """A text as paragraphs of lines, each line as `shown`."""
    unified = _LINE_END.sub("\n", text)
    return [
        [shown(line) for line in paragraph.split("\n")]
        for paragraph in _PARAGRAPH_END.split(unified)
        if paragraph.strip()
    ]
