"""The elements of a JSON array, or of JSON lines, one after the other: the whole is never in memory."""

import json
import re
from collections.abc import Iterator
from typing import Final, TextIO

PIECE: Final = 1 << 16
LONGEST: Final = 1 << 20
"""No element is longer, in characters."""
_BETWEEN: Final = re.compile(r"[ \t\r\n,]*")
_DECODER: Final = json.JSONDecoder()


def json_elements(text: TextIO) -> Iterator[object]:
    """The elements of the array that `text` holds, or of one on each line.

    Raises:
        ValueError: It is neither, or it breaks off.
    """
    buffer = text.read(PIECE).lstrip()
    in_array = buffer.startswith("[")
    place, ended = int(in_array), False
    while True:
        place = _after_space(buffer, place)
        if in_array and buffer.startswith("]", place):
            if (buffer[place + 1 :] + text.read(PIECE)).strip():
                raise ValueError("something follows the array")
            return
        if place == len(buffer) and ended:
            break
        element, next_place = _element(buffer, place, whole=ended)
        if next_place > place:
            yield element
            place = next_place
            continue
        piece = "" if ended else text.read(PIECE)
        ended = not piece
        buffer, place = buffer[place:] + piece, 0
    if in_array:
        raise ValueError("the array breaks off")


def _after_space(buffer: str, place: int) -> int:
    found = _BETWEEN.match(buffer, place)
    return place if found is None else found.end()


def _element(buffer: str, place: int, *, whole: bool) -> tuple[object, int]:
    """The next element and where it ends; where it begins when more of it has to be read first."""
    if place == len(buffer):
        return None, place
    try:
        element, end = _DECODER.raw_decode(buffer, place)
    except RecursionError as error:
        raise ValueError("an element is nested too deep") from error
    except ValueError:
        if whole or len(buffer) - place > LONGEST:
            raise
        return None, place
    # What ends where the piece ends may go on in the next, as numbers do.
    return (element, end) if whole or end < len(buffer) else (None, place)
