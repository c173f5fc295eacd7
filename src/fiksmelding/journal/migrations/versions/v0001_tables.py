"""Entries, receipts, payloads in pieces, events."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "entries",
        sa.Column("sequence", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(36), nullable=False, unique=True),
        sa.Column("konto_id", sa.String(64), nullable=False),
        sa.Column("delivery_key", sa.String(200), nullable=False),
        sa.Column("melding_id", sa.String(64)),
        sa.Column("melding_type", sa.Text),
        sa.Column("avsender_id", sa.String(64)),
        sa.Column("klient_melding_id", sa.Text),
        sa.Column("klient_korrelasjons_id", sa.Text),
        sa.Column("bekymringsmelding_id", sa.Text),
        sa.Column("dokumentlager_id", sa.Text),
        sa.Column("headers", sa.JSON, nullable=False),
        sa.Column("missing", sa.JSON, nullable=False),
        sa.Column("payload_id", sa.String(36), nullable=False, unique=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("deadline_at", MOMENT, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("due_at", MOMENT),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("report_id", sa.String(200), unique=True),
        sa.Column("duplicate_of", sa.String(36)),
        sa.Column("reference", sa.Text),
        sa.Column("reason", sa.Text),
        sa.UniqueConstraint("konto_id", "delivery_key"),
    )
    op.create_index("entries_due", "entries", ["due_at"], sqlite_where=sa.text("due_at IS NOT NULL"))
    op.create_index("entries_klient_melding_id", "entries", ["avsender_id", "klient_melding_id"])
    op.create_index("entries_bekymringsmelding_id", "entries", ["avsender_id", "bekymringsmelding_id"])
    op.create_index("entries_state", "entries", ["state", "received_at"])
    op.create_table(
        "receipts",
        sa.Column("entry_id", sa.String(36), sa.ForeignKey("entries.id"), primary_key=True),
        sa.Column("answer", sa.String(16), nullable=False),
        sa.Column("klient_melding_id", sa.String(36), nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("taken_at", MOMENT),
        sa.Column("melding_id", sa.String(64)),
    )
    op.create_table(
        "chunks",
        sa.Column("payload_id", sa.String(36), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "events",
        sa.Column("sequence", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("entry_id", sa.String(36), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.UniqueConstraint("entry_id", "number"),
    )
