"""The road of a report: queue, journal, handler, receipt.

Read it in this order: `keeping` (broker → journal → ack), `road` (the steps after that, each in its `…_step`), the room
`worker` (which report is walked when), `receiver` (all of it together).
"""

from fiksmelding.receiver.folder import FolderHandler
from fiksmelding.receiver.pace import Condition
from fiksmelding.receiver.quarantine import Quarantine, Quarantined
from fiksmelding.receiver.receiver import Receiver
from fiksmelding.receiver.report import Confirm, Handler, Registered, Report
from fiksmelding.receiver.status import ReceiverStatus
from fiksmelding.receiver.steps import Observer, Step
from fiksmelding.receiver.turns import CaseSystemStatus
from fiksmelding.receiver.unread_watch import Read
from fiksmelding.receiver.webhook import WebhookHandler
from fiksmelding.webhooks import WebhookFailed

__all__ = [
    "CaseSystemStatus",
    "Condition",
    "Confirm",
    "FolderHandler",
    "Handler",
    "Observer",
    "Quarantine",
    "Quarantined",
    "Read",
    "Receiver",
    "ReceiverStatus",
    "Registered",
    "Report",
    "Step",
    "WebhookFailed",
    "WebhookHandler",
]
