"""What is counted when the original is gone. When an older entry was registered is known from its events."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add it, and fill in what is known already."""
    op.add_column("entries", sa.Column("kommunenummer", sa.String(4)))
    op.add_column("entries", sa.Column("bydelsnummer", sa.String(2)))
    op.add_column("entries", sa.Column("leveringskanal", sa.Text))
    op.add_column("entries", sa.Column("registered_at", MOMENT))
    op.execute(
        "UPDATE entries SET registered_at ="
        " (SELECT max(at) FROM events WHERE events.entry_id = entries.id AND events.kind = 'registered')"
    )
