"""The tables of the ledger, as SQLAlchemy Core knows them. Alembic brings a database here.

Times are ISO 8601 text in UTC with microseconds where they are ours (so that they sort), and
as the vendor gave them where they are a vendor's. Values are canonical JSON text.
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
    Column("key", String(120), primary_key=True),
    Column("value", Text, nullable=False),
)

field = Table(
    "field",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("mapping", String(80), nullable=False),
    Column("salesforce", String(255), nullable=False),
    Column("sweo", String(255), nullable=False),
    Column("direction", String(16), nullable=False),
    Column("salesforce_kind", String(16), nullable=False),
    Column("sweo_kind", String(16), nullable=False),
    UniqueConstraint("mapping", "salesforce", "sweo", "direction", "salesforce_kind", "sweo_kind"),
)

link = Table(
    "link",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("mapping", String(80), nullable=False),
    Column("salesforce_id", String(64), nullable=False),
    Column("sweo_id", String(64), nullable=False),
    Column("closed", String(40)),
    Column("version", Integer, nullable=False, default=1),
    Column("base_salesforce", Text, nullable=False, default="{}"),
    Column("base_sweo", Text, nullable=False, default="{}"),
    Column("as_of_salesforce", Text, nullable=False, default="{}"),
    Column("as_of_sweo", Text, nullable=False, default="{}"),
    Column("written_salesforce", String(40)),
    Column("written_sweo", String(40)),
    Column("digest_salesforce", LargeBinary(16)),
    Column("digest_sweo", LargeBinary(16)),
    Column("parent_id", String(64)),
    Column("key_hash", String(32)),
    Column("linked_at", String(40), nullable=False),
    Column("run_id", String(40), nullable=False),
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
    Column("mapping", String(80), nullable=False),
    Column("direction", String(16), nullable=False),
    Column("source_id", String(64), nullable=False),
    Column("run_id", String(40), nullable=False),
    Column("fields", Text, nullable=False),
    Column("put_at", String(40), nullable=False),
)
Index("intent_mapping", intent.c.mapping)
Index("intent_source", intent.c.direction, intent.c.mapping, intent.c.source_id)

waiting = Table(
    "waiting",
    metadata,
    Column("mapping", String(80), primary_key=True),
    Column("side", String(16), primary_key=True),
    Column("record_id", String(64), primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("key_hash", String(32)),
    Column("rank", Integer, nullable=False, default=0),
    Column("modified_at", String(40), nullable=False),
    Column("parent_mapping", String(80)),
    Column("parent_id", String(64)),
)
Index("waiting_key", waiting.c.mapping, waiting.c.side, waiting.c.key_hash)
Index("waiting_parent", waiting.c.parent_mapping, waiting.c.parent_id)

revisit = Table(
    "revisit",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("direction", String(16), nullable=False),
    Column("mapping", String(80), nullable=False),
    Column("source_id", String(64), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("not_before", String(40), nullable=False),
    Column("added_at", String(40), nullable=False),
    sqlite_autoincrement=True,
)
Index("revisit_due", revisit.c.direction, revisit.c.mapping, revisit.c.not_before)
Index("revisit_record", revisit.c.direction, revisit.c.mapping, revisit.c.source_id)

run = Table(
    "run",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("direction", String(16), nullable=False),
    Column("started_at", String(40), nullable=False, index=True),
    Column("ended_at", String(40)),
    Column("outcome", String(40)),
    Column("counts", Text, nullable=False, default="{}"),
    Column("calls", Integer, nullable=False, default=0),
)

change = Table(
    "change",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("run_id", String(40), nullable=False, index=True),
    Column("at", String(40), nullable=False, index=True),
    Column("mapping", String(80), nullable=False),
    Column("salesforce_id", String(64), index=True),
    Column("sweo_id", String(64), index=True),
    Column("field", Text, nullable=False),
    Column("side", String(16), nullable=False),
    Column("old", Text),
    Column("new", Text),
    Column("outcome", String(40), nullable=False),
    sqlite_autoincrement=True,
)

conflict = Table(
    "conflict",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("link_id", Integer, ForeignKey("link.id", ondelete="CASCADE"), nullable=False),
    Column("field_id", Integer, ForeignKey("field.id"), nullable=False),
    Column("mapping", String(80), nullable=False),
    Column("reason", String(40), nullable=False),
    Column("base", Text),
    Column("salesforce", Text),
    Column("sweo", Text),
    Column("salesforce_at", String(40)),
    Column("sweo_at", String(40)),
    Column("salesforce_by", String(64)),
    Column("sweo_by", String(64)),
    Column("winner", String(16)),
    Column("value", Text),
    Column("status", String(16), nullable=False),
    Column("run_id", String(40), nullable=False),
    Column("at", String(40), nullable=False),
    sqlite_autoincrement=True,
)
Index("conflict_pair", conflict.c.link_id, conflict.c.field_id, conflict.c.status)

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("direction", String(16), nullable=False),
    Column("mapping", String(80), nullable=False),
    Column("source_id", String(64), nullable=False),
    Column("field", String(255), nullable=False, default=""),
    Column("code", String(120), nullable=False),
    Column("message", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("tries", Integer, nullable=False, default=1),
    Column("first_at", String(40), nullable=False),
    Column("last_at", String(40), nullable=False),
    Column("next_at", String(40), nullable=False),
    UniqueConstraint("direction", "mapping", "source_id", "field"),
)

lease = Table(
    "lease",
    metadata,
    Column("direction", String(16), primary_key=True),
    Column("run_id", String(40), nullable=False),
    Column("host", String(255), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("process_started", String(40), nullable=False),
    Column("since", String(40), nullable=False),
    Column("heartbeat_at", String(40), nullable=False),
)

progress = Table(
    "progress",
    metadata,
    Column("direction", String(16), primary_key=True),
    Column("mapping", String(80), primary_key=True),
    Column("whole_at", String(40)),
    Column("keys_read_at", String(40)),
)

pause = Table(
    "pause",
    metadata,
    Column("mapping", String(80), primary_key=True),
    Column("since", String(40), nullable=False),
)
