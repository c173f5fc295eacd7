"""What we know, durably: entries, sealed payloads, events."""

from fiksmelding.journal.journal import Journal, deadline
from fiksmelding.journal.records import Arrival, Change, Entry, Event, Kept, Receipt
from fiksmelding.journal.states import ALLOWED, Answer, EventKind, State

__all__ = [
    "ALLOWED",
    "Answer",
    "Arrival",
    "Change",
    "Entry",
    "Event",
    "EventKind",
    "Journal",
    "Kept",
    "Receipt",
    "State",
    "deadline",
]
