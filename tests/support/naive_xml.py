"""XML straight from a JSON document and its official schema, valid or not, without any of the library's code."""

import json
import re
from collections.abc import Mapping
from xml.sax.saxutils import escape

from support.drawing import DRAWER
from support.schema_strategies import Json, Schema

UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


def writable(document: Json) -> Json:
    """The document with a question mark for each character that XML cannot carry."""
    if isinstance(document, dict):
        return {name: writable(value) for name, value in document.items()}
    if isinstance(document, list):
        return [writable(value) for value in document]
    return UNWRITABLE.sub("?", document) if isinstance(document, str) else document


class NotRepresentable(Exception):
    """A value of another type than the schema has there: XML has no way to say so."""


def naive_xml(document: Json, schema: Schema, *, namespace: str, root: str) -> bytes:
    """The document as XML, members in the schema's order, whether it is valid or not."""
    return f'<{root} xmlns="{namespace}">{_members(document, schema, schema)}</{root}>'.encode()


def _members(document: Json, schema: Schema, root: Schema) -> str:
    if not isinstance(document, dict):
        raise NotRepresentable
    properties = schema["properties"]
    assert isinstance(properties, dict)
    written = []
    for name, inner in properties.items():
        if name in document:
            assert isinstance(inner, dict)
            written.append(_element(name, document[name], inner, root))
    unknown = {name: value for name, value in document.items() if name not in properties}
    if unknown:
        written.append(f"<ukjenteFelter>{escape(json.dumps(unknown))}</ukjenteFelter>")
    return "".join(written)


def _element(name: str, value: Json, schema: Mapping[str, Json], root: Schema) -> str:
    if "$ref" in schema:
        schema, root = DRAWER.resolve(str(schema["$ref"]), root)
    if schema["type"] == "array":
        items = schema["items"]
        assert isinstance(items, dict)
        if not isinstance(value, list):
            raise NotRepresentable
        return "".join(_element(name, item, items, root) for item in value)
    if schema["type"] == "object":
        return f"<{name}>{_members(value, schema, root)}</{name}>"
    if schema["type"] == "boolean" and isinstance(value, bool):
        return f"<{name}>{json.dumps(value)}</{name}>"
    if schema["type"] != "string" or not isinstance(value, str):
        raise NotRepresentable
    text = escape(value, {"\r": "&#13;"})
    return f"<{name}>{text}</{name}>"
