"""Sounding an alarm: each is told once, not per attempt."""

import logging
from collections import OrderedDict
from datetime import datetime, timedelta

from fiksmelding.alarms.kinds import Alarm, AlarmKind, AlarmObserver
from fiksmelding.clock import Clock

log = logging.getLogger("fiksmelding.alarms")

SILENCE = timedelta(hours=1)
"""How long the same alarm about the same thing is not told again."""
REMEMBERED = 10_000


class Alarms:
    """Logs alarms and hands them on.

    Args:
        clock: Where the time is read.
        observers: Who else hears of them.
    """

    def __init__(self, clock: Clock, *observers: AlarmObserver) -> None:
        self._clock = clock
        self._observers = observers
        self._told: OrderedDict[tuple[AlarmKind, str | None, str], datetime] = OrderedDict()

    def also_tell(self, observer: AlarmObserver) -> None:
        """Tell one more from now on."""
        self._observers = (*self._observers, observer)

    def sound(self, kind: AlarmKind, text: str, *, entry_id: str | None = None) -> None:
        """Tell of something, unless the same was told within the hour; then it is only logged."""
        key, now = (kind, entry_id, text), self._clock.now()
        last = self._told.get(key)
        if last is not None and now - last < SILENCE:
            log.warning("%s", text, extra={"event": kind.value, "entry_id": entry_id})
            return
        self._told[key] = now
        self._told.move_to_end(key)
        while len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        self._tell(Alarm(kind=kind, text=text, at=now, entry_id=entry_id))

    def over(self, kind: AlarmKind, text: str) -> None:
        """Tell that a condition, not that of a single message, has passed; the next one is told again."""
        for key in [key for key in self._told if key[0] is kind and key[1] is None]:
            del self._told[key]
        self._tell(Alarm(kind=kind, text=text, at=self._clock.now(), over=True))

    def over_if_sounding(self, kind: AlarmKind, text: str) -> None:
        """Tell that a condition has passed, if it was told lately."""
        if any(key[0] is kind and key[1] is None for key in self._told):
            self.over(kind, text)

    def _tell(self, alarm: Alarm) -> None:
        extra = {"event": alarm.kind.value, "entry_id": alarm.entry_id}
        log.log(alarm.level, "%s", alarm.text, extra=extra)
        for observer in self._observers:
            try:
                observer(alarm)
            except Exception as error:  # noqa: BLE001 - a report must not suffer from who is told of it
                log.error("The alarm was not handed on: %s", error.__class__.__name__, extra=extra)  # noqa: TRY400
