"""The event log as a chain: each event's hash covers the one before it, so that no line can be altered in silence."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from fiksmelding.journal.records import Event
from fiksmelding.journal.states import EventKind

START = "0" * 64
"""What stands before an entry's first event."""


def link(
    before: str, *, entry_id: str, number: int, at: datetime, kind: EventKind, detail: Mapping[str, str | int]
) -> str:
    """The hash of an event, given that of the one before it; SHA-256, hexadecimal."""
    told = json.dumps(
        [before, entry_id, number, at.astimezone(UTC).isoformat(), kind.value, dict(detail)],
        ensure_ascii=True,
        separators=(",", ":"),
        sort_keys=True,
    )
    return hashlib.sha256(told.encode()).hexdigest()


def first_altered(events: Iterable[Event]) -> Event | None:
    """The first event, of one entry in order, that does not follow from those before it; None if all do."""
    before = START
    for number, event in enumerate(events, start=1):
        expected = link(
            before, entry_id=event.entry_id, number=number, at=event.at, kind=event.kind, detail=event.detail
        )
        if event.hash != expected:
            return event
        before = event.hash
    return None
