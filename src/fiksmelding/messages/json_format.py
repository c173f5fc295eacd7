"""The official JSON (contract section 9) to models."""

from fiksmelding.errors import InvalidMessage, Problem
from fiksmelding.messages.json_text import read_json
from fiksmelding.messages.reports import (
    Bekymringsmelding,
    Feilmelding,
    OffentligBekymringsmelding,
    OffentligBekymringsmeldingV1,
    PrivatBekymringsmelding,
    PrivatBekymringsmeldingV1,
)
from fiksmelding.messages.types import MessageType
from fiksmelding.messages.validation import model_from

__all__ = ["parse_json"]

_CLASSES: dict[str, type[Bekymringsmelding] | type[Feilmelding]] = {
    MessageType.PRIVAT_V1: PrivatBekymringsmeldingV1,
    MessageType.PRIVAT_V2: PrivatBekymringsmelding,
    MessageType.OFFENTLIG_V1: OffentligBekymringsmeldingV1,
    MessageType.OFFENTLIG_V2: OffentligBekymringsmelding,
    MessageType.FEILET: Feilmelding,
}


def parse_json(data: bytes, message_type: str) -> Bekymringsmelding | Feilmelding:
    """Read a message from its official JSON.

    Args:
        data: The JSON, in UTF-8 without byte order mark.
        message_type: The message type it came under (header `type`).

    Returns:
        The model; whatever the official schema of the type accepts, unknown members included, is in it.

    Raises:
        InvalidMessage: If it is not JSON, not what the official schema of the type accepts, or the type has no body.
    """
    kind = _CLASSES.get(message_type)
    if kind is None:
        raise InvalidMessage([Problem("", "a message of this type has no JSON body that is known here")])
    return model_from(read_json(data), kind)
