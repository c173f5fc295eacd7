"""The XML of our own schema to models."""

import re
from xml.parsers import expat

from lxml import etree

from fiksmelding.errors import InvalidMessage, Problem
from fiksmelding.messages.base import FieldKind, Part, fields_of
from fiksmelding.messages.json_text import BYTE_ORDER_MARKS, MAX_JSON_BYTES, read_json
from fiksmelding.messages.reports import (
    Bekymringsmelding,
    Feilmelding,
    OffentligBekymringsmelding,
    OffentligBekymringsmeldingV1,
    PrivatBekymringsmelding,
    PrivatBekymringsmeldingV1,
)
from fiksmelding.messages.schemas import load_schema
from fiksmelding.messages.validation import model_from, pointer
from fiksmelding.messages.xml_problems import schema_problems
from fiksmelding.messages.xml_writer import ESCAPED, UNKNOWN_MEMBERS

__all__ = ["MAX_XML_BYTES", "parse_xml"]

MAX_XML_BYTES = 5 * MAX_JSON_BYTES
"""The largest document read, in bytes: no character grows to more than five times its size in JSON (`&` to `&amp;`)."""

_CLASSES: dict[str, type[Bekymringsmelding] | type[Feilmelding]] = {
    f"{{{kind.xml_namespace}}}{kind.xml_root}": kind
    for kind in (
        PrivatBekymringsmelding,
        PrivatBekymringsmeldingV1,
        OffentligBekymringsmelding,
        OffentligBekymringsmeldingV1,
        Feilmelding,
    )
}
_SCHEMAS = {
    "urn:no:fiksmelding:bekymringsmelding:v1": "bekymringsmelding-v1.xsd",
    "urn:no:fiksmelding:bekymringsmelding:v2": "bekymringsmelding-v2.xsd",
    "urn:no:fiksmelding:kvittering:v1": "kvittering-v1.xsd",
}
_MAX_ATTRIBUTES = 8
"""One of ours, and what XML Schema allows on any element; the validator is slow where there are very many."""

_DECLARED_ENCODING = re.compile(rb"""<\?xml[^>]{0,100}?\sencoding\s*=\s*["']([^"'>]{0,40})["']""")
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(\\))|\\")


def parse_xml(data: bytes) -> Bekymringsmelding | Feilmelding:
    """Read a message from XML.

    The root element and its namespace tell which message it is. Nothing is fetched and no file is read: a document type
    declaration is refused, and XInclude is not followed.

    Args:
        data: The XML, in UTF-8 without byte order mark.

    Raises:
        InvalidMessage: If it is not well-formed, not valid under our schema, or its content is not valid.
    """
    root = _parse(data)
    kind = _CLASSES.get(str(root.tag))
    if kind is None:
        raise InvalidMessage([Problem("", "the root element is none of this library's messages with a content")])
    # Each attribute takes an equals sign, and most documents have too few of them to be worth the search.
    if data.count(b"=") > _MAX_ATTRIBUTES and root.xpath(f"boolean(//*[count(@*) > {_MAX_ATTRIBUTES}])"):
        raise InvalidMessage([Problem("", f"an element has more than {_MAX_ATTRIBUTES} attributes")])
    schema = load_schema(_SCHEMAS[kind.xml_namespace])
    if not schema.validate(root):
        raise InvalidMessage(schema_problems(schema.error_log, root, kind))
    return model_from(_document(root, kind, (), f"{{{kind.xml_namespace}}}"), kind)


def _parse(data: bytes) -> etree._Element:
    _check_encoding(data)
    if b"<!DOCTYPE" in data:
        _refuse_document_type(data)
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=True,  # long texts; entities cannot occur, and the size is limited already
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        line, column = error.position
    # The parser's own text may quote the document, so it is neither shown nor chained.
    raise InvalidMessage([Problem("", f"not well-formed XML (line {line} column {column})")])


def _check_encoding(data: bytes) -> None:
    if len(data) > MAX_XML_BYTES:
        raise InvalidMessage([Problem("", f"larger than {MAX_XML_BYTES} bytes")])
    declared = _DECLARED_ENCODING.match(data)
    if declared and declared.group(1).lower() not in {b"utf-8", b"us-ascii"}:
        raise InvalidMessage([Problem("", "the XML declaration names another encoding than UTF-8")])
    if data.startswith(BYTE_ORDER_MARKS):
        raise InvalidMessage([Problem("", "begins with a byte order mark: UTF-8 without one is required")])
    try:
        data.decode()
    except UnicodeDecodeError as error:
        position = error.start
    else:
        return
    raise InvalidMessage([Problem("", f"not UTF-8 (byte {position})")])


def _refuse_document_type(data: bytes) -> None:
    """Refuse a document type declaration; the same characters inside a CDATA section or a comment are only text."""

    def refuse(*_: object) -> None:
        raise InvalidMessage([Problem("", "a document type declaration is not allowed")])

    scanner = expat.ParserCreate("utf-8")
    scanner.StartDoctypeDeclHandler = refuse
    try:
        scanner.Parse(data, True)
    except expat.ExpatError:
        return  # not well-formed: the real parser says where


def _document(
    element: etree._Element, kind: type[Part], where: tuple[str | int, ...], prefix: str
) -> dict[str, object]:
    """The JSON object that a valid element stands for."""
    children: dict[str, list[etree._Element]] = {}
    for child in element:
        children.setdefault(str(child.tag).removeprefix(prefix), []).append(child)
    document: dict[str, object] = {}
    for field in fields_of(kind):
        found = children.get(field.name, [])
        if field.kind is FieldKind.PARTS and field.part:
            document[field.name] = [
                _document(child, field.part, (*where, field.name, index), prefix) for index, child in enumerate(found)
            ]
        elif found:
            here = (*where, field.name)
            if field.kind is FieldKind.PART and field.part:
                document[field.name] = _document(found[0], field.part, here, prefix)
            elif field.kind is FieldKind.BOOLEAN:
                document[field.name] = (found[0].text or "").strip() in {"true", "1"}
            else:
                document[field.name] = _text(found[0], here)
    for child in children.get(UNKNOWN_MEMBERS, []):
        _add_unknown(document, kind, child, where)
    return document


def _text(element: etree._Element, where: tuple[str | int, ...]) -> str:
    text = element.text or ""
    if element.get(ESCAPED, "").strip() not in {"true", "1"}:
        return text

    def unescape(found: re.Match[str]) -> str:
        code, backslash = found.groups()
        if backslash:
            return "\\"
        if code is None or "D800" <= code.upper() <= "DFFF":
            raise InvalidMessage([Problem(pointer(where), "an escape that is neither \\uXXXX nor a doubled backslash")])
        return chr(int(code, 16))

    return _ESCAPE.sub(unescape, text)


def _add_unknown(
    document: dict[str, object], kind: type[Part], element: etree._Element, where: tuple[str | int, ...]
) -> None:
    here = pointer((*where, UNKNOWN_MEMBERS))
    try:
        members = read_json((element.text or "").encode())
    except InvalidMessage as error:
        raise InvalidMessage([Problem(here, problem.reason) for problem in error.problems]) from None
    if not isinstance(members, dict):
        raise InvalidMessage([Problem(here, "must be a JSON object")])
    if any(field.name in members for field in fields_of(kind)):
        raise InvalidMessage([Problem(here, "holds a member that has an element of its own")])
    document.update(members)
