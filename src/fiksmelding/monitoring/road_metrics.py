"""The metrics of a receiver."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from fiksmelding.monitoring.shared_metrics import AlarmMetrics, Waiting, show_states, show_waiting

BUCKETS: Final = (0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400, 43_200, 86_400)
"""From a fraction of a second to the usual deadline, in seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadView:
    """How a receiver stands at one moment.

    Attributes:
        broker: The consumer's state, and every state that there is.
        journal_up: Whether the journal can be used.
        case_system: How the case system does, and every condition that there is.
        at_once: How many reports it gets at once.
        with_it: How many are with it.
        waiting: What has a step ahead, by state; None when the journal does not tell.
        unread: Reports that people were told of and nobody has opened; None when the journal does not tell.
    """

    broker: tuple[str, Sequence[str]]
    journal_up: bool
    case_system: tuple[str, Sequence[str]]
    at_once: int
    with_it: int
    waiting: Sequence[Waiting] | None
    unread: int | None


class RoadMetrics:
    """Counts what happens on the road, and shows how it stands; in a registry of its own.

    Args:
        steps: Every step that there is.
        certificates: When each of our certificates ends, by what it is for.
    """

    def __init__(self, *, steps: Sequence[str], certificates: Mapping[str, datetime]) -> None:
        registry = self.registry = CollectorRegistry()
        self.alarms = AlarmMetrics(registry)
        self._messages = Counter("fiksmelding_messages", "Messages that took a step.", ["step"], registry=registry)
        for step in steps:
            self._messages.labels(step)
        self._redeliveries = Counter(
            "fiksmelding_redeliveries", "Deliveries of messages that were kept before.", registry=registry
        )
        self._failures = Counter(
            "fiksmelding_failures", "Steps that failed and are tried again.", ["what"], registry=registry
        )
        self._registration = Histogram(
            "fiksmelding_registration_seconds",
            "From the arrival of a message until the case system had it.",
            buckets=BUCKETS,
            registry=registry,
        )
        self._receipt = Histogram(
            "fiksmelding_receipt_seconds",
            "From the arrival of a message until the platform had its receipt.",
            buckets=BUCKETS,
            registry=registry,
        )
        self._waiting = Gauge(
            "fiksmelding_waiting_messages", "Messages in the journal with a step ahead.", ["state"], registry=registry
        )
        self._oldest = Gauge(
            "fiksmelding_oldest_waiting_seconds", "Age of the oldest of them.", ["state"], registry=registry
        )
        self._broker = Gauge(
            "fiksmelding_broker_state",
            "How we stand with the queue: 1 for the present state.",
            ["state"],
            registry=registry,
        )
        self._journal = Gauge("fiksmelding_journal_up", "Whether the journal can be used.", registry=registry)
        self._condition = Gauge(
            "fiksmelding_case_system_state",
            "How the case system does: 1 for the present state.",
            ["state"],
            registry=registry,
        )
        self._at_once = Gauge("fiksmelding_pace_reports", "Reports that it gets at once.", registry=registry)
        self._with_it = Gauge("fiksmelding_handler_calls", "Reports that are with it.", registry=registry)
        self._unread = Gauge(
            "fiksmelding_unread_reports", "Registered reports that nobody opens, and were told of.", registry=registry
        )
        self._canaries = Counter(
            "fiksmelding_canaries",
            "Messages to our own account, by outcome.",
            ["outcome"],
            registry=registry,
        )
        self._trip = Gauge("fiksmelding_canary_trip_seconds", "How long the last canary took.", registry=registry)
        self._canary_at = Gauge(
            "fiksmelding_canary_arrival_timestamp_seconds",
            "When the last canary came back, in seconds since 1970; 0 before the first.",
            registry=registry,
        )
        self._ends = Gauge(
            "fiksmelding_certificate_end_timestamp_seconds",
            "When one of our certificates ends, in seconds since 1970.",
            ["certificate"],
            registry=registry,
        )
        for name, moment in certificates.items():
            self.certificate(name, moment)
        for outcome in ("sent", "failed", "arrived", "unreadable"):
            self._canaries.labels(outcome)

    def kept(self, *, repeated: bool) -> None:
        """A delivery is in the journal."""
        if repeated:
            self._redeliveries.inc()
        else:
            self._messages.labels("kept").inc()

    def taken(self, step: str, seconds: float) -> None:
        """A step was taken, so long after the message came."""
        self._messages.labels(step).inc()
        if step == "registered":
            self._registration.observe(max(0.0, seconds))
        elif step == "receipted":
            self._receipt.observe(max(0.0, seconds))

    def canary(self, outcome: str, seconds: float | None, at: datetime | None) -> None:
        """Something became of a canary."""
        self._canaries.labels(outcome).inc()
        if seconds is not None and at is not None:
            self._trip.set(max(0.0, seconds))
            self._canary_at.set(at.timestamp())

    def certificate(self, name: str, end: datetime) -> None:
        """When a certificate ends."""
        self._ends.labels(name).set(end.timestamp())

    def failed(self, what: str) -> None:
        """A step failed."""
        self._failures.labels(what).inc()

    def show(self, view: RoadView, now: datetime) -> None:
        """Show how it stands now."""
        show_states(self._broker, *view.broker)
        show_states(self._condition, *view.case_system)
        self._journal.set(view.journal_up)
        self._at_once.set(view.at_once)
        self._with_it.set(view.with_it)
        self._unread.set(math.nan if view.unread is None else view.unread)
        show_waiting(self._waiting, self._oldest, view.waiting, now)
