"""OpenTelemetry spans of the road (`fiksmelding[otel]`): one for each step, with the message's ids and nothing else.

All steps of one message are one trace, also those after a restart or in another process: the trace's id is the entry's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final
from uuid import UUID

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags, TracerProvider

from fiksmelding._version import __version__

LOW_64_BITS: Final = (1 << 64) - 1
NANOSECONDS: Final = 1_000_000_000


class Tracing:
    """Makes spans.

    Args:
        provider: Where they go; the program's own, set by OpenTelemetry's SDK, when None.
    """

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("fiksmelding", __version__, provider)

    @contextmanager
    def span(self, step: str, entry_id: str, melding_id: str | None, expected: type[Exception]) -> Iterator[None]:
        """A span for a step, which is what the block does; whatever else makes spans meanwhile is below it."""
        with self._tracer.start_as_current_span(
            f"fiksmelding.{step}",
            context=_trace_of(entry_id),
            attributes=_attributes(entry_id, melding_id),
            record_exception=False,  # its text may hold what a report says
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except expected:
                raise
            except Exception as error:
                span.set_status(Status(StatusCode.ERROR, error.__class__.__name__))
                raise

    def passed(self, step: str, entry_id: str, melding_id: str | None, *, start: datetime, end: datetime) -> None:
        """A step that is over, of a message that had no id before."""
        span = self._tracer.start_span(
            f"fiksmelding.{step}",
            context=_trace_of(entry_id),
            attributes=_attributes(entry_id, melding_id),
            start_time=_nanoseconds(start),
        )
        span.end(_nanoseconds(end))

    def failed(self, what: str) -> None:
        """The step that is being taken did not succeed."""
        trace.get_current_span().set_status(Status(StatusCode.ERROR, what))


def _trace_of(entry_id: str) -> Context:
    whole = UUID(entry_id).int
    flags = TraceFlags(TraceFlags.SAMPLED)
    return trace.set_span_in_context(
        NonRecordingSpan(SpanContext(whole, whole & LOW_64_BITS, is_remote=True, trace_flags=flags))
    )


def _attributes(entry_id: str, melding_id: str | None) -> dict[str, str]:
    given = {"fiksmelding.entry_id": entry_id, "messaging.message.id": melding_id}
    return {name: value for name, value in given.items() if value is not None}


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * NANOSECONDS)
