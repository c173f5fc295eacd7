"""Registered reports of which nobody knows yet whether somebody has opened them in the case system."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make a table."""
    op.create_table(
        "readings",
        sa.Column("entry_id", sa.String(36), sa.ForeignKey("entries.id"), primary_key=True),
        sa.Column("konto_id", sa.String(64), nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("registered_at", MOMENT, nullable=False),
        sa.Column("ask_at", MOMENT, nullable=False),
        sa.Column("alarmed_at", MOMENT),
    )
    op.create_index("readings_ask", "readings", ["konto_id", "ask_at"])
