"""What the metrics of receiving and of sending have in common."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge

from fiksmelding.alarms import Alarm, AlarmKind
from fiksmelding.alarms.kinds import gravity_of, level_name
from fiksmelding.alarms.lane import Lane


class Waiting(Protocol):
    """How many wait in one state."""

    @property
    def state(self) -> str:
        """The state."""
        ...

    @property
    def count(self) -> int:
        """How many there are."""
        ...

    @property
    def oldest(self) -> datetime | None:
        """When the first of them came, aware UTC; None when there is none."""
        ...


class AlarmMetrics:
    """Counts alarms, and those that went nowhere but into the log."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._alarms = Counter("fiksmelding_alarms", "Alarms that were raised.", ["kind", "level"], registry=registry)
        for kind in AlarmKind:
            self._alarms.labels(kind.value, _level(kind))
        self._waiting = Gauge(
            "fiksmelding_alarms_waiting", "Alarms that could not be sent yet.", ["way"], registry=registry
        )
        self._undelivered = Gauge(
            "fiksmelding_alarms_undelivered", "Alarms given up since the start.", ["way"], registry=registry
        )

    def __call__(self, alarm: Alarm) -> None:
        """Count an alarm; that one is over is no alarm."""
        if not alarm.over:
            self._alarms.labels(alarm.kind.value, _level(alarm.kind)).inc()

    def show(self, lanes: Sequence[Lane]) -> None:
        """Show how the ways to people do."""
        for lane in lanes:
            self._waiting.labels(lane.route.name).set(lane.waiting)
            self._undelivered.labels(lane.route.name).set(lane.undelivered)


def show_states(gauge: Gauge, present: str, every: Sequence[str]) -> None:
    """1 for the present state, 0 for the others."""
    for state in every:
        gauge.labels(state).set(state == present)


def show_waiting(count: Gauge, oldest: Gauge, waiting: Sequence[Waiting] | None, now: datetime) -> None:
    """How many wait in each state, and how long the first of them; nothing when that is not known."""
    count.clear()
    oldest.clear()
    for one in waiting or ():
        count.labels(one.state).set(one.count)
        age = 0.0 if one.oldest is None else max(0.0, (now - one.oldest).total_seconds())
        oldest.labels(one.state).set(age)


def _level(kind: AlarmKind) -> str:
    return level_name(gravity_of(kind))
