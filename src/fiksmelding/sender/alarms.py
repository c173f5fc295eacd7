"""Alarms of a sender: what a person has to hear of. Each is told once, not once per attempt."""

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fiksmelding.clock import Clock

log = logging.getLogger("fiksmelding.sender")

SILENCE = timedelta(hours=1)
"""How long the same alarm about the same thing is not told again."""
REMEMBERED = 10_000


class AlarmKind(StrEnum):
    """What an alarm is about. The values are also the `event` of its log line."""

    NOT_JOINED = "not_joined"
    """A municipality takes no reports over this service."""
    KEY_ENDS_SOON = "key_ends_soon"
    """A certificate that reports are sealed for is about to expire."""
    UNSENT = "unsent"
    """The platform has not taken a report for a long time."""
    ACCESS_REFUSED = "access_refused"
    """Token, integration or right is wrong: nothing can be sent until that is mended."""
    SUBMIT_REFUSED = "submit_refused"
    """The platform will not take a report as it stands, or it may not be sent any more."""
    OUTCOME_UNKNOWN = "outcome_unknown"
    """The platform may have taken a report, and its answer was lost."""
    SENT_AGAIN = "sent_again"
    """A report whose outcome is unknown is sent once more: it may arrive twice."""
    AVVIST_FAGSYSTEM = "avvist_fagsystem"
    """The receiver's case system refused a report; the platform sends it by letter."""
    AVVIST_PRINT = "avvist_print"
    """It cannot be sent by letter either; KS follows up by hand."""
    UNMOVED = "unmoved"
    """A report stands still at the platform."""
    ODD_STATUS = "odd_status"
    """A report came to a state that nobody knows, or went back."""


LEVELS = {
    AlarmKind.NOT_JOINED: logging.WARNING,
    AlarmKind.KEY_ENDS_SOON: logging.WARNING,
    AlarmKind.SENT_AGAIN: logging.WARNING,
    AlarmKind.AVVIST_FAGSYSTEM: logging.WARNING,
    AlarmKind.ODD_STATUS: logging.WARNING,
    AlarmKind.AVVIST_PRINT: logging.CRITICAL,
    AlarmKind.ACCESS_REFUSED: logging.CRITICAL,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something that a person has to hear of.

    Attributes:
        kind: What it is about.
        text: What happened and what to do, in sentences, without personal data.
        at: When, aware UTC.
        sent_id: Our id of the report concerned, when it is one.
    """

    kind: AlarmKind
    text: str
    at: datetime
    sent_id: str | None = None

    @property
    def level(self) -> int:
        """How grave it is, as the levels of `logging`."""
        return LEVELS.get(self.kind, logging.ERROR)


AlarmObserver = Callable[[Alarm], None]
"""Told of each alarm, once. Must not block."""


def tell_nobody(_alarm: Alarm) -> None:
    """The observer of those to whom the log is enough."""


class Alarms:
    """Logs alarms and hands them on.

    Args:
        clock: Where the time is read.
        observer: Who else hears of them.
    """

    def __init__(self, clock: Clock, observer: AlarmObserver = tell_nobody) -> None:
        self._clock = clock
        self._observer = observer
        self._told: OrderedDict[tuple[AlarmKind, str | None, str], datetime] = OrderedDict()

    def sound(self, kind: AlarmKind, text: str, *, sent_id: str | None = None) -> None:
        """Tell of something, unless the same was told lately."""
        key, now = (kind, sent_id, text), self._clock.now()
        last = self._told.get(key)
        if last is not None and now - last < SILENCE:
            return
        self._told[key] = now
        self._told.move_to_end(key)
        while len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        alarm = Alarm(kind=kind, text=text, at=now, sent_id=sent_id)
        extra = {"event": kind.value, "sent_id": sent_id}
        log.log(alarm.level, "%s", text, extra=extra)
        try:
            self._observer(alarm)
        except Exception as error:  # noqa: BLE001 - a report must not suffer from who is told of it
            log.error("The alarm was not handed on: %s", error.__class__.__name__, extra=extra)  # noqa: TRY400
