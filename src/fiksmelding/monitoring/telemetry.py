"""What the road tells of each step, to whoever measures; to nobody when nothing is measured."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # what measures is loaded only where it is wanted
    from fiksmelding.monitoring.road_metrics import RoadMetrics


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Told of what happens on the road. Never blocks, never fails.

    Attributes:
        metrics: What counts; None when nothing does.
    """

    metrics: "RoadMetrics | None" = None

    def kept(self, *, repeated: bool) -> None:
        """A delivery is in the journal; `repeated` when it was there before."""
        if self.metrics is not None:
            self.metrics.kept(repeated=repeated)

    def taken(self, step: str, *, received_at: datetime, at: datetime) -> None:
        """A step is recorded, of a message that came at `received_at`."""
        if self.metrics is not None:
            self.metrics.taken(step, (at - received_at).total_seconds())

    def canary(self, outcome: str, *, seconds: float | None = None, at: datetime | None = None) -> None:
        """A canary was `sent`, could not be (`failed`), `arrived` after so many seconds, or was `unreadable`."""
        if self.metrics is not None:
            self.metrics.canary(outcome, seconds, at)

    def certificate(self, name: str, end: datetime) -> None:
        """When a certificate ends."""
        if self.metrics is not None:
            self.metrics.certificate(name, end)

    def failed(self, what: str) -> None:
        """A step did not succeed, and is tried again."""
        if self.metrics is not None:
            self.metrics.failed(what)


UNMEASURED: Final = Telemetry()
"""Nobody measures."""
