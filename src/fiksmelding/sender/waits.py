"""How long a report may wait in each state, so that waits which a wrong clock set can be told."""

from collections.abc import Mapping
from datetime import timedelta

from fiksmelding.config import SenderSettings
from fiksmelding.journal.outbox import OutgoingState
from fiksmelding.sender.recording import A_DAY
from fiksmelding.worker import CLOCKS_DIFFER_SECONDS

CLOCKS_DIFFER = timedelta(seconds=CLOCKS_DIFFER_SECONDS)


def longest_waits(policy: SenderSettings) -> Mapping[OutgoingState, timedelta]:
    """The longest wait in each state that has one, by the given policy, as another clock may measure it."""
    until_retry = timedelta(seconds=max(policy.retry_first_seconds, policy.retry_longest_seconds))
    until_asked = timedelta(seconds=max(policy.status_first_seconds, policy.status_longest_seconds))
    waits = {
        OutgoingState.QUEUED: until_retry,
        OutgoingState.SUBMITTING: timedelta(0),
        OutgoingState.UNCERTAIN: timedelta(hours=policy.uncertain_hours) if policy.uncertain == "resend" else A_DAY,
        OutgoingState.UNTRACED: A_DAY,
        OutgoingState.REFUSED: A_DAY,
        OutgoingState.ACCEPTED: until_asked,
        OutgoingState.DELIVERED: timedelta(days=policy.keep_days),
    }
    return {state: wait + CLOCKS_DIFFER for state, wait in waits.items()}
