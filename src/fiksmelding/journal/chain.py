"""The event log as a chain: each event's hash covers the one before it, so that no line can be altered in silence."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from fiksmelding.journal.states import EventKind

START = "0" * 64
"""What stands before an entry's first event, and before the first checkpoint."""


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


class Seal:
    """The hash of a checkpoint: over the one before it, and every event since, in the order of the log.

    Args:
        before: The hash of the checkpoint before, or `START`.
    """

    def __init__(self, before: str) -> None:
        self._digest = hashlib.sha256(before.encode())
        self.events = 0

    def add(self, *, sequence: int, entry_id: str, number: int, hash: str) -> None:  # noqa: A002 - the column's name
        """Cover one more event."""
        self._digest.update(f"\n{sequence} {entry_id} {number} {hash}".encode())
        self.events += 1

    def hexdigest(self) -> str:
        """The hash; SHA-256, hexadecimal."""
        return self._digest.hexdigest()
