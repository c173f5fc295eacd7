"""From a report to `LEVERT`: sealed, kept in the outbox, handed to the platform, followed.

Read it in this order: `preparing` (report → sealed copies), `sender` (all of it together), `road` (submit_step,
follow_step), `fiksmelding.worker` (which report is worked on when).
"""

from fiksmelding.sender.progress import Progress
from fiksmelding.sender.sender import Sender
from fiksmelding.sender.sent import Sent
from fiksmelding.sender.steps import SendStep

__all__ = ["Progress", "SendStep", "Sender", "Sent"]
