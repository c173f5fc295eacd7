"""A document to a model, and everything that is wrong with it when it is not one."""

from collections.abc import Iterator
from typing import TypeAlias, TypeVar

from pydantic import ValidationError

from fiksmelding.errors import InvalidMessage, Problem
from fiksmelding.messages.base import FieldKind, Part, fields_of

__all__ = ["Place", "model_from", "pointer"]

Place: TypeAlias = tuple[str | int, ...]
"""Member names and list indexes, from the outermost in."""

PartType = TypeVar("PartType", bound=Part)

_ENOUGH = 1000
"""After so many problems no further items of a list are looked at."""

_REASONS = {
    "missing": "is required and missing",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "dict_type": "must be an object",
    "tuple_type": "must be a list",
    "string_pattern_mismatch": "does not have the required form",
    "string_unicode": "holds a lone surrogate, which is no character",
}


def model_from(document: object, kind: type[PartType]) -> PartType:
    """Make a model of a JSON value.

    Args:
        document: What the JSON or XML reader read.
        kind: The class of message it should be.

    Raises:
        InvalidMessage: With every problem (the first thousand or so), none of them holding a value.
    """
    try:
        return _validated(document, kind)
    except ValidationError:
        pass
    # Raised outside the handler: pydantic's error refers to the document, and a traceback is easily logged.
    raise InvalidMessage(_problems(document, kind, ()))


def _validated(document: object, kind: type[PartType]) -> PartType:
    return kind.model_validate(document, by_alias=True, by_name=False)


def _problems(document: object, kind: type[Part], where: Place) -> list[Problem]:
    """Everything wrong with a document; the items of its lists one by one, for the model stops at the first bad one."""
    lists = {
        field.name: (field, value)
        for field in fields_of(kind)
        if field.kind is FieldKind.PARTS and isinstance(value := _member(document, field.name), list)
    }
    found = [problem for step, problem in _own_problems(document, kind, where) if step not in lists]
    for name, (field, items) in lists.items():
        reason = field.count_reason(len(items))
        if reason:
            found.append(Problem(pointer((*where, name)), reason))
        for index, item in enumerate(items):
            if len(found) >= _ENOUGH:
                break
            if field.part:
                found.extend(_problems(item, field.part, (*where, name, index)))
    return found


def _member(document: object, name: str) -> object:
    return document.get(name) if isinstance(document, dict) else None


def _own_problems(document: object, kind: type[Part], where: Place) -> Iterator[tuple[str | int | None, Problem]]:
    """What the model finds, each with the member it is in."""
    try:
        _validated(document, kind)
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_context=False, include_input=False):
            place = detail["loc"]
            reason = _REASONS.get(detail["type"], detail["msg"])
            yield (place[0] if place else None), Problem(pointer((*where, *place)), reason)


def pointer(place: Place) -> str:
    """A place in a document as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in place)
