"""What a comparison finds: a value that can be kept as JSON and read again."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel


class Cause(StrEnum):
    """Why two sides differ. The values are in results that were kept: never change one."""

    NOT_IN_CASE_SYSTEM = "not_in_case_system"
    """Registered here, missing there. The original is kept, and can be handed over again."""
    NOT_IN_CASE_SYSTEM_AND_ERASED = "not_in_case_system_and_erased"
    """Registered here, missing there, and the original is erased."""
    NOT_REGISTERED = "not_registered"
    """Kept, and not registered for too long."""
    NOT_RECEIPTED = "not_receipted"
    """Decided, and the platform has not taken the receipt for too long."""
    RECEIPT_REFUSED = "receipt_refused"
    """Decided, and the platform will never take the receipt as it stands."""
    QUARANTINED = "quarantined"
    """It cannot be opened, believed or understood: a person decides."""
    NO_CONSUMER = "no_consumer"
    """Nobody takes what comes to the account's queue."""
    NOT_SENT = "not_sent"
    """A report of ours that the platform has not taken for too long."""
    NOT_DELIVERED = "not_delivered"
    """A report of ours that has stood still at the platform for too long."""
    UNDECIDED = "undecided"
    """A report of ours that waits for a person: refused, or of unknown outcome."""

    REJECTED = "rejected"
    """It was refused or too late: the sender was told `feilet`, and the platform sends it by letter."""
    NOT_KNOWN_HERE = "not_known_here"
    """The case system has a reference that the journal does not know."""
    SPELLED_OTHERWISE = "spelled_otherwise"
    """It is there under its reference with other spaces or letters."""
    SHARED_REFERENCE = "shared_reference"
    """More reports were registered under a reference than are listed there."""


NOTES: Final = frozenset({Cause.REJECTED, Cause.NOT_KNOWN_HERE, Cause.SPELLED_OTHERWISE, Cause.SHARED_REFERENCE})
"""Differences that are worth knowing, and by which nothing is missing."""


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="forbid")


class Difference(_Value):
    """One thing that is not as it should be.

    Attributes:
        cause: Why.
        id: Our id of the report, in journal or outbox; None when it is about none, or about several.
        reference: What the case system calls it, when it has a reference.
        since: When it was kept, aware UTC; None when it is about no report.
        text: What it means and what to do, in sentences, without personal data.
        command: What mends it, or shows how; empty when no command does.
    """

    cause: Cause
    id: str | None = None
    reference: str | None = None
    since: datetime | None = None
    text: str
    command: str = ""


class Received(_Value):
    """How the messages stand that were kept in the period.

    Attributes:
        kept: All of them.
        registered: Reports that the case system is said to have, repetitions not counted.
        receipted: Messages whose answer the platform has taken, `mottatt` or `feilet`.
        rejected: Reports that were not registered, and will not be.
        quarantined: Messages set aside.
        under_way: Messages with a step ahead that is not late.
        repetitions: Sendings of a report that the journal had already.
        notices: Messages of the platform that are no reports.
        erased: Messages whose sealed original is gone.
        settled: Reports of which a person has said that the case system rightly does not have them.
    """

    kept: int = 0
    registered: int = 0
    receipted: int = 0
    rejected: int = 0
    quarantined: int = 0
    under_way: int = 0
    repetitions: int = 0
    notices: int = 0
    erased: int = 0
    settled: int = 0


class CaseSystemSays(_Value):
    """What the case system told.

    Attributes:
        listed: References, each counted once.
        repeated: How many more times some of them were listed.
        found: Reports registered here that are there.
        missing: Reports registered here that are not.
    """

    listed: int
    repeated: int
    found: int
    missing: int


class QueueSays(_Value):
    """What the platform says of the account's queue.

    Attributes:
        waiting: Messages in it.
        consumers: Programs that take messages from it.
    """

    waiting: int
    consumers: int


class SentSays(_Value):
    """How reports stand that we sent in the period.

    Attributes:
        kept: All of them.
        delivered: `LEVERT`.
        cancelled: Not to be sent, as a person decided.
        under_way: On their way, and not late.
    """

    kept: int
    delivered: int
    cancelled: int
    under_way: int


class Reconciliation(_Value):
    """What a comparison found.

    Attributes:
        account: The account compared (`kontoId`).
        at: When, aware UTC.
        start: From when on what was kept was compared, aware UTC.
        end: Until before when.
        received: What the journal holds.
        case_system: What the case system told; None when it was not asked, or could not tell all.
        queue: What the platform says; None when it was not asked, or could not tell.
        sent: How our own reports stand.
        counts: How many differences there are of each cause.
        differences: They themselves, at most `reconcile.listed` of one cause.
        problems: What could not be compared, and why.
    """

    account: str
    at: datetime
    start: datetime
    end: datetime
    received: Received
    case_system: CaseSystemSays | None = None
    queue: QueueSays | None = None
    sent: SentSays
    counts: Mapping[Cause, int] = Field(default_factory=dict)
    differences: tuple[Difference, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def missing(self) -> int:
        """How many differences there are that are more than a note."""
        return sum(number for cause, number in self.counts.items() if cause not in NOTES)

    @property
    def agrees(self) -> bool:
        """Whether nothing is missing, and all that was asked for could be compared."""
        return not self.missing and not self.problems

    @property
    def complete(self) -> bool:
        """Whether every difference is listed."""
        return len(self.differences) == sum(self.counts.values())

    def to_json(self) -> str:
        """As JSON; `from_json` reads it again."""
        return self.model_dump_json(by_alias=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Reconciliation":
        """A result that was kept.

        Raises:
            pydantic.ValidationError: It is none.
        """
        return cls.model_validate_json(text)
