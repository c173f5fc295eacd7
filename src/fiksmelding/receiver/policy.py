"""How the receiver's settings become waits and paces."""

from fiksmelding.config import ReceiverSettings
from fiksmelding.receiver.pace import Pace
from fiksmelding.worker import Backoff

LONGEST_LOOK_SECONDS = 30.0
"""The longest wait before the journal or the case system is tried again after it failed altogether, in seconds."""


def retry_backoff(policy: ReceiverSettings) -> Backoff:
    """How long a failure makes a report wait."""
    return Backoff(policy.retry_first_seconds, policy.retry_longest_seconds)


def look_backoff(policy: ReceiverSettings) -> Backoff:
    """How long to wait between two looks at a journal that cannot write."""
    longest = min(policy.retry_longest_seconds, LONGEST_LOOK_SECONDS)
    return Backoff(min(policy.retry_first_seconds, longest), longest)


def pace(policy: ReceiverSettings) -> Pace:
    """How many reports the case system gets at once."""
    return Pace(
        policy.concurrency,
        first_pause=policy.retry_first_seconds,
        longest_pause=min(policy.retry_longest_seconds, LONGEST_LOOK_SECONDS),
    )
