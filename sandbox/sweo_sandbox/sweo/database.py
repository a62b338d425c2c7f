"""The workspace's SQLite file: tables, transactions, snapshots."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

COMPANY_COLUMNS = (
    "id",
    "company_id",
    "name",
    "plan",
    "size",
    "website",
    "industry",
    "monthly_spend",
    "remote_created_at",
    "created_at",
    "updated_at",
    "last_request_at",
    "session_count",
    "custom_attributes",
)
CONTACT_COLUMNS = (
    "id",
    "external_id",
    "role",
    "email",
    "phone",
    "name",
    "avatar",
    "owner_id",
    "unsubscribed_from_emails",
    "has_hard_bounced",
    "marked_email_as_spam",
    "created_at",
    "updated_at",
    "signed_up_at",
    "last_seen_at",
    "last_replied_at",
    "last_contacted_at",
    "language_override",
    "custom_attributes",
    "extra",
    "state",
    "merged_into",
    "blocked",
)

_TABLES = """
CREATE TABLE IF NOT EXISTS company (
  id TEXT PRIMARY KEY, company_id TEXT, name TEXT, plan TEXT, size INTEGER, website TEXT,
  industry TEXT, monthly_spend INTEGER, remote_created_at INTEGER, created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL, last_request_at INTEGER, session_count INTEGER NOT NULL DEFAULT 0,
  custom_attributes TEXT NOT NULL DEFAULT '{}');
CREATE UNIQUE INDEX IF NOT EXISTS company_by_company_id ON company (company_id);
CREATE INDEX IF NOT EXISTS company_by_name ON company (name);
CREATE INDEX IF NOT EXISTS company_by_updated_at ON company (updated_at, id);
CREATE TABLE IF NOT EXISTS contact (
  id TEXT PRIMARY KEY, external_id TEXT, role TEXT NOT NULL, email TEXT COLLATE NOCASE, phone TEXT,
  name TEXT, avatar TEXT, owner_id TEXT, unsubscribed_from_emails INTEGER NOT NULL DEFAULT 0,
  has_hard_bounced INTEGER NOT NULL DEFAULT 0, marked_email_as_spam INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, signed_up_at INTEGER,
  last_seen_at INTEGER, last_replied_at INTEGER, last_contacted_at INTEGER, language_override TEXT,
  custom_attributes TEXT NOT NULL DEFAULT '{}', extra TEXT NOT NULL DEFAULT '{}',
  state TEXT NOT NULL DEFAULT 'active', merged_into TEXT, blocked INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS contact_by_updated_at ON contact (state, updated_at, id);
CREATE INDEX IF NOT EXISTS contact_by_created_at ON contact (state, created_at, id);
CREATE INDEX IF NOT EXISTS contact_by_email ON contact (email);
CREATE INDEX IF NOT EXISTS contact_by_external_id ON contact (external_id);
CREATE TABLE IF NOT EXISTS membership (
  contact_id TEXT NOT NULL, company_id TEXT NOT NULL, position INTEGER NOT NULL,
  PRIMARY KEY (contact_id, company_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS membership_by_company ON membership (company_id, contact_id);
CREATE TABLE IF NOT EXISTS data_attribute (
  id INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL, name TEXT NOT NULL COLLATE NOCASE,
  description TEXT, data_type TEXT NOT NULL, options TEXT,
  messenger_writable INTEGER NOT NULL DEFAULT 0, archived INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS event (
  number INTEGER PRIMARY KEY, contact_id TEXT NOT NULL, name TEXT NOT NULL,
  created_at INTEGER NOT NULL, metadata TEXT NOT NULL,
  UNIQUE (contact_id, name, created_at));
CREATE INDEX IF NOT EXISTS event_by_name ON event (name);
CREATE TABLE IF NOT EXISTS event_summary (
  contact_id TEXT NOT NULL, name TEXT NOT NULL, count INTEGER NOT NULL, first INTEGER, last INTEGER,
  PRIMARY KEY (contact_id, name));
CREATE TABLE IF NOT EXISTS segment (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, model TEXT NOT NULL, person_type TEXT NOT NULL,
  query TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS tag (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE COLLATE NOCASE);
CREATE TABLE IF NOT EXISTS tagging (
  tag_id INTEGER NOT NULL, model TEXT NOT NULL, object_id TEXT NOT NULL,
  applied_at INTEGER NOT NULL, PRIMARY KEY (model, object_id, tag_id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tagging_by_tag ON tagging (tag_id, model);
CREATE TABLE IF NOT EXISTS note (
  id INTEGER PRIMARY KEY AUTOINCREMENT, model TEXT NOT NULL, object_id TEXT NOT NULL,
  body TEXT NOT NULL, created_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS note_by_object ON note (model, object_id);
CREATE TABLE IF NOT EXISTS merge_history (
  contact_id TEXT NOT NULL, source_id TEXT NOT NULL, source_role TEXT NOT NULL,
  merged_at INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS merge_history_by_contact ON merge_history (contact_id);
CREATE TABLE IF NOT EXISTS activity (
  number INTEGER PRIMARY KEY, event_type TEXT NOT NULL, contact_id TEXT NOT NULL,
  external_id TEXT, role TEXT, merge_source_id TEXT, merge_target_id TEXT,
  created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS bulk_job (
  id TEXT PRIMARY KEY, model TEXT NOT NULL, state TEXT NOT NULL, created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL, tasks TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS messenger_secret (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, secret TEXT NOT NULL,
  supports_android INTEGER NOT NULL, supports_ios INTEGER NOT NULL, supports_web INTEGER NOT NULL,
  created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS webhook (
  id TEXT PRIMARY KEY, url TEXT NOT NULL, topics TEXT NOT NULL, active INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS webhook_delivery (
  number INTEGER PRIMARY KEY, notification_id TEXT NOT NULL, webhook_id TEXT NOT NULL,
  topic TEXT NOT NULL, item TEXT NOT NULL, created_at INTEGER NOT NULL, due_ms INTEGER NOT NULL,
  state TEXT NOT NULL, trick TEXT, attempts INTEGER NOT NULL DEFAULT 0, first_sent_at INTEGER,
  last_status INTEGER);
CREATE INDEX IF NOT EXISTS webhook_delivery_owed ON webhook_delivery (state, due_ms);
"""


def _past_table(table: str, columns: Sequence[str]) -> str:
    """Earlier versions of rows, for the lagging index; ``absent`` rows say "not made yet"."""
    return (
        f"CREATE TABLE IF NOT EXISTS {table}_past (number INTEGER PRIMARY KEY, "
        f"superseded_at_ms INTEGER NOT NULL, absent INTEGER NOT NULL, {', '.join(columns)});"
        f"CREATE INDEX IF NOT EXISTS {table}_past_by_id ON {table}_past (id, superseded_at_ms);"
    )


class Database:
    """One connection, shared by the server's thread and by tests, under one lock."""

    def __init__(self, path: Path | None) -> None:
        self.lock = threading.RLock()
        self._depth = 0
        self.connection = sqlite3.connect(
            path or ":memory:", check_same_thread=False, isolation_level=None, timeout=30
        )
        self.connection.row_factory = sqlite3.Row
        if path is not None:
            self.connection.execute("PRAGMA journal_mode = WAL")
            self.connection.execute("PRAGMA synchronous = NORMAL")
            # Rows and index entries that belong together lie far apart in a large workspace.
            self.connection.execute("PRAGMA cache_size = -64000")
            self.connection.execute("PRAGMA mmap_size = 17179869184")
        self._make_tables()

    def _make_tables(self) -> None:
        self.connection.executescript(_TABLES)
        self.connection.executescript(_past_table("company", COMPANY_COLUMNS))
        self.connection.executescript(_past_table("contact", CONTACT_COLUMNS))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit at the end of the outermost block, or undo all of it."""
        with self.lock:
            if self._depth:
                yield
                return
            self.connection.execute("BEGIN IMMEDIATE")
            self._depth = 1
            try:
                yield
            except BaseException:
                self.connection.execute("ROLLBACK")
                raise
            else:
                self.connection.execute("COMMIT")
            finally:
                self._depth = 0

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        with self.lock:
            return self.connection.execute(sql, parameters)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[sqlite3.Row]:
        """All rows of a query."""
        with self.lock:
            return self.connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Row | None:
        """The first row of a query."""
        with self.lock:
            found: sqlite3.Row | None = self.connection.execute(sql, parameters).fetchone()
            return found

    def number(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """The single integer that a query such as ``SELECT COUNT(*)`` gives."""
        row = self.row(sql, parameters)
        return int(row[0]) if row is not None else 0

    def insert(self, table: str, values: dict[str, Any]) -> int:
        """Insert one row and give its rowid (0 for tables without)."""
        names = ", ".join(values)
        marks = ", ".join("?" * len(values))
        return (
            self.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", [*values.values()])  # noqa: S608
        ).lastrowid or 0

    def update(self, table: str, record_id: str | int, values: dict[str, Any]) -> None:
        """Set columns of the row with that id."""
        if not values:
            return
        sets = ", ".join(f"{name} = ?" for name in values)
        self.execute(f"UPDATE {table} SET {sets} WHERE id = ?", [*values.values(), record_id])  # noqa: S608

    def clear(self) -> None:
        """Empty every table."""
        with self.transaction():
            for row in self.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
                self.execute(f'DELETE FROM "{row["name"]}"')  # noqa: S608

    def snapshot(self) -> sqlite3.Connection:
        """A copy in memory that :meth:`restore` takes back."""
        copy = sqlite3.connect(":memory:", check_same_thread=False)
        with self.lock:
            self.connection.backup(copy)
        return copy

    def restore(self, copy: sqlite3.Connection) -> None:
        """Make the data what it was at :meth:`snapshot`."""
        with self.lock:
            copy.backup(self.connection)

    def close(self) -> None:
        """Close the file."""
        with self.lock:
            self.connection.close()
