"""What we know, durably: entries, sealed payloads, events."""

from fiksmelding.journal.backup import back_up
from fiksmelding.journal.database import ClaimedByAnother
from fiksmelding.journal.journal import Journal, deadline
from fiksmelding.journal.records import (
    Alteration,
    Arrival,
    Canary,
    Change,
    Checkpoint,
    Entry,
    Event,
    Facts,
    Kept,
    Lease,
    Reading,
    Receipt,
    Reconciled,
    Standing,
    Waiting,
)
from fiksmelding.journal.states import ALLOWED, DECIDED, Answer, EventKind, State

__all__ = [
    "ALLOWED",
    "DECIDED",
    "Alteration",
    "Answer",
    "Arrival",
    "Canary",
    "Change",
    "Checkpoint",
    "ClaimedByAnother",
    "Entry",
    "Event",
    "EventKind",
    "Facts",
    "Journal",
    "Kept",
    "Lease",
    "Reading",
    "Receipt",
    "Reconciled",
    "Standing",
    "State",
    "Waiting",
    "back_up",
    "deadline",
]
