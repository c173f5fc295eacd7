"""Spans of the road, as an exporter gets them."""

import sys
from uuid import UUID

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from fiksmelding.config import JournalSettings
from fiksmelding.errors import SettingsError
from fiksmelding.journal import Journal
from fiksmelding.monitoring import Telemetry, program_tracing
from fiksmelding.monitoring.tracing import Tracing
from fiksmelding.simulator.pki import Credential
from support.arrivals import NOON
from support.roads import CaseSystem, Journeys


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def telemetry(exporter: InMemorySpanExporter) -> Telemetry:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Telemetry(tracing=Tracing(provider))


def names(spans: tuple[ReadableSpan, ...]) -> list[str]:
    return [span.name for span in spans]


async def test_a_message_s_steps_are_spans_of_one_trace_that_hold_its_ids_and_nothing_it_says(
    exporter: InMemorySpanExporter,
    telemetry: Telemetry,
    sender_credential: Credential,
    recipient_credential: Credential,
    at: JournalSettings,
) -> None:
    case_system = CaseSystem()
    case_system.troubles = [OSError("Lille Testesen, Liaveien 12")]
    async with Journal(at) as journal:
        journeys = Journeys(journal, sender_credential, recipient_credential, handler=case_system, telemetry=telemetry)
        entry = await journeys.keep(journeys.report())
        await journeys.walk(entry)
        await journeys.walk_later(entry)
    spans = exporter.get_finished_spans()
    assert names(spans) == [
        "fiksmelding.open",
        "fiksmelding.register",
        "fiksmelding.register",
        "fiksmelding.receipt",
    ]
    assert {span.context.trace_id for span in spans if span.context} == {UUID(entry.id).int}
    wanted = {"fiksmelding.entry_id": entry.id, "messaging.message.id": entry.arrival.melding_id}
    assert all(span.attributes == wanted for span in spans)
    assert [span.status.status_code for span in spans].count(StatusCode.ERROR) == 1
    assert spans[1].status.description == "handler_failed"
    assert not any("Testesen" in span.to_json() for span in spans)


def test_a_delivery_that_is_kept_is_a_span_with_its_times(exporter: InMemorySpanExporter, telemetry: Telemetry) -> None:
    entry_id = "5f2f2b2a-6a4b-4f0e-9f57-3a4e8a2b7c01"
    telemetry.kept(entry_id, None, repeated=False, start=NOON, end=NOON)
    [span] = exporter.get_finished_spans()
    assert (span.name, span.start_time, span.end_time) == ("fiksmelding.keep", *[int(NOON.timestamp()) * 10**9] * 2)


def test_an_error_is_told_by_its_kind_and_an_expected_one_not_at_all(
    exporter: InMemorySpanExporter, telemetry: Telemetry
) -> None:
    for error in (ValueError("Lille Testesen"), KeyError("Lille Testesen")):
        with pytest.raises(type(error)), telemetry.span("open", str(UUID(int=5)), expected=KeyError):
            raise error
    fault, expected = exporter.get_finished_spans()
    assert (fault.status.status_code, fault.status.description) == (StatusCode.ERROR, "ValueError")
    assert expected.status.status_code is StatusCode.UNSET
    assert not fault.events


def test_without_opentelemetry_the_settings_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fiksmelding.monitoring.tracing", None)
    with pytest.raises(SettingsError, match=r"fiksmelding\[otel\]"):
        program_tracing()
