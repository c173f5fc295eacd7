"""What is told of a report on its way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from fiksmelding.journal import Event, EventKind
from fiksmelding.journal.outbox import OutgoingState


@dataclass(frozen=True, slots=True)
class Progress:
    """One thing that happened to a report, as the event log holds it.

    Attributes:
        sent_id: Our id of the report.
        at: When, aware UTC.
        kind: What happened.
        state: How far the report had come by it.
        detail: Facts, without personal data: `report_id`, `tilstand`, `tidspunkt`, `uncertain` and others.
    """

    sent_id: str
    at: datetime
    kind: EventKind
    state: OutgoingState
    detail: Mapping[str, str | int]

    @classmethod
    def of(cls, event: Event) -> Self:
        """As a line of the event log tells it."""
        return cls(event.entry_id, event.at, event.kind, OutgoingState(str(event.detail["state"])), event.detail)

    @property
    def tilstand(self) -> str | None:
        """The state at the platform that it came to, when that is what happened."""
        value = self.detail.get("tilstand")
        return value if isinstance(value, str) else None


ProgressObserver = Callable[[Progress], None]
"""Told of each event right after it is durable. Must not block."""


def follow_nothing(_progress: Progress) -> None:
    """The observer of those who do not follow."""
