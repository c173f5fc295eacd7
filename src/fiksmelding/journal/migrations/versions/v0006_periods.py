"""Entries are found by when they were kept, and by what the case system calls them: whoever compares looks so."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the indexes."""
    op.create_index("entries_received", "entries", ["received_at", "sequence"])
    op.create_index("entries_reference", "entries", ["reference"])
