"""The tables of the ledger, as SQLAlchemy Core knows them. Alembic brings a database here.

Times are ISO 8601 text in UTC with microseconds where they are ours (so that they sort), and
as the vendor gave them where they are a vendor's. Values are canonical JSON text. No text has a
greatest length: SQLite would not mind it, and PostgreSQL would end the run over one record.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
)

field = Table(
    "field",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("mapping", String, nullable=False),
    Column("salesforce", String, nullable=False),
    Column("sweo", String, nullable=False),
    Column("direction", String, nullable=False),
    Column("salesforce_kind", String, nullable=False),
    Column("sweo_kind", String, nullable=False),
    UniqueConstraint("mapping", "salesforce", "sweo", "direction", "salesforce_kind", "sweo_kind"),
)

link = Table(
    "link",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("mapping", String, nullable=False),
    Column("salesforce_id", String, nullable=False),
    Column("sweo_id", String, nullable=False),
    Column("closed", String),
    Column("version", Integer, nullable=False, default=1),
    Column("base_salesforce", Text, nullable=False, default="{}"),
    Column("base_sweo", Text, nullable=False, default="{}"),
    Column("as_of_salesforce", Text, nullable=False, default="{}"),
    Column("as_of_sweo", Text, nullable=False, default="{}"),
    Column("written_salesforce", String),
    Column("written_sweo", String),
    Column("digest_salesforce", LargeBinary(16)),
    Column("digest_sweo", LargeBinary(16)),
    Column("parent_id", String),
    Column("key_hash", String),
    Column("linked_at", String, nullable=False),
    Column("run_id", String, nullable=False),
    Column("review", String),
    UniqueConstraint("mapping", "salesforce_id", "sweo_id"),
)
Index(
    "link_open_salesforce",
    link.c.mapping,
    link.c.salesforce_id,
    unique=True,
    sqlite_where=link.c.closed.is_(None),
    postgresql_where=link.c.closed.is_(None),
)
Index(
    "link_open_sweo",
    link.c.mapping,
    link.c.sweo_id,
    unique=True,
    sqlite_where=link.c.closed.is_(None),
    postgresql_where=link.c.closed.is_(None),
)

Index("link_key", link.c.mapping, link.c.key_hash)

intent = Table(
    "intent",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("link_id", Integer, ForeignKey("link.id", ondelete="CASCADE"), index=True),
    Column("mapping", String, nullable=False),
    Column("direction", String, nullable=False),
    Column("source_id", String, nullable=False),
    Column("run_id", String, nullable=False),
    Column("fields", Text, nullable=False),
    Column("put_at", String, nullable=False),
    sqlite_autoincrement=True,
)
Index("intent_mapping", intent.c.mapping)
Index("intent_source", intent.c.direction, intent.c.mapping, intent.c.source_id)

waiting = Table(
    "waiting",
    metadata,
    Column("mapping", String, primary_key=True),
    Column("side", String, primary_key=True),
    Column("record_id", String, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("key_hash", String),
    Column("rank", Integer, nullable=False, default=0),
    Column("modified_at", String, nullable=False),
    Column("parent_mapping", String),
    Column("parent_id", String),
)
Index("waiting_key", waiting.c.mapping, waiting.c.side, waiting.c.key_hash)
Index("waiting_parent", waiting.c.parent_mapping, waiting.c.parent_id)

revisit = Table(
    "revisit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("direction", String, nullable=False),
    Column("mapping", String, nullable=False),
    Column("source_id", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("not_before", String, nullable=False),
    Column("added_at", String, nullable=False),
    sqlite_autoincrement=True,
)
Index("revisit_due", revisit.c.direction, revisit.c.mapping, revisit.c.not_before)
Index("revisit_record", revisit.c.direction, revisit.c.mapping, revisit.c.source_id)

left_out = Table(
    "left_out",
    metadata,
    Column("direction", String, primary_key=True),
    Column("mapping", String, primary_key=True),
    Column("source_id", String, primary_key=True),
    Column("side", String, nullable=False),
    Column("since", String, nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("key", String, primary_key=True),
    Column("mapping", String, nullable=False),
    Column("sweo_id", String, nullable=False),
    Column("at", String, nullable=False),
    Column("put_at", String),
)
Index("event_put", event.c.mapping, event.c.put_at)

run = Table(
    "run",
    metadata,
    Column("id", String, primary_key=True),
    Column("direction", String, nullable=False),
    Column("started_at", String, nullable=False, index=True),
    Column("ended_at", String),
    Column("outcome", String),
    Column("counts", Text, nullable=False, default="{}"),
    Column("calls", Integer, nullable=False, default=0),
)

change = Table(
    "change",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run_id", String, nullable=False, index=True),
    Column("at", String, nullable=False, index=True),
    Column("mapping", String, nullable=False),
    Column("salesforce_id", String, index=True),
    Column("sweo_id", String, index=True),
    Column("field", Text, nullable=False),
    Column("side", String, nullable=False),
    Column("old", Text),
    Column("new", Text),
    Column("outcome", String, nullable=False),
    sqlite_autoincrement=True,
)

conflict = Table(
    "conflict",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("link_id", Integer, ForeignKey("link.id", ondelete="CASCADE"), nullable=False),
    Column("field_id", Integer, ForeignKey("field.id"), nullable=False),
    Column("mapping", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("base", Text),
    Column("salesforce", Text),
    Column("sweo", Text),
    Column("salesforce_at", String),
    Column("sweo_at", String),
    Column("salesforce_by", String),
    Column("sweo_by", String),
    Column("winner", String),
    Column("value", Text),
    Column("status", String, nullable=False),
    Column("run_id", String, nullable=False),
    Column("at", String, nullable=False),
    sqlite_autoincrement=True,
)
Index("conflict_pair", conflict.c.link_id, conflict.c.field_id, conflict.c.status)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("direction", String, nullable=False),
    Column("mapping", String, nullable=False),
    Column("source_id", String, nullable=False),
    Column("field", String, nullable=False, default=""),
    Column("code", String, nullable=False),
    Column("message", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("tries", Integer, nullable=False, default=1),
    Column("first_at", String, nullable=False),
    Column("last_at", String, nullable=False),
    Column("next_at", String, nullable=False),
    UniqueConstraint("direction", "mapping", "source_id", "field"),
)

lease = Table(
    "lease",
    metadata,
    Column("direction", String, primary_key=True),
    Column("run_id", String, nullable=False),
    Column("host", String, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_started", String, nullable=False),
    Column("since", String, nullable=False),
    Column("heartbeat_at", String, nullable=False),
)

progress = Table(
    "progress",
    metadata,
    Column("direction", String, primary_key=True),
    Column("mapping", String, primary_key=True),
    Column("whole_at", String),
    Column("keys_read_at", String),
)

pause = Table(
    "pause",
    metadata,
    Column("mapping", String, primary_key=True),
    Column("since", String, nullable=False),
)
