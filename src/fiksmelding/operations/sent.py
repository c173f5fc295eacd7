"""What the outbox shows of the reports that we sent in a period: which have not arrived, and why."""

from datetime import datetime, timedelta

from fiksmelding.config import SenderSettings
from fiksmelding.journal.outbox import FOR_A_PERSON, Outbox, Outgoing, OutgoingState
from fiksmelding.operations.findings import Findings
from fiksmelding.operations.period import Period
from fiksmelding.operations.reconciliation import Cause, SentSays


async def look_at_sent(
    outbox: Outbox, period: Period, policy: SenderSettings, now: datetime, findings: Findings
) -> SentSays:
    """Count the reports that were sent in a period, and tell which have not arrived.

    Args:
        outbox: Where they are.
        period: When they were kept.
        policy: After what time one stands still.
        now: The present time.
        findings: Where differences go.

    Raises:
        JournalUnavailable: They cannot be read.
    """
    counts = await outbox.counts_between(period.start, period.end)
    under_way = 0
    async for outgoing in outbox.undecided(period.start, period.end):
        under_way += not _found(outgoing, policy, now, findings)
    return SentSays(
        kept=sum(counts.values()),
        delivered=counts[OutgoingState.DELIVERED] + counts[OutgoingState.ERASED],
        cancelled=counts[OutgoingState.CANCELLED],
        under_way=under_way,
    )


def _found(outgoing: Outgoing, policy: SenderSettings, now: datetime, findings: Findings) -> bool:
    """Tell of a report that stands still; whether it does."""
    state, id_ = outgoing.state, outgoing.id
    if state in FOR_A_PERSON:
        cause, text, command = Cause.UNDECIDED, outgoing.reason or f"It is {state}.", f"status {id_}"
    elif state is OutgoingState.ACCEPTED:
        if now - outgoing.moved_at < timedelta(hours=policy.alarm_unmoved_hours):
            return False
        text = f"It is {outgoing.tilstand} at the platform since {outgoing.moved_at:%Y-%m-%d}: ask KS."
        cause, command = Cause.NOT_DELIVERED, f"status {id_}"
    else:
        if now - outgoing.order.kept_at < timedelta(minutes=policy.alarm_unsent_minutes):
            return False
        text = "The platform has not taken it. See whether a sender runs, and what its log says."
        cause, command = Cause.NOT_SENT, "outbox run --until-done"
    findings.add(cause, text, command=command, id=id_, since=outgoing.order.kept_at)
    return True
