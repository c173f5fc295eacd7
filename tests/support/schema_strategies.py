"""Hypothesis strategies that draw documents from a JSON Schema, and mutations that may break them.

Only the keywords that the official schemas use are known; another one is an error, so that nothing is left untested
when the schemas grow.
"""

import copy
import re
from collections.abc import Mapping
from typing import TypeAlias

from hypothesis import strategies as st

Json: TypeAlias = "dict[str, Json] | list[Json] | str | bool | int | float | None"
Schema: TypeAlias = Mapping[str, "Json"]

KNOWN_KEYWORDS = frozenset(
    {
        "$schema",
        "$id",
        "$ref",
        "definitions",
        "format",
        "items",
        "maxItems",
        "minItems",
        "minLength",
        "pattern",
        "properties",
        "required",
        "title",
        "type",
    }
)
AWKWARD_TEXTS = (
    "",
    " ",
    "  foran og bak  ",
    "\t\n",
    "linje 1\r\nlinje 2\rlinje 3\nlinje 4",
    "\x00\x01\x1f\ufffe\uffff",
    "\\u0000 C:\\temp\\ny",
    "]]><![CDATA[<a>&amp;<!-- -->\x0b",
    "<!DOCTYPE x [<!ENTITY e 'e'>]>&e;",
    "æøå ČčĐđŊŋŠšŦŧŽž Ελληνικά Кириллица العربية",
    "\U0001f600\U0010ffff\u2028\u2029\x85\x7f",
    "e\u0301\u200d\u202e",
    "*fet* #panic() $x$ `kode` @ref",
)


def texts() -> st.SearchStrategy[str]:
    """Any text, lone surrogates aside, and often an awkward one."""
    return st.one_of(st.sampled_from(AWKWARD_TEXTS), st.text(st.characters(exclude_categories=["Cs"]), max_size=8))


def values() -> st.SearchStrategy[Json]:
    """Any JSON value."""
    leaves = st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts()
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts(), inner, max_size=3)),
        max_leaves=4,
    )


class Drawer:
    """Draws documents that a schema accepts.

    Args:
        schemas: Every schema by its `$id`.
    """

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self._schemas = schemas

    def documents(self, schema: Schema) -> st.SearchStrategy[Json]:
        """Documents that `schema` accepts."""
        return self._of(schema, schema)

    def _of(self, schema: Schema, root: Schema) -> st.SearchStrategy[Json]:
        unknown = schema.keys() - KNOWN_KEYWORDS
        assert not unknown, f"the schema uses keywords that are not drawn: {unknown}"
        if "$ref" in schema:
            return self._of(*self.resolve(str(schema["$ref"]), root))
        kind = schema["type"]
        if kind == "string":
            pattern = schema.get("pattern")
            if pattern is None or pattern == "^(.*)$":
                return texts().map(one_line) if pattern else texts()
            return st.from_regex(re.compile(str(pattern)))
        if kind == "boolean":
            return st.booleans()
        if kind == "array":
            items = schema["items"]
            assert isinstance(items, dict)
            least, most = schema.get("minItems", 0), schema.get("maxItems", 2)
            assert isinstance(least, int)
            assert isinstance(most, int)
            return st.lists(self._of(items, root), min_size=least, max_size=most).map(list)
        assert kind == "object", f"no strategy for {kind}"
        return self._object(schema, root)

    def _object(self, schema: Schema, root: Schema) -> st.SearchStrategy[Json]:
        properties, required = schema.get("properties", {}), schema.get("required", [])
        assert isinstance(properties, dict)
        assert isinstance(required, list)
        drawn = {name: self._of(inner, root) for name, inner in properties.items() if isinstance(inner, dict)}
        fixed = st.fixed_dictionaries(
            {name: drawn[name] for name in required if isinstance(name, str)},
            optional={name: inner for name, inner in drawn.items() if name not in required},
        )
        names = texts().filter(lambda name: name not in properties)
        extra: st.SearchStrategy[dict[str, Json]] = st.one_of(
            st.just({}), st.just({}), st.dictionaries(names, values(), min_size=1, max_size=2)
        )
        return st.tuples(fixed, extra).map(lambda pair: {**pair[1], **pair[0]})

    def resolve(self, reference: str, root: Schema) -> tuple[Schema, Schema]:
        """What a reference points at, and the schema it stands in."""
        if reference.startswith("#/definitions/"):
            definitions = root["definitions"]
            assert isinstance(definitions, dict)
            found = definitions[reference.removeprefix("#/definitions/")]
            assert isinstance(found, dict)
            return found, root
        name = reference.rsplit("/", 1)[-1]
        other = next(schema for place, schema in self._schemas.items() if place.endswith(name))
        return other, other


def one_line(text: str) -> str:
    """What is left of a text where only one line may stand, with a final line end sometimes."""
    return text.replace("\n", "") + ("\n" if len(text) % 5 == 4 else "")


@st.composite
def mutated(draw: st.DrawFn, documents: st.SearchStrategy[Json]) -> Json:
    """Documents with one to three changes, which may or may not break them."""
    document = copy.deepcopy(draw(documents))
    for _ in range(draw(st.integers(1, 3))):
        document = _change(draw, document)
    return document


def _change(draw: st.DrawFn, document: Json) -> Json:
    """Change something somewhere below, or here."""
    if isinstance(document, dict) and document and draw(st.integers(0, 5)):
        name = draw(st.sampled_from(sorted(document)))
        action = draw(st.sampled_from(["below", "below", "remove", "rename"]))
        if action == "below":
            document[name] = _change(draw, document[name])
        else:
            value = document.pop(name)
            if action == "rename":
                document[draw(st.sampled_from([name.upper(), name + " ", f"x{name}"]))] = value
        return document
    if isinstance(document, list) and document and draw(st.integers(0, 3)):
        index = draw(st.integers(0, len(document) - 1))
        action = draw(st.sampled_from(["below", "below", "remove", "repeat"]))
        if action == "below":
            document[index] = _change(draw, document[index])
        elif action == "remove":
            del document[index]
        else:
            document.extend([copy.deepcopy(document[index]), copy.deepcopy(document[index])])
        return document
    if isinstance(document, str) and draw(st.booleans()):
        return draw(
            st.sampled_from([document + "\n", document + "\nx", document + "\n\n", "x" + document, document[:-1]])
        )
    return draw(values())
