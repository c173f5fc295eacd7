"""What goes into the outbox and what comes out of it, as immutable values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from fiksmelding.journal.records import Lease
from fiksmelding.journal.states import EventKind


class OutgoingState(StrEnum):
    """How far a report to send has come."""

    QUEUED = "QUEUED"
    """Sealed and durable; to be handed to the platform."""
    SUBMITTING = "SUBMITTING"
    """Being handed to the platform. Found so after a crash, the outcome is unknown."""
    UNCERTAIN = "UNCERTAIN"
    """The platform may have taken it: a person or the policy decides whether it is sent once more."""
    UNTRACED = "UNTRACED"
    """The platform took it, but gave no id that can be read: a person has to find it out."""
    ACCEPTED = "ACCEPTED"
    """The platform has it, and is asked how it stands."""
    DELIVERED = "DELIVERED"
    """`LEVERT`: with the case system, or gone by letter."""
    REFUSED = "REFUSED"
    """The platform will not take it as it stands: a person decides."""
    CANCELLED = "CANCELLED"
    """A person decided that it is not to be sent (any more)."""
    ERASED = "ERASED"
    """Delivered, and the sealed copies are gone; the event log stays."""


_MOVES = {
    OutgoingState.QUEUED: "SUBMITTING REFUSED CANCELLED",
    OutgoingState.SUBMITTING: "QUEUED UNCERTAIN UNTRACED ACCEPTED REFUSED",
    OutgoingState.UNCERTAIN: "QUEUED SUBMITTING ACCEPTED REFUSED CANCELLED",
    OutgoingState.UNTRACED: "QUEUED ACCEPTED CANCELLED",
    OutgoingState.ACCEPTED: "DELIVERED",
    OutgoingState.DELIVERED: "ERASED",
    OutgoingState.REFUSED: "QUEUED CANCELLED",
    OutgoingState.CANCELLED: "",
    OutgoingState.ERASED: "",
}
FOR_A_PERSON: Final = (OutgoingState.UNCERTAIN, OutgoingState.UNTRACED, OutgoingState.REFUSED)
"""Where a report waits until a person has decided, or the policy in his place."""
PASSABLE: Mapping[OutgoingState, frozenset[OutgoingState]] = MappingProxyType(
    {state: frozenset(map(OutgoingState, names.split())) for state, names in _MOVES.items()}
)
"""Where a report may go from each state."""


class SeenStatus(NamedTuple):
    """A state at the platform, as the platform told it.

    Attributes:
        tilstand: The state.
        tidspunkt: When, as the platform wrote it.
    """

    tilstand: str
    tidspunkt: str


@dataclass(frozen=True, slots=True)
class SealedCopies:
    """A report, sealed twice.

    Attributes:
        asice: The container, for the receiver.
        print_copy: The PDF, for the print provider.
    """

    asice: bytes = field(repr=False)
    print_copy: bytes = field(repr=False)

    @property
    def size(self) -> int:
        """Bytes of both."""
        return len(self.asice) + len(self.print_copy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A report to send, without what it says.

    Attributes:
        organisation_id: The Fiks organisation that sends it.
        message_type: Its message type.
        kommunenummer: The receiving municipality.
        bydelsnummer: The receiving office.
        receiver: The names of both, for people.
        kept_at: When it was sealed, aware UTC.
        keys_until: When the first of the two certificates it is sealed for ends, aware UTC.
        key_sha256: Fingerprint of the receiver's certificate, hexadecimal.
        print_key_sha256: Fingerprint of the print provider's.
        key: The caller's own key for it, the same when it asks again; None for none.
    """

    organisation_id: str
    message_type: str
    kommunenummer: str
    bydelsnummer: str
    receiver: str
    kept_at: datetime
    keys_until: datetime
    key_sha256: str
    print_key_sha256: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A report to send and what is known about it.

    Attributes:
        id: Our id of it.
        sequence: Its place in the order of keeping.
        order: What is to be sent where.
        state: How far it has come.
        due_at: When it is to be worked on next, aware UTC; None while it waits for a person or is done.
        submissions: How often it was handed to the platform, or about to be.
        failures: Failures in a row, or polls without news; decides the wait before the next.
        uncertain: Whether an outcome was once unknown: the platform may have it twice.
        report_id: The platform's id of it (`bekymringsmelding-id`), once it was taken.
        statuses: The states that it has come to at the platform, oldest first.
        moved_at: When something happened to it last, aware UTC.
        alarmed_at: When the last alarm about its standing still was told, aware UTC.
        reason: Why it was refused or is uncertain, without personal data.
        size: Bytes of both sealed copies.
        lease: Our right to work on it; None when it was looked up and not claimed, or has been given back.
    """

    id: str
    sequence: int
    order: Order
    state: OutgoingState
    due_at: datetime | None
    submissions: int
    failures: int
    uncertain: bool
    report_id: str | None
    statuses: tuple[SeenStatus, ...]
    moved_at: datetime
    alarmed_at: datetime | None
    reason: str | None
    size: int
    lease: Lease | None = None

    @property
    def tilstand(self) -> str | None:
        """The state at the platform; None before the first."""
        return self.statuses[-1].tilstand if self.statuses else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step of a report to send: recorded whole or not at all.

    A value of None leaves a column as it is; `due_at` is always set, for a step decides what comes next.

    Attributes:
        event: What happened.
        detail: Facts for the event log; never personal data or text out of a report.
        state: The state after it; the present one when absent.
        due_at: When to go on; None when it waits for a person or is done.
        submissions: New number of submissions.
        failures: New number of failures.
        uncertain: Whether an outcome is unknown now.
        report_id: The platform's id, when it is told now.
        statuses: All states at the platform, when there are new ones.
        moved: Whether the report came further by it, which an alarm or a failure does not.
        alarmed: Whether an alarm was told.
        reason: Why it is refused or uncertain.
    """

    event: EventKind
    detail: Mapping[str, str | int] = field(default_factory=dict)
    state: OutgoingState | None = None
    due_at: datetime | None
    submissions: int | None = None
    failures: int | None = None
    uncertain: bool | None = None
    report_id: str | None = None
    statuses: tuple[SeenStatus, ...] | None = None
    moved: bool = True
    alarmed: bool = False
    reason: str | None = None
