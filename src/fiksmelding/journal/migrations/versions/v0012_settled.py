"""Which reports the case system rightly does not have, as a person has said."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add a column."""
    op.add_column("entries", sa.Column("settled_at", sa.DateTime(timezone=True)))
