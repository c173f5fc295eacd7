"""The journal's tables, for SQLite and PostgreSQL alike."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC on the way in and out; SQLite itself knows no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time, which would be read as another moment elsewhere."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without zone cannot be recorded")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the zone back."""
        if value is None or dialect.name != "sqlite":
            return value
        return value.replace(tzinfo=UTC)


def storable(text: str) -> str:
    """Text without NUL, which PostgreSQL does not take, and without halves of characters, which nobody can write."""
    return text.encode("utf-8", errors="replace").decode("utf-8").replace("\x00", "\ufffd")


class Words(TypeDecorator[str]):
    """Text that a handler or a person wrote: what a database cannot store in it is replaced, never refused."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's own
        """Replace what it does not take."""
        return None if value is None else storable(value)


metadata = MetaData()

# SQLite numbers rows by itself only where the key is a plain INTEGER.
Sequence = BigInteger().with_variant(Integer, "sqlite")

entries = Table(
    "entries",
    metadata,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    Column("konto_id", String(64), nullable=False),
    # What makes a delivery the same delivery: the platform's id and a digest of the body, or where the body is.
    Column("delivery_key", String(200), nullable=False),
    Column("melding_id", String(64)),
    Column("melding_type", Text),
    Column("avsender_id", String(64)),
    Column("klient_melding_id", Text),
    Column("klient_korrelasjons_id", Text),
    Column("bekymringsmelding_id", Text),
    Column("dokumentlager_id", Text),
    Column("headers", JSON, nullable=False),
    Column("missing", JSON, nullable=False),
    Column("payload_id", String(36), nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    # Of the sealed bytes: equal ones are the same submission, whatever ids they came under.
    Column("sha256", String(64)),
    Column("received_at", UtcDateTime, nullable=False),
    Column("deadline_at", UtcDateTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("due_at", UtcDateTime),
    Column("attempts", Integer, nullable=False, default=0),
    Column("failures", Integer, nullable=False, default=0),
    Column("report_id", String(200), unique=True),
    Column("duplicate_of", String(36)),
    Column("reference", Words),
    Column("reason", Words),
    # What is counted when the original is gone: where it was for, by which channel, and when it was registered.
    Column("kommunenummer", String(4)),
    Column("bydelsnummer", String(2)),
    Column("leveringskanal", Words),
    Column("registered_at", UtcDateTime),
    # Who works on it, until when, and how often it was claimed: a claim that was lost cannot be mistaken for the next.
    Column("lease_owner", String(36)),
    Column("lease_until", UtcDateTime),
    Column("lease_number", Integer, nullable=False, default=0, server_default="0"),
    # The end of its chain of events: a cut-off tail shows, and the next link needs no search.
    Column("event_count", Integer, nullable=False, default=0, server_default="0"),
    Column("event_hash", String(64), nullable=False, default="", server_default=""),
    # Since when a reconciliation does not find it in the case system.
    Column("missing_at", UtcDateTime),
    # Since when a person vouches that the case system rightly does not have it.
    Column("settled_at", UtcDateTime),
    # Since when it is to be handed to the case system once more, though it was registered before.
    Column("recovery_at", UtcDateTime),
    UniqueConstraint("konto_id", "delivery_key"),
)
_DUE = entries.c.due_at.is_not(None)
Index("entries_due", entries.c.due_at, entries.c.sequence, sqlite_where=_DUE, postgresql_where=_DUE)
_LEASED = entries.c.lease_owner.is_not(None)
Index("entries_leased", entries.c.lease_owner, sqlite_where=_LEASED, postgresql_where=_LEASED)
Index("entries_klient_melding_id", entries.c.avsender_id, entries.c.klient_melding_id)
Index("entries_bekymringsmelding_id", entries.c.avsender_id, entries.c.bekymringsmelding_id)
Index("entries_sha256", entries.c.avsender_id, entries.c.sha256)
Index("entries_state", entries.c.state, entries.c.received_at)
Index("entries_received", entries.c.received_at, entries.c.sequence)
Index("entries_reference", entries.c.reference)
_MISSING = entries.c.missing_at.is_not(None)
Index("entries_missing", entries.c.konto_id, entries.c.sequence, sqlite_where=_MISSING, postgresql_where=_MISSING)
_AGAIN = entries.c.recovery_at.is_not(None)
Index("entries_recovery", entries.c.konto_id, entries.c.recovery_at, sqlite_where=_AGAIN, postgresql_where=_AGAIN)

# Reports to send, and how they stand with the platform.
outbox = Table(
    "outbox",
    metadata,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("id", String(36), nullable=False, unique=True),
    # For whom it is sent: several organisations may share a database, and each sends its own only.
    Column("organisation_id", String(36), nullable=False),
    # The caller's own key: asking twice to send one report keeps it once.
    Column("key", Text),
    Column("message_type", String(64), nullable=False),
    Column("kommunenummer", String(4), nullable=False),
    Column("bydelsnummer", String(2), nullable=False),
    Column("receiver", Words, nullable=False),
    Column("payload_id", String(36), nullable=False, unique=True),
    Column("print_payload_id", String(36), nullable=False, unique=True),
    Column("size", BigInteger, nullable=False),
    Column("kept_at", UtcDateTime, nullable=False),
    Column("keys_until", UtcDateTime, nullable=False),
    Column("key_sha256", String(64), nullable=False),
    Column("print_key_sha256", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("due_at", UtcDateTime),
    Column("submissions", Integer, nullable=False, default=0),
    Column("failures", Integer, nullable=False, default=0),
    Column("uncertain", Boolean, nullable=False, default=False),
    Column("report_id", String(36), unique=True),
    Column("statuses", JSON, nullable=False),
    Column("moved_at", UtcDateTime, nullable=False),
    Column("alarmed_at", UtcDateTime),
    Column("reason", Words),
    Column("lease_owner", String(36)),
    Column("lease_until", UtcDateTime),
    Column("lease_number", Integer, nullable=False, default=0),
    Column("event_count", Integer, nullable=False),
    Column("event_hash", String(64), nullable=False),
    UniqueConstraint("organisation_id", "key"),
)
_TO_DO = outbox.c.due_at.is_not(None)
Index("outbox_due", outbox.c.due_at, outbox.c.sequence, sqlite_where=_TO_DO, postgresql_where=_TO_DO)
_TAKEN = outbox.c.lease_owner.is_not(None)
Index("outbox_leased", outbox.c.lease_owner, sqlite_where=_TAKEN, postgresql_where=_TAKEN)
Index("outbox_state", outbox.c.state, outbox.c.sequence)
Index("outbox_kept", outbox.c.kept_at, outbox.c.sequence)

receipts = Table(
    "receipts",
    metadata,
    Column("entry_id", String(36), ForeignKey("entries.id"), primary_key=True),
    Column("answer", String(16), nullable=False),
    Column("klient_melding_id", String(36), nullable=False),
    Column("reason", Words),
    Column("attempts", Integer, nullable=False, default=0),
    Column("taken_at", UtcDateTime),
    Column("melding_id", String(64)),
)
Index("receipts_melding_id", receipts.c.melding_id)

chunks = Table(
    "chunks",
    metadata,
    Column("payload_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

# Payloads on their way in, which no entry names yet.
downloads = Table(
    "downloads",
    metadata,
    Column("payload_id", String(36), primary_key=True),
    Column("started_at", UtcDateTime, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),
    Column("entry_id", String(36), nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("detail", JSON, nullable=False),
    Column("hash", String(64), nullable=False),
    UniqueConstraint("entry_id", "number"),
)

# Each covers the events since the one before it, and that one.
checkpoints = Table(
    "checkpoints",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("last_sequence", BigInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    Column("hash", String(64), nullable=False),
)

# When an account's journal was compared with its case system, and how that ended.
reconciliations = Table(
    "reconciliations",
    metadata,
    Column("number", Sequence, primary_key=True, autoincrement=True),
    Column("konto_id", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("period_start", UtcDateTime, nullable=False),
    Column("period_end", UtcDateTime, nullable=False),
    Column("compared", Boolean, nullable=False),
    Column("agreed", Boolean, nullable=False),
)
Index("reconciliations_latest", reconciliations.c.konto_id, reconciliations.c.number)

# Messages that a receiver sends to its own account, to see that they arrive. They are no entries: nobody counts them.
canaries = Table(
    "canaries",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("konto_id", String(64), nullable=False),
    # Which process sent it: each has to see its own arrive.
    Column("sender", String(36), nullable=False),
    Column("sent_at", UtcDateTime, nullable=False),
    Column("arrived_at", UtcDateTime),
    # Why it could not be opened, when it could not.
    Column("fault", Text),
)
Index("canaries_sender", canaries.c.sender, canaries.c.arrived_at)

# Registered reports that nobody is known to have opened. A row goes when somebody has.
readings = Table(
    "readings",
    metadata,
    Column("entry_id", String(36), ForeignKey("entries.id"), primary_key=True),
    Column("konto_id", String(64), nullable=False),
    Column("reference", Words, nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
    Column("ask_at", UtcDateTime, nullable=False),
    Column("alarmed_at", UtcDateTime),
)
Index("readings_ask", readings.c.konto_id, readings.c.ask_at)
