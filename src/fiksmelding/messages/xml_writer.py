r"""A message as XML: our schema's elements, and what XML 1.0 cannot carry written out.

Three things JSON holds and XML does not, and how they travel (docs/schema.md tells it to vendors):

- A character XML 1.0 has no way to write (U+0000 to U+001F but tab and line ends, U+FFFE, U+FFFF): the element gets the
  attribute `escaped="true"`; in its text such a character is written `\uXXXX` and a backslash is doubled.
- A carriage return is the reference `&#13;`, as XML itself has it.
- Members that the official schema does not name: one last element `ukjenteFelter`, holding them as a JSON object.
"""

import re

from lxml import etree

from fiksmelding.messages.base import FieldKind, Part, fields_of
from fiksmelding.messages.json_text import write_json

__all__ = ["ESCAPED", "UNKNOWN_MEMBERS", "write_xml"]

ESCAPED = "escaped"
"""The attribute that says an element's text is escaped."""

UNKNOWN_MEMBERS = "ukjenteFelter"
"""The element that holds the members the official schema does not name."""

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_TO_ESCAPE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\\\\]")


def write_xml(part: Part, *, namespace: str, root: str) -> bytes:
    """The XML document of a message, in UTF-8, indented."""
    prefix = f"{{{namespace}}}"
    # None is the default namespace, which lxml's stubs forget.
    element = etree.Element(f"{prefix}{root}", nsmap={None: namespace})  # type: ignore[dict-item]
    _fill(element, part, prefix)
    return etree.tostring(element, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _fill(element: etree._Element, part: Part, prefix: str) -> None:
    for field in fields_of(type(part)):
        value = getattr(part, field.attribute)
        for item in value if field.kind is FieldKind.PARTS else (value,):
            if item is None:
                continue
            child = etree.SubElement(element, f"{prefix}{field.name}")
            if isinstance(item, Part):
                _fill(child, item, prefix)
            elif isinstance(item, bool):
                child.text = "true" if item else "false"
            else:
                _write_text(child, item)
    if part.unknown_members:
        child = etree.SubElement(element, f"{prefix}{UNKNOWN_MEMBERS}")
        # Inside a JSON string an escape may replace any character, and elsewhere these do not occur.
        child.text = _UNWRITABLE.sub(_escape, write_json(part.unknown_members).decode())


def _write_text(element: etree._Element, text: str) -> None:
    if _UNWRITABLE.search(text):
        element.set(ESCAPED, "true")
        element.text = _TO_ESCAPE.sub(_escape, text)
    else:
        element.text = text


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    return "\\\\" if character == "\\" else f"\\u{ord(character):04X}"
