"""The laws of lossless conversion, for any document that the official schema of its type accepts."""

import json

from lxml import etree

from fiksmelding.messages import Bekymringsmelding, Feilmelding, MessageType, parse_json, parse_xml
from fiksmelding.messages.schemas import load_schema
from support.documents import SCHEMA_FILES


def assert_lossless(document: object, message_type: MessageType) -> Bekymringsmelding | Feilmelding:
    """JSON in and out is an equal value, XML in and out an equal message."""
    message = parse_json(json.dumps(document).encode(), message_type)
    assert strict(json.loads(message.to_json())) == strict(document)
    again = parse_xml(message.to_xml())
    assert again == message
    assert again.to_json() == message.to_json()
    return message


def assert_xml_valid(message: Bekymringsmelding | Feilmelding) -> None:
    """The message's XML is valid under our schema, as libxml2 judges."""
    schema = load_schema(SCHEMA_FILES[message.xml_namespace])
    schema.assertValid(etree.fromstring(message.to_xml()))


def strict(value: object) -> object:
    """A JSON value in which `1`, `1.0` and `true` are not equal, as they are in Python."""
    if isinstance(value, dict):
        return {name: strict(member) for name, member in value.items()}
    if isinstance(value, list):
        return [strict(item) for item in value]
    return (type(value).__name__, value)
