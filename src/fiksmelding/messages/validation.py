"""A document to a model, and everything that is wrong with it when it is not one."""

from typing import TypeVar

from pydantic import ValidationError

from fiksmelding.errors import InvalidMessage, Problem
from fiksmelding.messages.base import FROM_DOCUMENT, FieldKind, Part, fields_of

__all__ = ["model_from", "pointer"]

PartType = TypeVar("PartType", bound=Part)

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
        InvalidMessage: With every problem, none of them holding a value.
    """
    try:
        return kind.model_validate(document, by_alias=True, by_name=False, context=FROM_DOCUMENT)
    except ValidationError as error:
        found = [
            Problem(pointer(detail["loc"]), _REASONS.get(detail["type"], detail["msg"]))
            for detail in error.errors(include_url=False, include_context=False, include_input=False)
        ]
    found.extend(problem for problem in _wrong_lengths(document, kind, ()) if problem not in found)
    # Raised outside the handler: pydantic's error refers to the document, and a traceback is easily logged.
    raise InvalidMessage(found)


def _wrong_lengths(document: object, kind: type[Part], where: tuple[str | int, ...]) -> list[Problem]:
    """Lists of a wrong length: the model itself stops at their items when those are wrong too."""
    found = []
    if isinstance(document, dict):
        for field in fields_of(kind):
            value = document.get(field.name)
            if field.kind is FieldKind.PARTS and isinstance(value, list):
                reason = field.items.reason(len(value))
                if reason:
                    found.append(Problem(pointer((*where, field.name)), reason))
    return found


def pointer(place: tuple[str | int, ...]) -> str:
    """A place in a document as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in place)
