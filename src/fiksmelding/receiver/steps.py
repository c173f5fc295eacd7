"""The steps of the road, by name, and who may watch them."""

from collections.abc import Callable
from enum import StrEnum


class Step(StrEnum):
    """A step that has just been taken."""

    KEPT = "kept"
    """The sealed original is durable; the broker has not heard of it."""
    ACKNOWLEDGED = "acknowledged"
    OPENED = "opened"
    HANDLED = "handled"
    """The handler has returned; that is not recorded yet."""
    REGISTERED = "registered"
    CONFIRMED = "confirmed"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"
    RECEIPT_SENT = "receipt_sent"
    """The platform has taken the receipt; that is not recorded yet."""
    RECEIPTED = "receipted"
    RECOVERED = "recovered"
    """It was handed to the case system once more."""
    RECOVERY_REFUSED = "recovery_refused"
    NOTED = "noted"
    """A notice of the platform was dealt with."""


Observer = Callable[[Step, str], None]
"""Told of each step and the id of its entry, right after the step, before anything else happens. Must not block."""


def watch_nothing(_step: Step, _entry_id: str) -> None:
    """The observer of those who do not watch."""
