"""Where a report stands on its road, and which way it may go from there."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class State(StrEnum):
    """How far a kept message has come."""

    RECEIVED = "RECEIVED"
    """The sealed original is durable. Only then is the delivery acknowledged."""
    OPENED = "OPENED"
    """It was decrypted, verified and parsed at least once; nothing of that is stored."""
    REGISTERED = "REGISTERED"
    """The handler said that the case system has it."""
    CONFIRMED = "CONFIRMED"
    """The read-back found it in the case system."""
    REJECTED = "REJECTED"
    """It will not be registered: refused by the handler or by a person, or the deadline passed."""
    RECEIPTED = "RECEIPTED"
    """The platform took the final answer."""
    QUARANTINED = "QUARANTINED"
    """It cannot be opened, believed or understood: a person decides, until the deadline does."""
    NOTED = "NOTED"
    """It was no report but a notice of the platform, and has been dealt with."""
    ERASED = "ERASED"
    """The sealed original is gone; the event log stays."""


WITH_THE_CASE_SYSTEM: Final = frozenset({State.REGISTERED, State.CONFIRMED, State.RECEIPTED, State.ERASED})
"""Where a message is said to be in the case system, unless it was answered `feilet`."""
DECIDED: Final = frozenset({State.REGISTERED, State.CONFIRMED, State.REJECTED})
"""Where it is decided what the answer is, and the platform has not taken it yet."""
ALLOWED: Mapping[State, frozenset[State]] = MappingProxyType(
    {
        State.RECEIVED: frozenset({State.OPENED, State.QUARANTINED, State.NOTED}),
        State.OPENED: frozenset({State.REGISTERED, State.QUARANTINED, State.REJECTED}),
        # Back to OPENED when the read-back does not find what the handler said was registered.
        State.REGISTERED: frozenset({State.CONFIRMED, State.OPENED, State.REJECTED, State.RECEIPTED}),
        State.CONFIRMED: frozenset({State.RECEIPTED}),
        # Erased at once where nobody can be answered.
        State.REJECTED: frozenset({State.RECEIPTED, State.ERASED}),
        # Back when the platform gives notice that the receipt did not arrive: it is sent again.
        State.RECEIPTED: frozenset({State.ERASED, State.REGISTERED, State.REJECTED}),
        State.QUARANTINED: frozenset({State.RECEIVED, State.REJECTED}),
        State.NOTED: frozenset(),
        State.ERASED: frozenset(),
    }
)


class EventKind(StrEnum):
    """What the event log tells. The values are stored: never change one."""

    KEPT = "kept"
    REDELIVERED = "redelivered"
    OPENED = "opened"
    DUPLICATE = "duplicate"
    HANDLER_FAILED = "handler_failed"
    REGISTERED = "registered"
    CONFIRM_FAILED = "confirm_failed"
    NOT_FOUND_AGAIN = "not_found_again"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    QUARANTINED = "quarantined"
    RETRIED = "retried"
    RECEIPT_FAILED = "receipt_failed"
    RECEIPT_REFUSED = "receipt_refused"
    RECEIPTED = "receipted"
    RECEIPT_RETURNED = "receipt_returned"
    NOTICE = "notice"
    ERASED = "erased"
    MISSING_THERE = "missing_there"
    """A reconciliation did not find it in the case system."""
    FOUND_THERE = "found_there"
    """A later one did."""
    SETTLED = "settled"
    """A person has said that the case system rightly does not have it."""
    RECOVERY_ASKED = "recovery_asked"
    """It is to be handed to the case system once more."""
    RECOVERY_FAILED = "recovery_failed"
    RECOVERED = "recovered"
    """The case system has it again."""
    RECOVERY_REFUSED = "recovery_refused"
    """It cannot be handed over once more, or the case system will not have it: a person has to look."""

    READ = "read"
    """The case system says that somebody has opened it."""
    UNREAD = "unread"
    """An alarm: nobody has."""

    QUEUED = "queued"
    """A report to send is sealed and durable."""
    SUBMITTING = "submitting"
    """It is about to be handed to the platform."""
    SUBMIT_FAILED = "submit_failed"
    """The platform did not take it now."""
    SUBMIT_REFUSED = "submit_refused"
    """The platform will not take it as it stands, or it may not be sent any more."""
    OUTCOME_UNKNOWN = "outcome_unknown"
    """It was handed over, and no answer came."""
    SUBMITTED = "submitted"
    """The platform took it."""
    SUBMITTED_AGAIN = "submitted_again"
    """The platform took it once more, under another id."""
    STATUS = "status"
    """It came to a state at the platform."""
    STUCK = "stuck"
    """An alarm: it has not moved for too long."""
    DELIVERED = "delivered"
    CANCELLED = "cancelled"


class Answer(StrEnum):
    """The final answer to a report."""

    MOTTATT = "mottatt"
    FEILET = "feilet"
