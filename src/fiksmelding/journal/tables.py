"""The journal's tables, for SQLite and PostgreSQL alike."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
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
    Column("received_at", UtcDateTime, nullable=False),
    Column("deadline_at", UtcDateTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("due_at", UtcDateTime),
    Column("attempts", Integer, nullable=False, default=0),
    Column("failures", Integer, nullable=False, default=0),
    Column("report_id", String(200), unique=True),
    Column("duplicate_of", String(36)),
    Column("reference", Text),
    Column("reason", Text),
    UniqueConstraint("konto_id", "delivery_key"),
)
Index("entries_due", entries.c.due_at, sqlite_where=entries.c.due_at.is_not(None))
Index("entries_klient_melding_id", entries.c.avsender_id, entries.c.klient_melding_id)
Index("entries_bekymringsmelding_id", entries.c.avsender_id, entries.c.bekymringsmelding_id)
Index("entries_state", entries.c.state, entries.c.received_at)

receipts = Table(
    "receipts",
    metadata,
    Column("entry_id", String(36), ForeignKey("entries.id"), primary_key=True),
    Column("answer", String(16), nullable=False),
    Column("klient_melding_id", String(36), nullable=False),
    Column("reason", Text),
    Column("attempts", Integer, nullable=False, default=0),
    Column("taken_at", UtcDateTime),
    Column("melding_id", String(64)),
)

chunks = Table(
    "chunks",
    metadata,
    Column("payload_id", String(36), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("data", LargeBinary, nullable=False),
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
