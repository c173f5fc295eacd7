"""The differential test: our verdict, and the lossless laws, on documents drawn from the official JSON Schemas.

`FIKSMELDING_EXAMPLES` sets how many documents are drawn for each message type and law (the full run: 2000).
"""

import json
import os
from collections.abc import Iterator

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from referencing import Registry, Resource

from fiksmelding.errors import InvalidMessage
from fiksmelding.messages import MessageType, parse_json
from support.documents import OFFICIAL_SCHEMAS, reference_folder
from support.laws import assert_lossless, assert_xml_valid
from support.schema_strategies import Drawer, Json, mutated

REFERENCE = reference_folder()
pytestmark = pytest.mark.skipif(
    REFERENCE is None, reason="the official JSON Schemas are not beside the project (../shared/reference)"
)
EXAMPLES = int(os.environ.get("FIKSMELDING_EXAMPLES", "150"))
LONG = max(90, EXAMPLES)


def official() -> Iterator[tuple[str, dict[str, object]]]:
    """Every official schema, by its path below the folder of schemas."""
    if REFERENCE is not None:
        for path in sorted((REFERENCE / "json-schema").rglob("*.json")):
            schema = json.loads(path.read_text("utf-8"))
            if "$schema" in schema:
                yield path.relative_to(REFERENCE / "json-schema").as_posix(), schema


SCHEMAS = dict(official())
# The schemas refer to each other by their place in the folder, which their `$id` does not have.
REGISTRY: Registry[object] = Registry().with_resources(
    (f"https://schemas.test/{place}", Resource.from_contents({**schema, "$id": f"https://schemas.test/{place}"}))
    for place, schema in SCHEMAS.items()
)
DRAWER = Drawer({str(schema["$id"]): schema for schema in SCHEMAS.values()})  # type: ignore[misc]


def judge(message_type: MessageType) -> jsonschema.Draft201909Validator:
    place = OFFICIAL_SCHEMAS[message_type]
    schema = {**SCHEMAS[place], "$id": f"https://schemas.test/{place}"}
    return jsonschema.Draft201909Validator(schema, registry=REGISTRY)


def documents(message_type: MessageType) -> st.SearchStrategy[Json]:
    return DRAWER.documents(SCHEMAS[OFFICIAL_SCHEMAS[message_type]])  # type: ignore[arg-type]


def problem_places(document: Json, message_type: MessageType) -> set[str]:
    """The JSON pointers of what we find wrong; none when we accept."""
    try:
        parse_json(json.dumps(document).encode(), message_type)
    except InvalidMessage as error:
        return {problem.path for problem in error.problems}
    return set()


def settled(examples: int) -> settings:
    return settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )


EVERY_TYPE = pytest.mark.parametrize("message_type", list(OFFICIAL_SCHEMAS), ids=lambda found: found.name)


@pytest.mark.timeout(LONG)
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


@pytest.mark.timeout(LONG)
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


def places(error: jsonschema.ValidationError) -> Iterator[str]:
    """Where an error is; a missing member is where it should have been."""
    path = list(error.absolute_path)
    if error.validator == "required":
        present = error.instance
        path.append(
            next(name for name in error.validator_value if f"'{name}'" in error.message and name not in present)
        )
    yield "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
