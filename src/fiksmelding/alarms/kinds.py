"""What a person has to hear of: every kind of alarm, and how grave it is."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


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
    CANARY_SILENT = "canary_silent"
    """No message that a receiver sent to its own account has come back for too long."""
    CANARY_UNREADABLE = "canary_unreadable"
    """Such a message came, and cannot be opened: reports could not be either."""
    DEADLINE_PASSED = "deadline_passed"
    """A report was not registered in time; it is answered `feilet` and goes by letter."""
    UNREAD = "unread"
    """The case system has a report, and nobody has opened it for a long time."""
    RECEIPT_REFUSED = "receipt_refused"
    """The platform will never take a receipt as it stands."""
    RECEIPT_UNDELIVERABLE = "receipt_undeliverable"
    """A receipt came back undelivered more often than it is sent again."""
    UNKNOWN_NOTICE = "unknown_notice"
    """The platform says that something was not delivered which is no receipt of ours."""

    RECOVERY_REFUSED = "recovery_refused"
    """A report that the case system has lost cannot be handed to it again."""
    RETENTION_HELD = "retention_held"
    """Originals have outlived their time and are not erased, for the case system may not have all of them."""
    RECONCILIATION = "reconciliation"
    """A comparison found reports missing in the case system, or standing still."""
    NOT_RECONCILED = "not_reconciled"
    """A comparison could not be made, or only in part."""

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

    TEST = "test"
    """Nothing is wrong: somebody wanted to see whether alarms get through."""


LEVELS = {
    **dict.fromkeys(
        (
            AlarmKind.QUARANTINED,
            AlarmKind.DEADLINE_PASSED,
            AlarmKind.UNREAD,
            AlarmKind.UNSENT,
            AlarmKind.SUBMIT_REFUSED,
            AlarmKind.OUTCOME_UNKNOWN,
            AlarmKind.UNMOVED,
            AlarmKind.NOT_RECONCILED,
        ),
        logging.ERROR,
    ),
    **dict.fromkeys(
        (
            AlarmKind.RETENTION_HELD,
            AlarmKind.NOT_JOINED,
            AlarmKind.KEY_ENDS_SOON,
            AlarmKind.SENT_AGAIN,
            AlarmKind.AVVIST_FAGSYSTEM,
            AlarmKind.ODD_STATUS,
            AlarmKind.TEST,
        ),
        logging.WARNING,
    ),
}
"""How grave they are; critical when not said."""


def gravity_of(kind: AlarmKind) -> int:
    """How grave a kind of alarm is, as the levels of `logging`."""
    return LEVELS.get(kind, logging.CRITICAL)


def level_name(level: int) -> str:
    """What a level is called in settings, metrics and JSON: `warning`, `error` or `critical`."""
    return logging.getLevelName(level).lower()


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
        return logging.WARNING if self.over else self.gravity

    @property
    def gravity(self) -> int:
        """How grave that is, or was, which it tells of: whoever heard of it hears that it is over."""
        return gravity_of(self.kind)


AlarmObserver = Callable[[Alarm], None]
"""Told of each alarm, once. Must not block."""


def tell_nobody(_alarm: Alarm) -> None:
    """The observer of those to whom the log is enough."""
