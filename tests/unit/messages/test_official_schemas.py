"""The differential test: our verdict, and the lossless laws, on documents drawn from the official JSON Schemas.

`FIKSMELDING_EXAMPLES` sets how many documents are drawn for each message type and law (the full run: 2000).
"""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from fiksmelding.errors import InvalidMessage
from fiksmelding.messages import Bekymringsmelding, Feilmelding, MessageType, parse_json
from fiksmelding.messages.schemas import load_schema, schema_folder
from support.documents import OFFICIAL_SCHEMAS, SCHEMA_FILES, example
from support.drawing import REFERENCE, SCHEMAS, documents, judge, settled
from support.laws import assert_lossless, assert_xml_valid
from support.naive_xml import NotRepresentable, naive_xml, writable
from support.schema_strategies import Json, mutated
from support.tools import run

EXAMPLES = int(os.environ.get("FIKSMELDING_EXAMPLES", "100"))
LONG = max(90, EXAMPLES)


def problem_places(document: Json, message_type: MessageType) -> set[str]:
    """The JSON pointers of what we find wrong; none when we accept."""
    try:
        parse_json(json.dumps(document).encode(), message_type)
    except InvalidMessage as error:
        return {problem.path for problem in error.problems}
    return set()


pytestmark = [
    pytest.mark.timeout(LONG),
    pytest.mark.skipif(
        REFERENCE is None, reason="the official JSON Schemas are not beside the project (../shared/reference)"
    ),
]

EVERY_TYPE = pytest.mark.parametrize("message_type", list(OFFICIAL_SCHEMAS), ids=lambda found: found.name)


@EVERY_TYPE
def test_what_the_official_schema_accepts_survives_every_conversion(message_type: MessageType) -> None:
    validator = judge(message_type)

    @settled(EXAMPLES)
    @given(documents(message_type))
    def law(document: Json) -> None:
        validator.validate(document)
        message = assert_lossless(document, message_type)
        assert_xml_valid(message)

    law()


@EVERY_TYPE
def test_our_verdict_on_broken_documents_and_its_places_are_the_official_ones(message_type: MessageType) -> None:
    validator = judge(message_type)
    verdicts = []

    @settled(EXAMPLES)
    @given(mutated(documents(message_type)))
    def law(document: Json) -> None:
        theirs = {pointer for error in validator.iter_errors(document) for pointer in places(error)}
        verdicts.append(not theirs)
        assert problem_places(document, message_type) == theirs
        if not theirs:
            assert_lossless(document, message_type)

    law()
    assert verdicts.count(False) > EXAMPLES // 10, "the mutations no longer break enough documents"


@EVERY_TYPE
def test_the_xml_schema_takes_exactly_what_the_official_schema_takes(message_type: MessageType) -> None:
    validator = judge(message_type)
    kind = type(parse_json(example(message_type), message_type))
    private = message_type in {MessageType.PRIVAT_V1, MessageType.PRIVAT_V2}
    verdicts = []

    @settled(EXAMPLES)
    @given(st.one_of(documents(message_type), mutated(documents(message_type))))
    def law(drawn: Json) -> None:
        document = writable(drawn)
        if not isinstance(document, dict) or (private and "privatBarn" not in document):
            return  # in XML an absent list and an empty one are the same: no element
        accepted = validator.is_valid(document)
        number = document.get("kommunenummer")
        if not accepted and isinstance(number, str) and not number.isascii():
            # The XML schema does not tell digits of other scripts from letters.
            document["kommunenummer"] = "0301" if re.fullmatch(r"\d{4}", number) else "x"
        try:
            schema = SCHEMAS[OFFICIAL_SCHEMAS[message_type]]
            xml = naive_xml(document, schema, namespace=kind.xml_namespace, root=kind.xml_root)
        except NotRepresentable:
            return
        verdicts.append(accepted)
        assert load_schema(SCHEMA_FILES[kind.xml_namespace]).validate(etree.fromstring(xml)) == accepted

    law()
    assert verdicts.count(True) > EXAMPLES // 20
    if message_type is not MessageType.FEILET:  # hardly anything that XML can say is no valid `feilet`
        assert verdicts.count(False) > EXAMPLES // 50


def places(error: jsonschema.ValidationError) -> Iterator[str]:
    """Where an error is; a missing member is where it should have been."""
    path = list(error.absolute_path)
    if error.validator == "required":
        present = error.instance
        path.append(
            next(name for name in error.validator_value if f"'{name}'" in error.message and name not in present)
        )
    yield "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


@pytest.fixture(scope="module", params=list(OFFICIAL_SCHEMAS), ids=lambda found: found.name)
def corpus(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """The schema, and XML files of drawn messages that should be valid under it."""
    folder = tmp_path_factory.mktemp("corpus")
    messages: list[Bekymringsmelding | Feilmelding] = []

    @settled(EXAMPLES)
    @given(documents(request.param))
    def collect(document: Json) -> None:
        messages.append(parse_json(json.dumps(document).encode(), request.param))

    collect()
    files = []
    for number, message in enumerate(messages):
        files.append(folder / f"{number}.xml")
        files[-1].write_bytes(message.to_xml())
    return schema_folder() / SCHEMA_FILES[messages[0].xml_namespace], files


def test_xmllint_finds_every_drawn_message_valid(corpus: tuple[Path, list[Path]]) -> None:
    schema, files = corpus
    run("xmllint", "--noout", "--nonet", "--huge", "--schema", schema, *files)


def test_the_jdk_finds_every_drawn_message_valid(corpus: tuple[Path, list[Path]]) -> None:
    schema, files = corpus
    program = Path(__file__).resolve().parents[2] / "support" / "java" / "Validate.java"
    printed = run("java", program, schema, *files).decode().splitlines()
    assert printed == [f"valid={len(files)}"]


def test_xmlschema_finds_every_drawn_message_valid(corpus: tuple[Path, list[Path]]) -> None:
    schema, files = corpus
    validator = xmlschema.XMLSchema10(str(schema))
    for path in files:
        validator.validate(str(path))
