"""Leases for several receivers, the chain's head in each entry, checkpoints over all, downloads under way."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add them, and fill in what is known already."""
    op.add_column("entries", sa.Column("lease_owner", sa.String(36)))
    op.add_column("entries", sa.Column("lease_until", MOMENT))
    op.add_column("entries", sa.Column("lease_number", sa.Integer, nullable=False, server_default="0"))
    op.add_column("entries", sa.Column("event_count", sa.Integer, nullable=False, server_default="0"))
    op.add_column("entries", sa.Column("event_hash", sa.String(64), nullable=False, server_default=""))
    op.execute(
        "UPDATE entries SET"
        " event_count = (SELECT count(*) FROM events WHERE events.entry_id = entries.id),"
        " event_hash = coalesce((SELECT hash FROM events WHERE events.entry_id = entries.id"
        " ORDER BY number DESC LIMIT 1), '')"
    )
    op.drop_index("entries_due", "entries")
    due = sa.text("due_at IS NOT NULL")
    op.create_index("entries_due", "entries", ["due_at", "sequence"], sqlite_where=due, postgresql_where=due)
    leased = sa.text("lease_owner IS NOT NULL")
    op.create_index("entries_leased", "entries", ["lease_owner"], sqlite_where=leased, postgresql_where=leased)
    op.create_table(
        "downloads",
        sa.Column("payload_id", sa.String(36), primary_key=True),
        sa.Column("started_at", MOMENT, nullable=False),
    )
    op.execute("DELETE FROM chunks WHERE payload_id NOT IN (SELECT payload_id FROM entries)")
    op.create_table(
        "checkpoints",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("last_sequence", sa.BigInteger, nullable=False),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
    )
