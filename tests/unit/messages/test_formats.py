"""JSON and XML in and out, by way of the example documents."""

import json
from pathlib import Path
from typing import Any

import pytest
import xmlschema
from lxml import etree
from pydantic import ValidationError

from fiksmelding.errors import InvalidMessage
from fiksmelding.messages import (
    Adresse,
    MessageType,
    OffentligBekymringsmelding,
    OffentligBekymringsmeldingV1,
    parse_json,
    parse_xml,
)
from fiksmelding.messages.schemas import load_schema, schema_folder
from support.documents import EXAMPLE_FILES, EXAMPLES, SCHEMA_FILES, example, example_document
from support.tools import run

EVERY_TYPE = pytest.mark.parametrize("message_type", EXAMPLE_FILES)
XML_FILES = sorted(EXAMPLES.glob("*.xml"))


def schema_of(path: Path) -> str:
    return SCHEMA_FILES[etree.QName(etree.parse(str(path)).getroot()).namespace or ""]


@EVERY_TYPE
def test_an_example_comes_out_as_it_went_in(message_type: MessageType) -> None:
    message = parse_json(example(message_type), message_type)
    assert message.message_type == message_type
    assert json.loads(message.to_json()) == json.loads(example(message_type))
    assert parse_xml(message.to_xml()) == message


@EVERY_TYPE
def test_the_xml_beside_an_example_is_the_same_message(message_type: MessageType) -> None:
    xml = (EXAMPLES / f"{EXAMPLE_FILES[message_type]}.xml").read_bytes()
    assert parse_xml(xml) == parse_json(example(message_type), message_type)


@pytest.mark.parametrize("path", XML_FILES, ids=lambda path: path.name)
def test_every_example_is_valid_for_three_validators(path: Path) -> None:
    schema = schema_of(path)
    assert load_schema(schema).validate(etree.parse(str(path)))
    xmlschema.XMLSchema10(str(schema_folder() / schema)).validate(str(path))
    run("xmllint", "--noout", "--nonet", "--schema", schema_folder() / schema, path)


def test_attributes_have_the_official_names_in_snake_case() -> None:
    message = parse_json(example(MessageType.OFFENTLIG_V2), MessageType.OFFENTLIG_V2)
    assert isinstance(message, OffentligBekymringsmelding)
    assert [child.personnavn for child in message.offentlig_barn] == ["Ola Testbarn", "Ida Testbarn"]
    assert message.melding.andre_synspunkter


def test_a_member_named_as_the_attribute_is_unknown_and_kept() -> None:
    document = example_document(MessageType.OFFENTLIG_V2) | {"offentlig_barn": 7}
    message = parse_json(json.dumps(document).encode(), MessageType.OFFENTLIG_V2)
    assert message.unknown_members == {"offentlig_barn": 7}
    assert json.loads(message.to_json()) == document


def test_other_views_are_an_unknown_member_of_any_sort_in_version_1() -> None:
    document = example_document(MessageType.OFFENTLIG_V1)
    document["melding"] = {"melding": "a", "historie": "b", "andreSynspunkter": [1]}
    message = parse_json(json.dumps(document).encode(), MessageType.OFFENTLIG_V1)
    assert isinstance(message, OffentligBekymringsmeldingV1)
    assert message.melding.unknown_members == {"andreSynspunkter": (1,)}
    assert message.melding.andre_synspunkter is None
    with pytest.raises(InvalidMessage):
        parse_json(json.dumps(document).encode(), MessageType.OFFENTLIG_V2)


def test_a_message_cannot_be_changed() -> None:
    address = Adresse(adresselinje1="Furulia 12", etasje=[1, {"a": 2}])
    with pytest.raises(ValidationError):
        address.poststed = "Bergen"  # type: ignore[misc]
    members: Any = address.unknown_members
    with pytest.raises(TypeError):
        members["etasje"] = 2
    with pytest.raises(TypeError):
        members["etasje"][1]["a"] = 3
    assert address.unknown_members == {"etasje": (1, {"a": 2})}


def test_a_program_may_say_none_for_what_is_absent_but_a_document_may_not() -> None:
    assert Adresse(adresselinje1="x", poststed=None).document() == {"adresselinje1": "x"}
    document = example_document(MessageType.PRIVAT_V2)
    document["privatMelder"] = {"personnavn": "x", "telefonnummer": None}
    with pytest.raises(InvalidMessage) as caught:
        parse_json(json.dumps(document).encode(), MessageType.PRIVAT_V2)
    assert [problem.path for problem in caught.value.problems] == ["/privatMelder/telefonnummer"]


def test_nothing_of_a_report_is_in_its_repr() -> None:
    message = parse_json(example(MessageType.OFFENTLIG_V2), MessageType.OFFENTLIG_V2)
    assert isinstance(message, OffentligBekymringsmelding)
    assert repr(message) == "OffentligBekymringsmelding()"
    assert "Ola" not in f"{message.offentlig_barn!r} {message}"


@pytest.mark.parametrize("message_type", [MessageType.MOTTATT, MessageType.SERVERFEIL, "no.such.type", ""])
def test_a_type_without_a_body_is_no_message_to_read(message_type: str) -> None:
    with pytest.raises(InvalidMessage):
        parse_json(b"{}", message_type)


@pytest.mark.parametrize("piece", ["a", "&", "\r", "\x7f", "\\\x00", "\U0001f600"], ids=ascii)
def test_a_very_long_text_survives_whatever_it_is_made_of(piece: str) -> None:
    document = example_document(MessageType.PRIVAT_V2) | {"melding": "", "ekstra": {piece: piece * 200_000}}
    data = json.dumps(document | {"melding": piece * 400_000}, ensure_ascii=False).encode()
    message = parse_json(data, MessageType.PRIVAT_V2)
    assert parse_xml(message.to_xml()) == message
    assert parse_json(message.to_json(), MessageType.PRIVAT_V2) == message


def test_members_nested_as_deep_as_may_be_survive() -> None:
    deep = "[" * 190 + "]" * 190
    data = example(MessageType.PRIVAT_V2).replace(b"{", b'{"x": ' + deep.encode() + b",", 1)
    message = parse_json(data, MessageType.PRIVAT_V2)
    assert parse_xml(message.to_xml()) == message
    assert json.loads(message.to_json()) == json.loads(data)
