"""The digest of an entry's sealed bytes: a report that was submitted twice is known by it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add it; what was kept before has none, and is known by its ids as before."""
    op.add_column("entries", sa.Column("sha256", sa.String(64)))
    op.create_index("entries_sha256", "entries", ["avsender_id", "sha256"])
