"""Alarms: what a person has to hear of. One place, so that it can be sent on; each is told once, not per attempt."""

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from fiksmelding.clock import Clock

log = logging.getLogger("fiksmelding.alarms")

SILENCE = timedelta(hours=1)
"""How long the same alarm about the same thing is not told again."""
REMEMBERED = 10_000


class AlarmKind(StrEnum):
    """What an alarm is about. The values are also the `event` of its log line."""

    JOURNAL_DOWN = "journal_down"
    """The journal cannot be used: nothing is acknowledged and nothing consumed until it can."""
    CASE_SYSTEM_DOWN = "case_system_down"
    """Every call of the handler fails: it is tried one report at a time until one succeeds."""
    NOT_FOUND_AGAIN = "not_found_again"
    """The case system does not have a report that it said it had registered."""
    QUARANTINED = "quarantined"
    """A message cannot be opened, believed or understood."""
    NOT_KEPT = "not_kept"
    """One delivery cannot be kept, again and again; others can."""
    DOCUMENT_MISSING = "document_missing"
    """The body of a message could not be had from the document store."""
    DEADLINE_PASSED = "deadline_passed"
    """A report was not registered in time; it is answered `feilet` and goes by letter."""
    RECEIPT_REFUSED = "receipt_refused"
    """The platform will never take a receipt as it stands."""
    RECEIPT_UNDELIVERABLE = "receipt_undeliverable"
    """A receipt came back undelivered more often than it is sent again."""
    UNKNOWN_NOTICE = "unknown_notice"
    """The platform says that something was not delivered which is no receipt of ours."""

    NOT_JOINED = "not_joined"
    """A municipality takes no reports over this service."""
    KEY_ENDS_SOON = "key_ends_soon"
    """A certificate that reports are sealed for is about to expire."""
    UNSENT = "unsent"
    """The platform has not taken a report for a long time."""
    ACCESS_REFUSED = "access_refused"
    """Token, integration or right is wrong: nothing can be sent or followed until that is mended."""
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
    **dict.fromkeys(
        (
            AlarmKind.QUARANTINED,
            AlarmKind.DEADLINE_PASSED,
            AlarmKind.UNSENT,
            AlarmKind.SUBMIT_REFUSED,
            AlarmKind.OUTCOME_UNKNOWN,
            AlarmKind.UNMOVED,
        ),
        logging.ERROR,
    ),
    **dict.fromkeys(
        (
            AlarmKind.NOT_JOINED,
            AlarmKind.KEY_ENDS_SOON,
            AlarmKind.SENT_AGAIN,
            AlarmKind.AVVIST_FAGSYSTEM,
            AlarmKind.ODD_STATUS,
        ),
        logging.WARNING,
    ),
}
"""How grave they are; critical when not said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something that a person has to hear of.

    Attributes:
        kind: What it is about.
        text: What happened and what to do, in sentences, without personal data.
        at: When, aware UTC.
        entry_id: The journal's or outbox's id of the message concerned, when it is one.
        over: Whether this tells that it is over.
    """

    kind: AlarmKind
    text: str
    at: datetime
    entry_id: str | None = None
    over: bool = False

    @property
    def level(self) -> int:
        """How grave it is, as the levels of `logging`."""
        return logging.WARNING if self.over else LEVELS.get(self.kind, logging.CRITICAL)


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

    def _tell(self, alarm: Alarm) -> None:
        extra = {"event": alarm.kind.value, "entry_id": alarm.entry_id}
        log.log(alarm.level, "%s", alarm.text, extra=extra)
        try:
            self._observer(alarm)
        except Exception as error:  # noqa: BLE001 - a report must not suffer from who is told of it
            log.error("The alarm was not handed on: %s", error.__class__.__name__, extra=extra)  # noqa: TRY400
