"""How the receiver is doing, at a glance."""

from dataclasses import dataclass
from datetime import datetime

from fiksmelding.broker import ConsumerStatus
from fiksmelding.receiver.turns import CaseSystemStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiverStatus:
    """How we stand with everything around us.

    Attributes:
        broker: With the queue.
        case_system: With the case system, by how the handler does.
        journal_down_since: Since when the journal cannot be used, aware UTC; None when it can.
    """

    broker: ConsumerStatus
    case_system: CaseSystemStatus
    journal_down_since: datetime | None
