"""Which entries are to be handed to the case system once more."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Add a column and its index."""
    op.add_column("entries", sa.Column("recovery_at", sa.DateTime(timezone=True)))
    wanted = sa.text("recovery_at IS NOT NULL")
    op.create_index(
        "entries_recovery", "entries", ["konto_id", "recovery_at"], sqlite_where=wanted, postgresql_where=wanted
    )
