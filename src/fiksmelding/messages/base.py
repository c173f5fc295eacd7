"""What every part of a message shares: immutable, official names outside, unknown members kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from functools import cache
from types import MappingProxyType
from typing import Annotated, ClassVar, TypeAlias, cast, get_args, get_origin

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    PlainValidator,
    StrictStr,
    StringConstraints,
    ValidationInfo,
)
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from fiksmelding.messages.json_text import MAX_DEPTH, JsonValue

__all__ = [
    "FROM_DOCUMENT",
    "REFUSE_NULL",
    "Field",
    "FieldKind",
    "Items",
    "Line",
    "OptionalLine",
    "OptionalText",
    "Part",
    "Text",
    "fields_of",
]

FROM_DOCUMENT = "from a document"
"""The validation context in which `null` is no way to say that a member is absent."""

_INTEGER_LIMIT = 10**4300  # Python writes and reads no longer numbers


def freeze(value: object, depth: int = 0) -> JsonValue:
    """Make a JSON value that cannot be changed.

    Raises:
        ValueError: If it is no JSON value, or one that could not be written and read again.
    """
    if depth > MAX_DEPTH:
        raise ValueError("nested too deep")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        value.encode()  # a lone surrogate is no character: UnicodeEncodeError is a ValueError
        return value
    if isinstance(value, int | float | Decimal):
        return _freeze_number(value)
    if isinstance(value, list | tuple):
        return tuple(freeze(item, depth + 1) for item in value)
    if isinstance(value, Mapping):
        return MappingProxyType({_member_name(name): freeze(item, depth + 1) for name, item in value.items()})
    raise ValueError("not a JSON value")


def _freeze_number(value: float | Decimal) -> int | Decimal:
    if isinstance(value, int):
        if not -_INTEGER_LIMIT < value < _INTEGER_LIMIT:
            raise ValueError("a number has too many digits")
        return value
    number = Decimal(repr(value)) if isinstance(value, float) else value
    if not number.is_finite():
        raise ValueError("JSON has no infinity and no NaN")
    return number


def _member_name(name: object) -> str:
    if not isinstance(name, str):
        raise ValueError("a member's name is text")  # noqa: TRY004 - pydantic turns ValueError into a finding
    name.encode()
    return name


def _refuse_null(value: object, info: ValidationInfo) -> object:
    if value is None and info.context is FROM_DOCUMENT:
        raise PydanticCustomError("null", "null is not allowed: leave the member out")
    return value


@dataclass(frozen=True)
class Items:
    """How many items a list holds: a check that is made after the items' own.

    Attributes:
        least: The fewest.
        most: The most; None is no limit.
    """

    least: int = 0
    most: int | None = None

    def reason(self, count: int) -> str:
        """Why a list of `count` items is too short or too long; "" if it is neither."""
        if count < self.least:
            return f"must have at least {self.least} item"
        if self.most is not None and count > self.most:
            return f"must have at most {self.most} items"
        return ""

    def _check(self, items: tuple[object, ...]) -> tuple[object, ...]:
        reason = self.reason(len(items))
        if reason:
            raise PydanticCustomError("items", "{reason}", {"reason": reason})
        return items

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Check the tuple that `source` describes, once it is made."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))


Text: TypeAlias = StrictStr
"""Any text, the empty one and several lines included."""

REFUSE_NULL = BeforeValidator(_refuse_null)
"""Marks an optional member: it may be absent, but a document may not say `null`."""

OptionalText: TypeAlias = Annotated[StrictStr | None, REFUSE_NULL]
"""Text that may be absent, which is not the same as empty."""

LINE_PATTERN = r"^(.*)$"
Line: TypeAlias = Annotated[str, StringConstraints(strict=True, pattern=LINE_PATTERN)]
"""Text of one line, as the official schemas say it."""

OptionalLine: TypeAlias = Annotated[Line | None, REFUSE_NULL]
"""Text of one line that may be absent."""


class Part(BaseModel):
    """One object of a message: immutable, with every member that came with it.

    Attributes are the official names in snake_case (`offentlig_barn`), and `None` is an optional member that is absent.
    Members that the official schema does not name are kept as they are, in `unknown_members`.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True,
        extra="allow",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        hide_input_in_errors=True,
        regex_engine="python-re",  # the official patterns as the `jsonschema` library reads them
    )
    __pydantic_extra__: dict[str, Annotated[object, PlainValidator(freeze)]]

    @property
    def unknown_members(self) -> Mapping[str, JsonValue]:
        """Members that the official schema does not name, under their own names."""
        return MappingProxyType(cast("dict[str, JsonValue]", self.__pydantic_extra__))

    def document(self) -> dict[str, object]:
        """The JSON object this part is: official names in the schema's order, then the unknown members."""
        found: dict[str, object] = {}
        for field in fields_of(type(self)):
            value = getattr(self, field.attribute)
            if isinstance(value, Part):
                found[field.name] = value.document()
            elif field.kind is FieldKind.PARTS:
                found[field.name] = [item.document() for item in value]
            elif value is not None:
                found[field.name] = value
        found.update(self.__pydantic_extra__)
        return found

    def __repr_args__(self) -> Iterator[tuple[str | None, object]]:
        """Nothing of what a report says: a repr ends up in logs."""
        return iter(())


class FieldKind(Enum):
    """What a field holds."""

    TEXT = auto()
    BOOLEAN = auto()
    PART = auto()
    PARTS = auto()


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a part, as the formats need to know it.

    Attributes:
        attribute: The name in Python.
        name: The official name, in JSON and XML.
        kind: What it holds.
        required: Whether the official schema requires it.
        part: The class of its part or parts; None for text and booleans.
        items: How many parts it may hold.
    """

    attribute: str
    name: str
    kind: FieldKind
    required: bool
    part: type[Part] | None = None
    items: Items = Items()


@cache
def fields_of(part: type[Part]) -> tuple[Field, ...]:
    """The fields of a kind of part, in the official schema's order."""
    return tuple(_field(attribute, info) for attribute, info in part.model_fields.items())


def _field(attribute: str, info: FieldInfo) -> Field:
    name = info.alias or attribute
    classes = [found for found in (info.annotation, *get_args(info.annotation)) if isinstance(found, type)]
    part = next((found for found in classes if issubclass(found, Part)), None)
    if get_origin(info.annotation) is tuple:
        items = next((found for found in info.metadata if isinstance(found, Items)), Items())
        return Field(attribute, name, FieldKind.PARTS, info.is_required(), part, items)
    if part is not None:
        return Field(attribute, name, FieldKind.PART, info.is_required(), part)
    return Field(attribute, name, FieldKind.BOOLEAN if bool in classes else FieldKind.TEXT, info.is_required())
