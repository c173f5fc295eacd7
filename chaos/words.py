"""What the system that reports and the senders under test say to each other: one JSON object a line."""

import base64
import json
import time
from dataclasses import asdict, dataclass
from typing import Self

__all__ = ["Answer", "Request", "Statement", "heard", "say"]


@dataclass(frozen=True, slots=True)
class Request:
    """A report to send.

    Attributes:
        key: The caller's own key for it.
        message_type: Its type.
        report: Its JSON.
        pdf: Its PDF, in base64.
    """

    key: str
    message_type: str
    report: str
    pdf: str

    @classmethod
    def of(cls, key: str, message_type: str, report: bytes, pdf: bytes) -> Self:
        """Made of bytes."""
        return cls(key, message_type, report.decode(), base64.b64encode(pdf).decode())

    @classmethod
    def read(cls, text: str) -> Self:
        """As it was written."""
        return cls(**json.loads(text))

    @property
    def pdf_bytes(self) -> bytes:
        """Its PDF."""
        return base64.b64decode(self.pdf)

    def text(self) -> str:
        """One line."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a request.

    Attributes:
        key: The caller's key.
        sent_id: The sender's id of the report; None when it was not taken over.
        why: Why not.
    """

    key: str
    sent_id: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What a sender said of a report, on its own.

    Attributes:
        sent_id: The sender's id of it.
        state: How far it has come.
        report_id: The platform's id, where that was told.
        at: When it was said, in nanoseconds of the machine's monotonic clock.
    """

    sent_id: str
    state: str
    report_id: str | None
    at: int

    @classmethod
    def now(cls, sent_id: str, state: str, report_id: str | None) -> Self:
        """Said now."""
        return cls(sent_id, state, report_id, time.monotonic_ns())


def say(what: Answer | Statement) -> None:
    """Say it on the standard output; whatever was said is heard, also when the process is killed right after."""
    print(json.dumps(asdict(what)), flush=True)  # noqa: T201 - that is how it is said


def heard(line: str) -> Answer | Statement:
    """What was said."""
    content = json.loads(line)
    return Answer(**content) if "key" in content else Statement(**content)
