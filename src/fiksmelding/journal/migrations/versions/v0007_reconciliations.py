"""What is missing in the case system, when it was last compared, and what was sent in a period."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

NUMBER = sa.BigInteger().with_variant(sa.Integer, "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add a column, a table and indexes."""
    op.add_column("entries", sa.Column("missing_at", MOMENT))
    missing = sa.text("missing_at IS NOT NULL")
    op.create_index(
        "entries_missing", "entries", ["konto_id", "sequence"], sqlite_where=missing, postgresql_where=missing
    )
    op.create_index("outbox_kept", "outbox", ["kept_at", "sequence"])
    op.create_table(
        "reconciliations",
        sa.Column("number", NUMBER, primary_key=True, autoincrement=True),
        sa.Column("konto_id", sa.String(64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("period_start", MOMENT, nullable=False),
        sa.Column("period_end", MOMENT, nullable=False),
        sa.Column("compared", sa.Boolean, nullable=False),
        sa.Column("agreed", sa.Boolean, nullable=False),
    )
    op.create_index("reconciliations_latest", "reconciliations", ["konto_id", "number"])
