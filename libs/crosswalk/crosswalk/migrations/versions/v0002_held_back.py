"""Pairs under review, records that a filter left out, and events that are done with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add what the ledger remembers of records that it holds back."""
    op.add_column("link", sa.Column("review", sa.String, nullable=True))
    op.create_table(
        "left_out",
        sa.Column("direction", sa.String, nullable=False),
        sa.Column("mapping", sa.String, nullable=False),
        sa.Column("source_id", sa.String, nullable=False),
        sa.Column("side", sa.String, nullable=False),
        sa.Column("since", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("direction", "mapping", "source_id"),
    )
    op.create_table(
        "event",
        sa.Column("key", sa.String, nullable=False),
        sa.Column("mapping", sa.String, nullable=False),
        sa.Column("sweo_id", sa.String, nullable=False),
        sa.Column("at", sa.String, nullable=False),
        sa.Column("put_at", sa.String, nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("event_put", "event", ["mapping", "put_at"], unique=False)


def downgrade() -> None:
    """Drop it again."""
    op.drop_table("event")
    op.drop_table("left_out")
    op.drop_column("link", "review")
