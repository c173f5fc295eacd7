"""The outbox: reports on their way out, in the journal's database."""

from fiksmelding.journal.outbox.outbox import Outbox
from fiksmelding.journal.outbox.records import (
    FOR_A_PERSON,
    PASSABLE,
    Order,
    Outgoing,
    OutgoingState,
    SealedCopies,
    SeenStatus,
    Step,
)

__all__ = [
    "FOR_A_PERSON",
    "PASSABLE",
    "Order",
    "Outbox",
    "Outgoing",
    "OutgoingState",
    "SealedCopies",
    "SeenStatus",
    "Step",
]
