"""The first ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    op.create_table(
        "change",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("run_id", sa.String, nullable=False),
        sa.Column("at", sa.String, nullable=False),
        sa.Column("mapping", sa.String, nullable=False),
        sa.Column("salesforce_id", sa.String, nullable=True),
        sa.Column("sweo_id", sa.String, nullable=True),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("side", sa.String, nullable=False),
        sa.Column("old", sa.Text(), nullable=True),
        sa.Column("new", sa.Text(), nullable=True),
        sa.Column("outcome", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_change_at", "change", ["at"], unique=False)
    op.create_index("ix_change_run_id", "change", ["run_id"], unique=False)
    op.create_index("ix_change_salesforce_id", "change", ["salesforce_id"], unique=False)
    op.create_index("ix_change_sweo_id", "change", ["sweo_id"], unique=False)
    op.create_table(
        "field",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("mapping", sa.String, nullable=False),
        sa.Column("salesforce", sa.String, nullable=False),
        sa.Column("sweo", sa.String, nullable=False),
        sa.Column("direction", sa.String, nullable=False),
        sa.Column("salesforce_kind", sa.String, nullable=False),
        sa.Column("sweo_kind", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "mapping", "salesforce", "sweo", "direction", "salesforce_kind", "sweo_kind"
        ),
    )
    op.create_table(
        "lease",
        sa.Column("direction", sa.String, nullable=False),
        sa.Column("run_id", sa.String, nullable=False),
        sa.Column("host", sa.String, nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("process_started", sa.String, nullable=False),
        sa.Column("since", sa.String, nullable=False),
        sa.Column("heartbeat_at", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("direction"),
    )
    op.create_table(
        "link",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("mapping", sa.String, nullable=False),
        sa.Column("salesforce_id", sa.String, nullable=False),
        sa.Column("sweo_id", sa.String, nullable=False),
        sa.Column("closed", sa.String, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("base_salesforce", sa.Text(), nullable=False),
        sa.Column("base_sweo", sa.Text(), nullable=False),
        sa.Column("as_of_salesforce", sa.Text(), nullable=False),
        sa.Column("as_of_sweo", sa.Text(), nullable=False),
        sa.Column("written_salesforce", sa.String, nullable=True),
        sa.Column("written_sweo", sa.String, nullable=True),
        sa.Column("digest_salesforce", sa.LargeBinary(length=16), nullable=True),
        sa.Column("digest_sweo", sa.LargeBinary(length=16), nullable=True),
        sa.Column("parent_id", sa.String, nullable=True),
        sa.Column("key_hash", sa.String, nullable=True),
        sa.Column("linked_at", sa.String, nullable=False),
        sa.Column("run_id", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("mapping", "salesforce_id", "sweo_id"),
    )
    op.create_index("link_key", "link", ["mapping", "key_hash"], unique=False)
    op.create_index(
        "link_open_salesforce",
        "link",
        ["mapping", "salesforce_id"],
        unique=True,
        sqlite_where=sa.text("closed IS NULL"),
        postgresql_where=sa.text("closed IS NULL"),
    )
    op.create_index(
        "link_open_sweo",
        "link",
        ["mapping", "sweo_id"],
        unique=True,
        sqlite_where=sa.text("closed IS NULL"),
        postgresql_where=sa.text("closed IS NULL"),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.String, nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "pause",
        sa.Column("mapping", sa.String, nullable=False),
        sa.Column("since", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("mapping"),
    )
    op.create_table(
        "progress",
        sa.Column("direction", sa.String, nullable=False),
        sa.Column("mapping", sa.String, nullable=False),
        sa.Column("whole_at", sa.String, nullable=True),
        sa.Column("keys_read_at", sa.String, nullable=True),
        sa.PrimaryKeyConstraint("direction", "mapping"),
    )
    op.create_table(
        "quarantine",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("direction", sa.String, nullable=False),
        sa.Column("mapping", sa.String, nullable=False),
        sa.Column("source_id", sa.String, nullable=False),
        sa.Column("field", sa.String, nullable=False),
        sa.Column("code", sa.String, nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("first_at", sa.String, nullable=False),
        sa.Column("last_at", sa.String, nullable=False),
        sa.Column("next_at", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("direction", "mapping", "source_id", "field"),
    )
    op.create_table(
        "revisit",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("direction", sa.String, nullable=False),
        sa.Column("mapping", sa.String, nullable=False),
        sa.Column("source_id", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("not_before", sa.String, nullable=False),
        sa.Column("added_at", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("revisit_due", "revisit", ["direction", "mapping", "not_before"], unique=False)
    op.create_index(
        "revisit_record", "revisit", ["direction", "mapping", "source_id"], unique=False
    )
    op.create_table(
        "run",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("direction", sa.String, nullable=False),
        sa.Column("started_at", sa.String, nullable=False),
        sa.Column("ended_at", sa.String, nullable=True),
        sa.Column("outcome", sa.String, nullable=True),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_run_started_at", "run", ["started_at"], unique=False)
    op.create_table(
        "waiting",
        sa.Column("mapping", sa.String, nullable=False),
        sa.Column("side", sa.String, nullable=False),
        sa.Column("record_id", sa.String, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("key_hash", sa.String, nullable=True),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("modified_at", sa.String, nullable=False),
        sa.Column("parent_mapping", sa.String, nullable=True),
        sa.Column("parent_id", sa.String, nullable=True),
        sa.PrimaryKeyConstraint("mapping", "side", "record_id", "place"),
    )
    op.create_index("waiting_key", "waiting", ["mapping", "side", "key_hash"], unique=False)
    op.create_index("waiting_parent", "waiting", ["parent_mapping", "parent_id"], unique=False)
    op.create_table(
        "conflict",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("link_id", sa.Integer(), nullable=False),
        sa.Column("field_id", sa.Integer(), nullable=False),
        sa.Column("mapping", sa.String, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("base", sa.Text(), nullable=True),
        sa.Column("salesforce", sa.Text(), nullable=True),
        sa.Column("sweo", sa.Text(), nullable=True),
        sa.Column("salesforce_at", sa.String, nullable=True),
        sa.Column("sweo_at", sa.String, nullable=True),
        sa.Column("salesforce_by", sa.String, nullable=True),
        sa.Column("sweo_by", sa.String, nullable=True),
        sa.Column("winner", sa.String, nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("run_id", sa.String, nullable=False),
        sa.Column("at", sa.String, nullable=False),
        sa.ForeignKeyConstraint(
            ["field_id"],
            ["field.id"],
        ),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("conflict_pair", "conflict", ["link_id", "field_id", "status"], unique=False)
    op.create_table(
        "intent",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("link_id", sa.Integer(), nullable=True),
        sa.Column("mapping", sa.String, nullable=False),
        sa.Column("direction", sa.String, nullable=False),
        sa.Column("source_id", sa.String, nullable=False),
        sa.Column("run_id", sa.String, nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("put_at", sa.String, nullable=False),
        sa.ForeignKeyConstraint(["link_id"], ["link.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("intent_mapping", "intent", ["mapping"], unique=False)
    op.create_index("intent_source", "intent", ["direction", "mapping", "source_id"], unique=False)
    op.create_index("ix_intent_link_id", "intent", ["link_id"], unique=False)


def downgrade() -> None:
    """Drop every table, those that refer to others first."""
    for table in (
        "intent",
        "conflict",
        "waiting",
        "run",
        "revisit",
        "quarantine",
        "progress",
        "pause",
        "meta",
        "link",
        "lease",
        "field",
        "change",
    ):
        op.drop_table(table)
