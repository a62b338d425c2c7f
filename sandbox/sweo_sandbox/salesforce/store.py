"""Keeps the org's rows in SQLite: one table per object, one column per stored field.

One connection writes, behind a lock; a write is committed before its answer leaves. Readers have
connections of their own in WAL mode, so an open query keeps the snapshot it began with. Without a
data directory the database lives in a temporary one that goes away with the store.
"""

from __future__ import annotations

import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from ..soql import install_functions
from . import ids, live_counts
from .schema import Schema, SObjectField, SObjectType

Row = dict[str, Any]
"""A stored row by canonical field name, values as the schema's storage convention says."""

_SYSTEM_TABLES = """
CREATE TABLE IF NOT EXISTS _sequence (name TEXT PRIMARY KEY, next INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS _meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS _session (
  token TEXT PRIMARY KEY, user_id TEXT NOT NULL, expires_ms INTEGER);
CREATE TABLE IF NOT EXISTS _refreshed (token TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS _deletion (
  sobject TEXT NOT NULL, id TEXT NOT NULL, deleted_ms INTEGER NOT NULL,
  PRIMARY KEY (sobject, id));
CREATE INDEX IF NOT EXISTS _deletion_time ON _deletion (sobject, deleted_ms);
CREATE TABLE IF NOT EXISTS _custom_field (
  id TEXT PRIMARY KEY, sobject TEXT NOT NULL, name TEXT NOT NULL, facts TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS _custom_object (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, facts TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS _hidden_field (sobject TEXT, field TEXT, PRIMARY KEY (sobject, field));
CREATE TABLE IF NOT EXISTS _hidden_row (id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS _change_event (
  position INTEGER PRIMARY KEY AUTOINCREMENT, sobject TEXT NOT NULL, change_type TEXT NOT NULL,
  record_ids TEXT NOT NULL, field_values TEXT NOT NULL, changed TEXT NOT NULL,
  origin TEXT NOT NULL, user_id TEXT NOT NULL, transaction_key TEXT NOT NULL,
  sequence INTEGER NOT NULL, commit_number INTEGER NOT NULL, commit_ms INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS _change_event_time ON _change_event (commit_ms);
CREATE TABLE IF NOT EXISTS _event_schema (id TEXT PRIMARY KEY, json TEXT NOT NULL);
"""
_SYSTEM_TABLES += live_counts.TABLE
_CACHE_KIB = 16_000
_LOADING_CACHE_KIB = 400_000
_MAPPED_BYTES = 1 << 34
_UNINDEXED = frozenset({"CreatedById", "LastModifiedById", "OwnerId", "MasterRecordId"})


class RowObserver(Protocol):
    """Told of every row that is written one by one, inside the transaction that writes it."""

    def inserted(self, sobject: SObjectType, row: Mapping[str, Any]) -> None:
        """A row was added."""

    def updating(
        self, sobject: SObjectType, record_id: str, before: Row, changes: Mapping[str, Any]
    ) -> None:
        """A row is about to change; an undone savepoint undoes what the observer writes, too."""

    def removing(self, sobject: SObjectType, record_id: str, before: Row) -> None:
        """A row is about to go for good."""

    def committed(self) -> None:
        """An outermost transaction has been committed; the lock is still held."""

    def replaced(self) -> None:
        """Every row is gone or another one: the store was cleared or put back to a copy."""


def column_type(field: SObjectField) -> str:
    """The SQLite type that the storage convention gives a field."""
    if field.type in ("boolean", "int", "datetime"):
        return "INTEGER"
    if field.type in ("double", "currency", "percent"):
        return "REAL"
    return "TEXT"


def quoted(name: str) -> str:
    """A table or column name in SQL; names come from the schema, never from a request."""
    return f'"{name}"'


class Store:
    """The org's database. Thread-safe; ``lock`` is held by whoever writes."""

    def __init__(self, schema: Schema, data_dir: Path | None, org_number: int = 1) -> None:
        self.schema = schema
        self.lock = threading.RLock()
        self._temporary = tempfile.TemporaryDirectory() if data_dir is None else None
        directory = Path(self._temporary.name) if self._temporary else Path(str(data_dir))
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / "salesforce.db"
        self._org_number = org_number
        self._idle_readers: list[sqlite3.Connection] = []
        self._sequences: dict[str, int] = {}
        self._dirty_sequences: set[str] = set()
        self._depth = 0
        self.observer: RowObserver | None = None
        self.transactions_begun = 0
        self.counts_are_kept = True
        self._open()

    def _open(self) -> None:
        self.writer = self._connect()
        self.writer.execute("PRAGMA journal_mode = WAL")
        durable = "NORMAL" if self._temporary is None else "OFF"
        self.writer.execute(f"PRAGMA synchronous = {durable}")
        # What a single statement may have to undo is small, and no file is made for it.
        self.writer.execute("PRAGMA temp_store = MEMORY")
        self.writer.execute("BEGIN")
        for statement in _SYSTEM_TABLES.split(";"):
            if statement.strip():
                self.writer.execute(statement)
        self.writer.execute("COMMIT")
        self._read_sequences()

    def _read_sequences(self) -> None:
        self._sequences = dict(self.writer.execute("SELECT name, next FROM _sequence"))
        self._dirty_sequences.clear()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, isolation_level=None, check_same_thread=False, cached_statements=512
        )
        connection.execute(f"PRAGMA cache_size = {-_CACHE_KIB}")
        # Pages of a large org lie far apart; mapped, one costs no call to the system.
        connection.execute(f"PRAGMA mmap_size = {_MAPPED_BYTES}")
        connection.execute("PRAGMA busy_timeout = 10000")
        install_functions(connection)
        return connection

    def close(self) -> None:
        """Close every connection; a temporary database is removed."""
        with self.lock:
            for connection in self._idle_readers:
                connection.close()
            self._idle_readers.clear()
            self.writer.close()
            if self._temporary:
                self._temporary.cleanup()

    def create_tables(self) -> None:
        """Make what is missing: tables, columns of new fields, indexes."""
        with self.transaction():
            for sobject in self.schema.sobjects.values():
                self.create_table(sobject)

    def create_table(self, sobject: SObjectType) -> None:
        """Make one object's table, or add the columns that it lacks."""
        table = quoted(sobject.name)
        stored = [field for field in sobject.fields.values() if field.stored]
        columns = [
            f"{quoted(field.name)} {column_type(field)}"
            + (" PRIMARY KEY" if field.name == "Id" else "")
            for field in stored
        ]
        self.writer.execute(f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(columns)})")
        present = {row[1] for row in self.writer.execute(f"PRAGMA table_info({table})")}
        for field in stored:
            if field.name not in present:
                self.writer.execute(
                    f"ALTER TABLE {table} ADD COLUMN {quoted(field.name)} {column_type(field)}"
                )
                if field.type == "boolean":
                    self.writer.execute(f"UPDATE {table} SET {quoted(field.name)} = 0")  # noqa: S608
            self._index(sobject, field)
        if "systemmodstamp" in sobject.fields:
            deleted = ', "IsDeleted"' if "isdeleted" in sobject.fields else ""
            self.writer.execute(
                f"CREATE INDEX IF NOT EXISTS {quoted(sobject.name + '_SystemModstamp')} "
                f'ON {table} ("SystemModstamp", "Id"{deleted})'
            )
        live_counts.install(self.writer, sobject)

    def _index(self, sobject: SObjectType, field: SObjectField) -> None:
        # Text is compared without regard to case, so its indexes are NOCASE too.
        if field.external_id or (field.id_lookup and field.type != "id"):
            order = f"{quoted(field.name)} COLLATE NOCASE"
        elif field.type == "reference" and field.name not in _UNINDEXED:
            order = quoted(field.name)
        else:
            return
        self.writer.execute(
            f"CREATE INDEX IF NOT EXISTS {quoted(f'{sobject.name}_{field.name}')} "
            f"ON {quoted(sobject.name)} ({order})"
        )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is committed at the end, or undone if it raises.

        Inside another transaction it is a savepoint: undone alone, committed with the outer one.
        """
        with self.lock:
            point = f"p{self._depth}"
            self.transactions_begun += self._depth == 0
            self.writer.execute("BEGIN IMMEDIATE" if self._depth == 0 else f"SAVEPOINT {point}")
            self._depth += 1
            try:
                yield
                if self._depth == 1:
                    self._write_sequences()
                    self.writer.execute("COMMIT")
                    if self.observer is not None:
                        self.observer.committed()
                else:
                    self.writer.execute(f"RELEASE {point}")
            except BaseException:
                if self._depth == 1:
                    # Numbers that it took are not given out again: ids are never used twice.
                    self.writer.execute("ROLLBACK")
                else:
                    self.writer.execute(f"ROLLBACK TO {point}")
                    self.writer.execute(f"RELEASE {point}")
                raise
            finally:
                self._depth -= 1

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Many rows are added inside: indexes stay in memory, and live rows are counted after."""
        self.writer.execute(f"PRAGMA cache_size = {-_LOADING_CACHE_KIB}")
        self._each_object(live_counts.suspend)
        self.counts_are_kept = False
        try:
            yield
        finally:
            self._each_object(live_counts.install)
            self.counts_are_kept = True
            self.writer.execute(f"PRAGMA cache_size = {-_CACHE_KIB}")
            self.writer.execute("PRAGMA shrink_memory")

    def _each_object(self, act: Callable[[sqlite3.Connection, SObjectType], None]) -> None:
        with self.transaction():
            for sobject in self.schema.sobjects.values():
                act(self.writer, sobject)

    @contextmanager
    def unobserved(self) -> Iterator[None]:
        """What is written inside is no change of anybody's: the observer is not told."""
        with self.lock:
            observer, self.observer = self.observer, None
            try:
                yield
            finally:
                self.observer = observer

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, so that a read must go through the writer."""
        return self._depth > 0

    def _write_sequences(self) -> None:
        for name in self._dirty_sequences:
            self.writer.execute(
                "INSERT OR REPLACE INTO _sequence VALUES (?, ?)", (name, self._sequences[name])
            )
        self._dirty_sequences.clear()

    def next_number(self, name: str) -> int:
        """The next number of a sequence, from 1; call it inside a transaction."""
        number = self._sequences.get(name, 1)
        self._sequences[name] = number + 1
        self._dirty_sequences.add(name)
        return number

    def new_id(self, sobject: SObjectType) -> str:
        """An id that no record of the object has had."""
        return self.next_id(sobject.key_prefix, sobject.name)

    def next_id(self, key_prefix: str, sequence: str) -> str:
        """The id of the next thing that a sequence counts; call it inside a transaction."""
        return ids.make_id(key_prefix, self.next_number(sequence), self._org_number)

    def borrow_reader(self) -> sqlite3.Connection:
        """A connection for reading a snapshot; give it back with :meth:`return_reader`."""
        with self.lock:
            return self._idle_readers.pop() if self._idle_readers else self._connect()

    def return_reader(self, connection: sqlite3.Connection) -> None:
        """Take a reader back; its snapshot ends."""
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        with self.lock:
            if len(self._idle_readers) < 4:
                self._idle_readers.append(connection)
                return
        connection.close()

    def drop_readers(self) -> None:
        """Forget idle readers, after a change of tables or of hidden rows."""
        with self.lock:
            for connection in self._idle_readers:
                connection.close()
            self._idle_readers.clear()

    def row(self, sobject: SObjectType, record_id: str) -> Row | None:
        """The row of that 18-character id, deleted or not."""
        rows = self.rows(sobject, f"{quoted('Id')} = ?", (record_id,))
        return rows[0] if rows else None

    def rows(
        self, sobject: SObjectType, where: str = "1", params: Iterable[object] = ()
    ) -> list[Row]:
        """Rows by a condition in SQL, as the writer sees them."""
        with self.lock:
            cursor = self.writer.execute(
                f"SELECT * FROM {quoted(sobject.name)} WHERE {where}",  # noqa: S608
                tuple(params),
            )
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]

    def insert(self, sobject: SObjectType, row: Mapping[str, Any]) -> None:
        """Add a row; call it inside a transaction."""
        names = ", ".join(quoted(name) for name in row)
        marks = ", ".join("?" * len(row))
        self.writer.execute(
            f"INSERT INTO {quoted(sobject.name)} ({names}) VALUES ({marks})",  # noqa: S608
            tuple(row.values()),
        )
        if self.observer is not None:
            self.observer.inserted(sobject, row)

    def insert_many(
        self, sobject: SObjectType, names: list[str], rows: Iterable[tuple[Any, ...]]
    ) -> None:
        """Add many rows with the same columns; call it inside a transaction."""
        columns = ", ".join(quoted(name) for name in names)
        marks = ", ".join("?" * len(names))
        self.writer.executemany(
            f"INSERT INTO {quoted(sobject.name)} ({columns}) VALUES ({marks})",  # noqa: S608
            rows,
        )

    def update(self, sobject: SObjectType, record_id: str, changes: Mapping[str, Any]) -> None:
        """Change a row; call it inside a transaction."""
        if not changes:
            return
        if self.observer is not None and (before := self.row(sobject, record_id)) is not None:
            self.observer.updating(sobject, record_id, before, changes)
        sets = ", ".join(f"{quoted(name)} = ?" for name in changes)
        self.writer.execute(
            f"UPDATE {quoted(sobject.name)} SET {sets} WHERE {quoted('Id')} = ?",  # noqa: S608
            (*changes.values(), record_id),
        )

    def remove(self, sobject: SObjectType, record_id: str) -> None:
        """Take a row away for good; call it inside a transaction."""
        if self.observer is not None and (before := self.row(sobject, record_id)) is not None:
            self.observer.removing(sobject, record_id, before)
        self.writer.execute(
            f"DELETE FROM {quoted(sobject.name)} WHERE {quoted('Id')} = ?",  # noqa: S608
            (record_id,),
        )

    def meta(self, key: str) -> str | None:
        """A remembered word about this org."""
        found = self.writer.execute("SELECT value FROM _meta WHERE key = ?", (key,)).fetchone()
        return None if found is None else str(found[0])

    def set_meta(self, key: str, value: str) -> None:
        """Remember a word about this org."""
        with self.transaction():
            self.writer.execute("INSERT OR REPLACE INTO _meta VALUES (?, ?)", (key, value))

    def clear(self) -> None:
        """Drop every table, as at the first start."""
        with self.lock:
            self.drop_readers()
            names = [
                row[0]
                for row in self.writer.execute(
                    "SELECT name FROM sqlite_master "
                    "WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
                )
            ]
            self.writer.execute("BEGIN IMMEDIATE")
            for name in names:
                self.writer.execute(f"DROP TABLE {quoted(name)}")
            self.writer.execute("COMMIT")
            self.writer.close()
            self._open()
            if self.observer is not None:
                self.observer.replaced()

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy of the database."""
        with self.lock:
            path.unlink(missing_ok=True)
            target = sqlite3.connect(path)
            self.writer.backup(target)
            target.close()

    def copy_from(self, path: Path) -> None:
        """Put a copy in the place of the database."""
        with self.lock:
            self.drop_readers()
            source = sqlite3.connect(path)
            source.backup(self.writer)
            source.close()
            self._read_sequences()
            if self.observer is not None:
                self.observer.replaced()
