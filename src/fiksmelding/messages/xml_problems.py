"""What libxml2 found against the schema, as problems without values."""

import re
from typing import TYPE_CHECKING, Protocol, cast

from lxml import etree

from fiksmelding.errors import Problem
from fiksmelding.messages.base import FieldKind, Part, fields_of
from fiksmelding.messages.validation import pointer

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Finding", "schema_problems"]


class Finding(Protocol):
    """One entry of libxml2's error log, as far as it is used."""

    path: str | None
    type_name: str
    message: str


_REASONS = {
    "SCHEMAV_CVC_PATTERN_VALID": "does not have the required form",
    "SCHEMAV_CVC_DATATYPE_VALID_1_2_1": "must be true or false",
    "SCHEMAV_CVC_COMPLEX_TYPE_2_3": "holds text beside its elements",
    "SCHEMAV_CVC_COMPLEX_TYPE_2_1": "must be empty",
    "SCHEMAV_CVC_COMPLEX_TYPE_2_2": "holds an element where only text may stand",
    "SCHEMAV_CVC_TYPE_3_1_2": "holds an element where only text may stand",
    "SCHEMAV_CVC_TYPE_3_1_1": "has an attribute that is not allowed",
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_1": "has an attribute that is not allowed",
    "SCHEMAV_CVC_COMPLEX_TYPE_3_2_2": "has an attribute that is not allowed",
}
_EXPECTED = re.compile(r"Expected is (?:one of )?\( (.*) \)\.\s*$")
_OUR_STEPS = re.compile(r"(?:/\*(?:\[\d+\])?)+")
_NAME = re.compile(r"\{[^}]*\}(\w+)")


def schema_problems(log: object, root: etree._Element, kind: type[Part]) -> list[Problem]:
    """Problems out of libxml2's error log.

    Its texts quote the document. What is taken from them is where, of what sort, and which elements the schema would
    have had there: those are the schema's own words.
    """
    found = []
    for entry in cast("Iterable[Finding]", log):  # the stubs do not say that a log is iterable
        element = _element(entry.path, root)
        found.append(Problem("" if element is None else _pointer(element, kind), _reason(entry)))
    return list(dict.fromkeys(found))


def _element(path: str | None, root: etree._Element) -> etree._Element | None:
    # A step that names an element is no element of ours (those are in the namespace, written `*`): its parent will do.
    steps = _OUR_STEPS.match(path or "")
    matches = root.xpath(steps.group()) if steps else []
    first = matches[0] if isinstance(matches, list) and matches else None
    return first if etree.iselement(first) else None


def _reason(entry: Finding) -> str:
    expected = _EXPECTED.search(entry.message)
    if entry.type_name == "SCHEMAV_ELEMENT_CONTENT":
        names = " or ".join(_NAME.findall(expected.group(1))) if expected else ""
        fault = "is incomplete" if "Missing child" in entry.message else "is not expected here"
        return f"{fault}; expected: {names}" if names else fault
    return _REASONS.get(entry.type_name, "is not valid under the schema")


def _pointer(element: etree._Element, kind: type[Part]) -> str:
    """The JSON pointer of an element, as far as its names are the schema's own; others are the document's words."""
    place: list[str | int] = []
    within: type[Part] | None = kind
    for step in [*reversed(list(element.iterancestors())), element][1:]:
        name = etree.QName(step).localname
        field = next((field for field in fields_of(within) if field.name == name), None) if within else None
        if field is None:
            break
        place.append(name)
        if field.kind is FieldKind.PARTS:
            place.append(sum(1 for _ in step.itersiblings(step.tag, preceding=True)))
        within = field.part
    return pointer(tuple(place))
