"""The metrics of a sender."""

from collections.abc import Sequence
from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Gauge

from fiksmelding.monitoring.shared_metrics import AlarmMetrics, Waiting, show_waiting


class OutboxMetrics:
    """Counts what happens to reports on their way out, and shows how they stand; in a registry of its own."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self.alarms = AlarmMetrics(registry)
        self._events = Counter(
            "fiksmelding_outbox_events", "What happened to reports to send.", ["kind"], registry=registry
        )
        self._reports = Gauge("fiksmelding_outbox_reports", "Reports to send, by state.", ["state"], registry=registry)
        self._oldest = Gauge(
            "fiksmelding_outbox_oldest_seconds", "Age of the oldest report in a state.", ["state"], registry=registry
        )
        self._outbox = Gauge("fiksmelding_outbox_up", "Whether the outbox can be used.", registry=registry)

    def happened(self, kind: str) -> None:
        """Something happened to a report."""
        self._events.labels(kind).inc()

    def show(self, reports: Sequence[Waiting] | None, now: datetime) -> None:
        """Show how reports stand now; None when the outbox does not tell."""
        self._outbox.set(reports is not None)
        show_waiting(self._reports, self._oldest, reports, now)
