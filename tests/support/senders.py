"""Reports to send, and settings that hurry."""

import json

from fiksmelding.config import Settings
from fiksmelding.messages import Bekymringsmelding, Feilmelding, MessageType, parse_json
from fiksmelding.simulator import Simulator
from support.documents import example


def report(
    message_type: MessageType = MessageType.PRIVAT_V2, *, kommunenummer: str = "4601", **members: object
) -> Bekymringsmelding:
    """The example of a message type, for a municipality."""
    document = json.loads(example(message_type)) | {"kommunenummer": kommunenummer, **members}
    message = parse_json(json.dumps(document).encode(), message_type)
    assert not isinstance(message, Feilmelding)
    return message


def hurried(settings: Settings, **policy: object) -> Settings:
    """Settings whose waits are short."""
    quick = {"retry_first_seconds": 0.02, "retry_longest_seconds": 0.1, "status_first_seconds": 0.02}
    sender = settings.sender.model_copy(update={**quick, "status_longest_seconds": 0.1, **policy})
    platform = settings.platform.model_copy(update={"timeout_seconds": 10.0, "attempts": 2})
    return settings.model_copy(update={"sender": sender, "platform": platform})


def school(fiks: Simulator, **policy: object) -> Settings:
    """Settings of the school that reports."""
    return hurried(fiks.settings_for("skole"), **policy)
