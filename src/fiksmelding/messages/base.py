"""What every part of a message shares: immutable, official names outside, unknown members kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, ClassVar, TypeAlias, cast, get_args, get_origin

from annotated_types import Len
from pydantic import (
    BaseModel,
    ConfigDict,
    GetCoreSchemaHandler,
    PlainValidator,
    StringConstraints,
)
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema

from fiksmelding.messages.json_text import MAX_DEPTH, JsonValue

__all__ = [
    "Field",
    "FieldKind",
    "Line",
    "NotNull",
    "OptionalLine",
    "OptionalText",
    "Part",
    "Text",
    "fields_of",
]

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


class NotNull:
    """Marks an optional member: it may be absent, but a document may not say `null`."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """The schema of the type without None; the default None is not validated."""
        schema = handler(source)
        return schema["schema"] if schema["type"] == "nullable" else schema


# Any constraint makes pydantic look at the characters, and so refuse a lone surrogate.
Text: TypeAlias = Annotated[str, StringConstraints(strict=True, min_length=0)]
"""Any text, the empty one and several lines included."""

OptionalText: TypeAlias = Annotated[Text | None, NotNull()]
"""Text that may be absent, which is not the same as empty."""

LINE_PATTERN = r"^[^\n]*\n?$"
"""The official `^(.*)$` as the `jsonschema` library reads it (a final line end passes), for pydantic's own engine."""

Line: TypeAlias = Annotated[str, StringConstraints(strict=True, pattern=LINE_PATTERN)]
"""Text of one line, as the official schemas say it."""

OptionalLine: TypeAlias = Annotated[Line | None, NotNull()]
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
    )
    __pydantic_extra__: dict[str, Annotated[object, PlainValidator(freeze)]]

    if not TYPE_CHECKING:  # type checkers know the constructor by the fields

        def __init__(self, /, **members: object) -> None:
            """A program may say None for what is absent, which a document may not."""
            optional = _optional_names(type(self))
            super().__init__(
                **{name: value for name, value in members.items() if value is not None or name not in optional}
            )

        __init__.__pydantic_base_init__ = True  # so that validating a document does not go through here

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
        least: The fewest parts it may hold.
        most: The most; None is no limit.
    """

    attribute: str
    name: str
    kind: FieldKind
    required: bool
    part: type[Part] | None = None
    least: int = 0
    most: int | None = None

    def count_reason(self, count: int) -> str:
        """Why `count` parts are too few or too many; "" if they are neither."""
        if count < self.least:
            return f"must have at least {self.least} item"
        if self.most is not None and count > self.most:
            return f"must have at most {self.most} items"
        return ""


@cache
def fields_of(part: type[Part]) -> tuple[Field, ...]:
    """The fields of a kind of part, in the official schema's order."""
    return tuple(_field(attribute, info) for attribute, info in part.model_fields.items())


@cache
def _optional_names(part: type[Part]) -> frozenset[str]:
    return frozenset(name for field in fields_of(part) if not field.required for name in (field.attribute, field.name))


def _field(attribute: str, info: FieldInfo) -> Field:
    name = info.alias or attribute
    classes = [found for found in (info.annotation, *get_args(info.annotation)) if isinstance(found, type)]
    part = next((found for found in classes if issubclass(found, Part)), None)
    if get_origin(info.annotation) is tuple:
        count = next((found for found in info.metadata if isinstance(found, Len)), Len())
        return Field(attribute, name, FieldKind.PARTS, info.is_required(), part, count.min_length, count.max_length)
    if part is not None:
        return Field(attribute, name, FieldKind.PART, info.is_required(), part)
    return Field(attribute, name, FieldKind.BOOLEAN if bool in classes else FieldKind.TEXT, info.is_required())
