"""Reports in files: which type they are of, read from JSON or XML."""

import json
from pathlib import Path
from typing import BinaryIO

from fiksmelding.errors import FiksmeldingError, InvalidMessage, Problem
from fiksmelding.messages import Bekymringsmelding, Feilmelding, MessageType, parse_json, parse_xml

PREFIX = "no.ks.fiks.bekymringsmelding."
TYPES_WITH_CONTENT = (
    MessageType.PRIVAT_V2,
    MessageType.OFFENTLIG_V2,
    MessageType.PRIVAT_V1,
    MessageType.OFFENTLIG_V1,
    MessageType.FEILET,
)
LARGEST_BYTES = 64 * 1024 * 1024


def read_document(path: Path, standard_input: BinaryIO) -> bytes:
    """The bytes of a file, or of standard input for `-`.

    Raises:
        FiksmeldingError: It is larger than any report can be.
        OSError: It cannot be read.
    """
    if str(path) == "-":
        data = standard_input.read(LARGEST_BYTES + 1)
    else:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    if len(data) > LARGEST_BYTES:
        raise FiksmeldingError(f"{path} has more than {LARGEST_BYTES} bytes: no report is that large.")
    return data


def is_xml(data: bytes) -> bool:
    """Whether a document looks like XML rather than JSON."""
    return data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<" or data[:2] in {b"\xff\xfe", b"\xfe\xff"}


def parse_document(data: bytes, given: str | None) -> Bekymringsmelding | Feilmelding:
    """The message in a document.

    Args:
        data: JSON or XML.
        given: Message type of JSON, whole or as `privat.v2`; taken from the content when None.

    Raises:
        InvalidMessage: It is not valid.
        FiksmeldingError: There is no such message type.
    """
    return parse_xml(data) if is_xml(data) else parse_json(data, message_type(data, given))


def message_type(data: bytes, given: str | None) -> MessageType:
    """The message type that was given, or the one that the members of the JSON speak for.

    Raises:
        FiksmeldingError: There is no such message type.
    """
    if given is None:
        return _likely_type(data)
    for known in TYPES_WITH_CONTENT:
        if given in {known.value, known.value.removeprefix(PREFIX)}:
            return known
    names = ", ".join(known.value.removeprefix(PREFIX) for known in TYPES_WITH_CONTENT)
    raise FiksmeldingError(f"There is no message type of that name. Known: {names}.")


def _likely_type(data: bytes) -> MessageType:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise InvalidMessage([Problem("", "neither JSON nor XML")]) from None
    members = set(value) if isinstance(value, dict) else set()
    if members <= {"melding"}:
        return MessageType.FEILET
    return MessageType.OFFENTLIG_V2 if {"offentligMelder", "offentligBarn"} & members else MessageType.PRIVAT_V2
