"""Receipts are found by the platform's id of them, which its notices name."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the index."""
    op.create_index("receipts_melding_id", "receipts", ["melding_id"])
