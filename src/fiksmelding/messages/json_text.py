"""JSON text to values and back, losing nothing and believing nothing.

Stricter than most readers (RFC 8259 leaves these open): a member that occurs twice, NaN, infinities and lone
surrogates are refused, nesting and size have limits. Numbers with a fraction or an exponent are `Decimal`, so
that they are written as they were read.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from json.encoder import encode_basestring
from typing import TypeAlias

import jiter

from fiksmelding.errors import InvalidMessage, Problem

__all__ = ["BYTE_ORDER_MARKS", "MAX_DEPTH", "MAX_JSON_BYTES", "JsonValue", "read_json", "write_json"]

JsonValue: TypeAlias = "bool | int | Decimal | str | tuple[JsonValue, ...] | Mapping[str, JsonValue] | None"
"""A JSON value that cannot be changed: arrays are tuples, objects are read-only mappings."""

MAX_JSON_BYTES = 8 * 1024 * 1024
"""The largest document read, in bytes. The platform takes at most 5 MB in all (contract section 10)."""

MAX_DEPTH = 200
"""How deep arrays and objects may lie in each other: the reader's own limit."""

BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe")
"""How UTF-8 and UTF-16 texts may begin, and ours may not."""

_REASONS = (
    ("Detected duplicate key", "an object has the same member twice"),
    ("recursion limit exceeded", f"nested deeper than {MAX_DEPTH} levels"),
    ("number out of range", "a number has too many digits"),
    ("Internal error", "a number is too large"),
    ("invalid unicode code point", "not UTF-8"),
    ("lone leading surrogate", "a lone surrogate is no character"),
    ("hex escape", "a broken or lone surrogate escape is no character"),
    ("EOF while parsing", "the text ends too early"),
)
_PLACE = re.compile(r"line \d+ column \d+$")


def read_json(data: bytes) -> object:
    """Read one JSON document.

    Args:
        data: UTF-8 text without byte order mark.

    Returns:
        dict, list, str, int, Decimal, bool or None, as the text says.

    Raises:
        InvalidMessage: If it is not JSON, or breaks one of the limits above. The reason names line and column, never
            the text itself.
    """
    if len(data) > MAX_JSON_BYTES:
        raise InvalidMessage([Problem("", f"larger than {MAX_JSON_BYTES} bytes")])
    if data.startswith(BYTE_ORDER_MARKS):
        raise InvalidMessage([Problem("", "begins with a byte order mark: UTF-8 without one is required")])
    try:
        value: object = jiter.from_json(
            data, allow_inf_nan=False, catch_duplicate_keys=True, float_mode="decimal", cache_mode="keys"
        )
    except ValueError as error:
        reason = _reason(str(error))
    else:
        return value
    # Raised outside the handler: the reader's own text may quote a member's name.
    raise InvalidMessage([Problem("", reason)])


def _reason(text: str) -> str:
    reason = next((ours for theirs, ours in _REASONS if theirs in text), "not JSON")
    place = _PLACE.search(text)
    return f"{reason} ({place.group()})" if place else reason


def write_json(value: object) -> bytes:
    """Write a value as compact JSON in UTF-8, members in the order they have."""
    return "".join(_pieces(value)).encode()


def _pieces(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield encode_basestring(value)
    elif value is None:
        yield "null"
    elif isinstance(value, bool):
        yield "true" if value else "false"
    elif isinstance(value, int):
        yield str(value)
    elif isinstance(value, Decimal):
        text = str(value)
        yield text if "." in text or "E" in text else f"{text}.0"  # to stay a number with a fraction
    elif isinstance(value, Mapping):
        separator = "{"
        for name, member in value.items():
            yield f"{separator}{encode_basestring(name)}:"
            yield from _pieces(member)
            separator = ","
        yield "}" if value else "{}"
    elif isinstance(value, list | tuple):
        separator = "["
        for item in value:
            yield separator
            yield from _pieces(item)
            separator = ","
        yield "]" if value else "[]"
    else:
        raise TypeError(f"JSON has no {type(value).__name__}")
