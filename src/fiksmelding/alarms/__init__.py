"""Alarms: what a person has to hear of. One place, so that it can be sent on: see `fiksmelding.alarms.routing`."""

from fiksmelding.alarms.kinds import LEVELS, Alarm, AlarmKind, AlarmObserver, tell_nobody
from fiksmelding.alarms.sounding import REMEMBERED, SILENCE, Alarms

__all__ = ["LEVELS", "REMEMBERED", "SILENCE", "Alarm", "AlarmKind", "AlarmObserver", "Alarms", "tell_nobody"]
