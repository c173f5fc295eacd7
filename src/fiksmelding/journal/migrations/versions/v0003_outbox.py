"""The outbox: reports to send, and how they stand with the platform."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make its table."""
    op.create_table(
        "outbox",
        sa.Column("sequence", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(36), nullable=False, unique=True),
        sa.Column("organisation_id", sa.String(36), nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("message_type", sa.String(64), nullable=False),
        sa.Column("kommunenummer", sa.String(4), nullable=False),
        sa.Column("bydelsnummer", sa.String(2), nullable=False),
        sa.Column("receiver", sa.Text, nullable=False),
        sa.Column("payload_id", sa.String(36), nullable=False, unique=True),
        sa.Column("print_payload_id", sa.String(36), nullable=False, unique=True),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("kept_at", MOMENT, nullable=False),
        sa.Column("keys_until", MOMENT, nullable=False),
        sa.Column("key_sha256", sa.String(64), nullable=False),
        sa.Column("print_key_sha256", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("due_at", MOMENT),
        sa.Column("submissions", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("uncertain", sa.Boolean, nullable=False),
        sa.Column("report_id", sa.String(36), unique=True),
        sa.Column("statuses", sa.JSON, nullable=False),
        sa.Column("moved_at", MOMENT, nullable=False),
        sa.Column("alarmed_at", MOMENT),
        sa.Column("reason", sa.Text),
        sa.Column("lease_owner", sa.String(36)),
        sa.Column("lease_until", MOMENT),
        sa.Column("lease_number", sa.Integer, nullable=False),
        sa.Column("event_count", sa.Integer, nullable=False),
        sa.Column("event_hash", sa.String(64), nullable=False),
        sa.UniqueConstraint("organisation_id", "key"),
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index("outbox_due", "outbox", ["due_at", "sequence"], sqlite_where=due, postgresql_where=due)
    leased = sa.text("lease_owner IS NOT NULL")
    op.create_index("outbox_leased", "outbox", ["lease_owner"], sqlite_where=leased, postgresql_where=leased)
    op.create_index("outbox_state", "outbox", ["state", "sequence"])
