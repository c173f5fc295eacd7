"""The steps of sending, by name, and who may watch them."""

from collections.abc import Callable
from enum import StrEnum


class SendStep(StrEnum):
    """A step that has just been taken."""

    KEPT = "kept"
    """Sealed and durable; the platform has not heard of it."""
    SUBMITTING = "submitting"
    """Recorded that it is about to be handed over."""
    HANDED_OVER = "handed_over"
    """The platform has taken it; that is not recorded yet."""
    ACCEPTED = "accepted"
    STATUS = "status"
    """A new state at the platform is recorded."""
    DELIVERED = "delivered"
    ERASED = "erased"


StepObserver = Callable[[SendStep, str], None]
"""Told of each step and our id of the report, right after the step, before anything else happens. Must not block."""


def watch_nothing(_step: SendStep, _sent_id: str) -> None:
    """The observer of those who do not watch."""
