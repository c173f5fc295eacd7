"""The metrics of receiving and sending."""

from datetime import timedelta

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from fiksmelding.alarms import Alarm, AlarmKind
from fiksmelding.journal import Waiting
from fiksmelding.monitoring import UNMEASURED, Telemetry
from fiksmelding.monitoring.outbox_metrics import OutboxMetrics
from fiksmelding.monitoring.road_metrics import RoadMetrics, RoadView
from support.arrivals import NOON

BROKER = ("consuming", ["connecting", "consuming"])
CASE_SYSTEM = ("well", ["well", "failing"])


def value(registry: CollectorRegistry, name: str, **labels: str) -> float | None:
    return registry.get_sample_value(f"fiksmelding_{name}", labels)


def road() -> RoadMetrics:
    return RoadMetrics(steps=["kept", "registered", "receipted"], certificates={"signing": NOON})


def view(waiting: list[Waiting] | None, *, journal_up: bool = True) -> RoadView:
    return RoadView(
        broker=BROKER, journal_up=journal_up, case_system=CASE_SYSTEM, at_once=4, with_it=2, waiting=waiting, unread=1
    )


def test_a_step_is_counted_and_its_time_since_the_arrival_measured() -> None:
    metrics = road()
    told = Telemetry(metrics)
    told.kept("1", None, repeated=False, start=NOON, end=NOON)
    told.kept("1", None, repeated=True, start=NOON, end=NOON)
    told.taken("registered", received_at=NOON, at=NOON + timedelta(seconds=7))
    told.taken("receipted", received_at=NOON, at=NOON + timedelta(seconds=9))
    told.failed("handler_failed")
    registry = metrics.registry
    assert value(registry, "messages_total", step="kept") == 1
    assert value(registry, "messages_total", step="registered") == 1
    assert value(registry, "redeliveries_total") == 1
    assert value(registry, "failures_total", what="handler_failed") == 1
    assert (value(registry, "registration_seconds_sum"), value(registry, "receipt_seconds_sum")) == (7, 9)
    assert value(registry, "registration_seconds_bucket", le="5.0") == 0
    assert value(registry, "registration_seconds_bucket", le="15.0") == 1


def test_a_step_that_never_happened_is_there_as_zero() -> None:
    assert value(road().registry, "messages_total", step="registered") == 0


def test_without_measuring_nothing_happens() -> None:
    UNMEASURED.kept("1", None, repeated=False, start=NOON, end=NOON)
    UNMEASURED.taken("registered", received_at=NOON, at=NOON)
    UNMEASURED.failed("handler_failed")


def test_what_waits_is_shown_with_its_age() -> None:
    metrics = road()
    metrics.show(view([Waiting("RECEIVED", 3, NOON), Waiting("OPENED", 0, None)]), NOON + timedelta(minutes=2))
    assert value(metrics.registry, "waiting_messages", state="RECEIVED") == 3
    assert value(metrics.registry, "oldest_waiting_seconds", state="RECEIVED") == 120
    assert value(metrics.registry, "oldest_waiting_seconds", state="OPENED") == 0
    assert value(metrics.registry, "broker_state", state="consuming") == 1
    assert value(metrics.registry, "broker_state", state="connecting") == 0
    assert value(metrics.registry, "case_system_state", state="well") == 1
    assert (value(metrics.registry, "pace_reports"), value(metrics.registry, "handler_calls")) == (4, 2)


def test_what_a_silent_journal_told_before_is_not_shown_as_if_it_were_so_now() -> None:
    metrics = road()
    metrics.show(view([Waiting("RECEIVED", 3, NOON)]), NOON)
    metrics.show(view(None, journal_up=False), NOON)
    assert value(metrics.registry, "waiting_messages", state="RECEIVED") is None
    assert value(metrics.registry, "journal_up") == 0


def test_alarms_are_counted_by_kind_and_level_and_their_end_is_none() -> None:
    metrics = road()
    for over in (False, True):
        metrics.alarms(Alarm(kind=AlarmKind.JOURNAL_DOWN, text="", at=NOON, over=over))
    assert value(metrics.registry, "alarms_total", kind="journal_down", level="critical") == 1
    assert value(metrics.registry, "alarms_total", kind="quarantined", level="error") == 0


def test_the_end_of_a_certificate_is_a_time() -> None:
    assert value(road().registry, "certificate_end_timestamp_seconds", certificate="signing") == NOON.timestamp()


def test_two_receivers_in_one_program_count_for_themselves() -> None:
    one, other = road(), road()
    one.kept(repeated=False)
    assert value(other.registry, "messages_total", step="kept") == 0


def test_reports_to_send_are_counted_and_shown() -> None:
    metrics = OutboxMetrics()
    metrics.happened("submitted")
    metrics.show([Waiting("QUEUED", 2, NOON)], NOON + timedelta(seconds=5))
    assert value(metrics.registry, "outbox_events_total", kind="submitted") == 1
    assert value(metrics.registry, "outbox_reports", state="QUEUED") == 2
    assert value(metrics.registry, "outbox_oldest_seconds", state="QUEUED") == 5
    assert value(metrics.registry, "outbox_up") == 1
    metrics.show(None, NOON)
    assert value(metrics.registry, "outbox_up") == 0
    assert b"fiksmelding_outbox_reports{" not in generate_latest(metrics.registry)
