"""What goes into the journal and what comes out of it, as immutable values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fiksmelding.journal.chain import START
from fiksmelding.journal.states import WITH_THE_CASE_SYSTEM, Answer, EventKind, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A message as the broker delivered it, before anything is opened.

    Attributes:
        konto_id: The account whose queue it came from.
        melding_id: The platform's id of this sending, or None when the header is missing or no UUID.
        melding_type: Message type, or None when the header is missing.
        avsender_id: The sender's account, or None when the header is missing or no UUID.
        klient_melding_id: The sender's own id, the same on each resend.
        klient_korrelasjons_id: To be copied into every answer.
        bekymringsmelding_id: The report's own id.
        dokumentlager_id: Where the body is, when it did not come with the delivery.
        headers: Every header as text.
        missing: Required headers that are absent or malformed.
        received_at: When it was delivered, aware UTC.
        deadline_at: When it must have been decided, aware UTC.
    """

    konto_id: str
    melding_id: str | None
    melding_type: str | None
    avsender_id: str | None
    klient_melding_id: str | None = None
    klient_korrelasjons_id: str | None = None
    bekymringsmelding_id: str | None = None
    dokumentlager_id: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    received_at: datetime
    deadline_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """The answer of `Journal.keep`.

    Attributes:
        entry_id: The entry that holds the message.
        repeated: Whether it was kept before: the delivery is to be acknowledged and changes nothing.
    """

    entry_id: str
    repeated: bool


@dataclass(frozen=True, slots=True)
class Receipt:
    """An answer that the platform has to take.

    Attributes:
        answer: `mottatt` or `feilet`.
        klient_melding_id: Our id of it, the same on each resend.
        reason: Why it was `feilet`, for the one who reads the receipt.
        attempts: How often it was sent without being taken.
        taken_at: When the platform took it, aware UTC.
        melding_id: The platform's id of it, once taken.
    """

    answer: Answer
    klient_melding_id: str
    reason: str | None = None
    attempts: int = 0
    taken_at: datetime | None = None
    melding_id: str | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right of one process to work on an entry.

    Attributes:
        owner: Who has it.
        number: How many leases the entry has had: a claim that was lost cannot pass for a later one.
    """

    owner: str
    number: int


@dataclass(frozen=True, slots=True)
class Head:
    """The end of an entry's chain of events.

    Attributes:
        entry_id: The entry.
        count: How many events it has.
        hash: The hash of the last, or `START`.
    """

    entry_id: str
    count: int = 0
    hash: str = START

    def columns(self) -> dict[str, str | int]:
        """What the entry's row keeps of it."""
        return {"event_count": self.count, "event_hash": self.hash}


@dataclass(frozen=True, slots=True)
class Entry:
    """A kept message and what is known about it.

    Attributes:
        id: The entry's own id.
        sequence: Its place in the order of keeping.
        arrival: The message as delivered.
        state: How far it has come.
        due_at: When it is to be worked on next, aware UTC; None while it waits for a person or is done.
        attempts: How often the handler was called, or about to be, since it was opened.
        failures: Failures in a row at the present step; decides the wait before the next attempt.
        size: Size of the sealed payload, in bytes.
        sha256: Digest of the sealed payload, hexadecimal; None when it is empty, or was kept before digests were.
        payload_id: Its key among the pieces.
        report_id: The idempotency key that the handler gets; set when first opened.
        duplicate_of: The entry that holds the same report, when this is a repetition of it.
        reference: What the case system calls it, once registered.
        reason: Why it is quarantined or rejected, without personal data.
        receipt: Its answer, once decided.
        recovery_at: Since when it is to be handed to the case system once more, aware UTC; None when it is not.
        head: The end of its chain of events.
        lease: Our right to work on it; None when it was looked up and not claimed, or has been given back.
    """

    id: str
    sequence: int
    arrival: Arrival
    state: State
    due_at: datetime | None
    attempts: int
    failures: int
    size: int
    sha256: str | None
    payload_id: str
    report_id: str | None
    duplicate_of: str | None
    reference: str | None
    reason: str | None
    receipt: Receipt | None
    head: Head
    recovery_at: datetime | None = None
    lease: Lease | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a kept message has come, without its headers: what is read of many at once.

    Attributes:
        id: The entry's own id.
        sequence: Its place in the order of keeping.
        konto_id: The account whose queue it came from.
        melding_type: Its message type, or None when it had none.
        received_at: When it was kept, aware UTC.
        deadline_at: When it must have been decided, aware UTC.
        state: How far it has come.
        due_at: When it is to be worked on next, aware UTC; None while it waits for a person or is done.
        attempts: How often the handler was called, or about to be.
        report_id: The idempotency key that the handler gets.
        duplicate_of: The entry that holds the same report, when this is a repetition of it.
        reference: What the case system calls it, once registered.
        reason: Why it is quarantined or rejected.
        answer: Its answer, once decided.
        taken_at: When the platform took the answer, aware UTC.
        missing_at: Since when a reconciliation does not find it in the case system, aware UTC; None when it is there,
            or was not looked for.
        settled_at: Since when a person vouches that the case system rightly does not have it, aware UTC.
    """

    id: str
    sequence: int
    konto_id: str
    melding_type: str | None
    received_at: datetime
    deadline_at: datetime
    state: State
    due_at: datetime | None
    attempts: int
    report_id: str | None
    duplicate_of: str | None
    reference: str | None
    reason: str | None
    answer: Answer | None
    taken_at: datetime | None
    missing_at: datetime | None
    settled_at: datetime | None

    @property
    def registered(self) -> bool:
        """Whether the case system is said to have it: it was registered, and not answered `feilet`."""
        there = self.state in WITH_THE_CASE_SYSTEM
        return there and self.answer is not Answer.FEILET and self.reference is not None


@dataclass(frozen=True, slots=True)
class Canary:
    """A message that a receiver sent to its own account, to see that it arrives.

    Attributes:
        id: Its id, a UUID: `klientMeldingId`.
        konto_id: The account.
        sender: Names the process that sent it.
        sent_at: When, aware UTC.
        arrived_at: When it came back, aware UTC; None when it has not.
        fault: Why it could not be opened; None when it could.
    """

    id: str
    konto_id: str
    sender: str
    sent_at: datetime
    arrived_at: datetime | None
    fault: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A registered report of which nobody knows whether somebody has opened it.

    Attributes:
        entry_id: The report's id in the journal.
        reference: What the case system calls it.
        registered_at: When it was registered, aware UTC.
        alarmed_at: When people were told that nobody opens it, aware UTC; None when they were not.
    """

    entry_id: str
    reference: str
    registered_at: datetime
    alarmed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits in one state.

    Attributes:
        state: The state.
        count: How many.
        oldest: When the first of them came, aware UTC; None when there is none.
    """

    state: str
    count: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is counted of a report when its original is gone. Nothing of it is about a person.

    Attributes:
        kommunenummer: The municipality that it is for.
        bydelsnummer: The receiving office.
        leveringskanal: Whose system it was sent from; None where what stands there is no name.
    """

    kommunenummer: str
    bydelsnummer: str
    leveringskanal: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One step of an entry: recorded whole or not at all.

    A value of None leaves a column as it is; `due_at` is always set, for a step decides what comes next.

    Attributes:
        event: What happened.
        detail: Facts for the event log; never personal data or text out of a report.
        state: The state after it; the present one when absent.
        due_at: When to go on; None when it waits for a person or is done.
        attempts: New number of handler calls.
        failures: New number of failures in a row.
        report_id: Idempotency key, when it is decided now.
        duplicate_of: Entry that this one repeats.
        reference: The case system's reference.
        reason: Why it is quarantined or rejected.
        receipt: The answer, made or updated now.
        facts: What is counted of it, when it was just opened and understood.
        ask_at: When to ask first whether somebody has opened it; with `reference`.
        recovery: How its being handed over once more has ended: whether the case system has it now.
    """

    event: EventKind
    detail: Mapping[str, str | int] = field(default_factory=dict)
    state: State | None = None
    due_at: datetime | None
    attempts: int | None = None
    failures: int | None = None
    report_id: str | None = None
    duplicate_of: str | None = None
    reference: str | None = None
    reason: str | None = None
    receipt: Receipt | None = None
    facts: Facts | None = None
    ask_at: datetime | None = None
    recovery: bool | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """A line of the event log.

    Attributes:
        entry_id: The entry it is about.
        number: Its place among the entry's events, from 1.
        at: When it happened, aware UTC.
        kind: What happened.
        detail: Facts, without personal data.
        hash: SHA-256 over the event before it and itself, hexadecimal.
    """

    entry_id: str
    number: int
    at: datetime
    kind: EventKind
    detail: Mapping[str, str | int]
    hash: str


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A seal over the whole event log up to a moment.

    Attributes:
        number: Its place among the checkpoints, from 1.
        at: When it was made, aware UTC.
        last_sequence: The last event that it covers, by its place in the log.
        events: How many events were added since the checkpoint before.
        hash: SHA-256 over that checkpoint and those events, hexadecimal. Whoever notes it elsewhere can tell later
            whether the log was cut off or made anew.
    """

    number: int
    at: datetime
    last_sequence: int
    events: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """How a comparison of an account's journal with its case system ended.

    Attributes:
        konto_id: The account.
        at: When it was made, aware UTC.
        period_start: From when on what was kept was compared, aware UTC.
        period_end: Until before when.
        compared: Whether the case system told all that it has.
        agreed: Whether it has every report of the period that it said it had registered.
    """

    konto_id: str
    at: datetime
    period_start: datetime
    period_end: datetime
    compared: bool
    agreed: bool


@dataclass(frozen=True, slots=True)
class Alteration:
    """Where the event log is not what it was.

    Attributes:
        what: What is wrong, in words.
        sequence: The place in the log where it shows; None where no event is left to point at.
        entry_id: The entry concerned, where that is known.
        number: The event's place among the entry's events.
        checkpoint: The checkpoint that does not hold, when it is one that shows it.
    """

    what: str
    sequence: int | None = None
    entry_id: str | None = None
    number: int | None = None
    checkpoint: int | None = None
