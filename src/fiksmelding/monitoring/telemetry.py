"""What the road tells of each step, to whoever measures; to nobody when nothing is measured."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from fiksmelding.errors import SettingsError

if TYPE_CHECKING:  # what measures is loaded only where it is wanted
    from fiksmelding.monitoring.road_metrics import RoadMetrics
    from fiksmelding.monitoring.tracing import Tracing


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Told of what happens on the road. Never blocks, never fails.

    Attributes:
        metrics: What counts; None when nothing does.
        tracing: What makes spans; None when nothing does.
    """

    metrics: "RoadMetrics | None" = None
    tracing: "Tracing | None" = None

    def kept(self, entry_id: str, melding_id: str | None, *, repeated: bool, start: datetime, end: datetime) -> None:
        """A delivery is in the journal; `repeated` when it was there before."""
        if self.metrics is not None:
            self.metrics.kept(repeated=repeated)
        if self.tracing is not None:
            self.tracing.passed("keep", entry_id, melding_id, start=start, end=end)

    def span(
        self, step: str, entry_id: str, melding_id: str | None = None, *, expected: type[Exception]
    ) -> AbstractContextManager[None]:
        """A step, which is what the block does; an error of the class `expected` is no failure."""
        if self.tracing is None:
            return nullcontext()
        return self.tracing.span(step, entry_id, melding_id, expected)

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
        if self.tracing is not None:
            self.tracing.failed(what)


UNMEASURED: Final = Telemetry()
"""Nobody measures."""


def program_tracing() -> "Tracing":
    """Spans that go where the program's OpenTelemetry sends them.

    Raises:
        SettingsError: OpenTelemetry is not installed.
    """
    try:
        from fiksmelding.monitoring.tracing import Tracing  # noqa: PLC0415 - an optional part
    except ImportError as error:
        raise SettingsError(
            "metrics.traces needs OpenTelemetry.", advice="Install it: pip install 'fiksmelding[otel]'."
        ) from error
    return Tracing()
