"""Canaries that were sent, and when they came back."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make a table."""
    op.create_table(
        "canaries",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("konto_id", sa.String(64), nullable=False),
        sa.Column("sender", sa.String(36), nullable=False),
        sa.Column("sent_at", MOMENT, nullable=False),
        sa.Column("arrived_at", MOMENT),
        sa.Column("fault", sa.Text),
    )
    op.create_index("canaries_sender", "canaries", ["sender", "arrived_at"])
