"""Drawing from the official schemas, shared by the tests that do."""

import json
from collections.abc import Iterator

import jsonschema
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from referencing import Registry, Resource

from fiksmelding.messages import MessageType
from support.documents import OFFICIAL_SCHEMAS, reference_folder
from support.schema_strategies import Drawer, Json, Schema

REFERENCE = reference_folder()


def official() -> Iterator[tuple[str, dict[str, Json]]]:
    """Every official schema, by its path below the folder of schemas."""
    if REFERENCE is not None:
        for path in sorted((REFERENCE / "json-schema").rglob("*.json")):
            schema = json.loads(path.read_text("utf-8"))
            if "$schema" in schema:
                yield path.relative_to(REFERENCE / "json-schema").as_posix(), schema


SCHEMAS: dict[str, Schema] = dict(official())
DRAWER = Drawer({str(schema["$id"]): schema for schema in SCHEMAS.values()})
# The schemas refer to each other by their place in the folder, which their `$id` does not have.
REGISTRY: Registry[object] = Registry().with_resources(
    (f"https://schemas.test/{place}", Resource.from_contents({**schema, "$id": f"https://schemas.test/{place}"}))
    for place, schema in SCHEMAS.items()
)


def judge(message_type: MessageType) -> jsonschema.Draft201909Validator:
    """The official schema of a type, as the `jsonschema` library reads it."""
    place = OFFICIAL_SCHEMAS[message_type]
    schema = {**SCHEMAS[place], "$id": f"https://schemas.test/{place}"}
    return jsonschema.Draft201909Validator(schema, registry=REGISTRY)


def documents(message_type: MessageType) -> st.SearchStrategy[Json]:
    """Documents that the official schema of a type accepts."""
    return DRAWER.documents(SCHEMAS[OFFICIAL_SCHEMAS[message_type]])


def settled(examples: int) -> settings:
    """The same examples each time, as many as asked for, however long each takes."""
    return settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
