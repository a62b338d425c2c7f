"""Rows on disk between reading and emitting, so that memory holds a page and no more.

Search gives the newest rows first, and a scroll must be read to its end without a pause; both
are emitted oldest first, so that an interrupted run can go on where it stopped.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

_ROWS_A_FETCH = 150


class Spool:
    """A temporary file of records, one a record id; the newest version seen stays."""

    def __init__(self) -> None:
        handle, name = tempfile.mkstemp(prefix="tap-sweo-", suffix=".spool")
        os.close(handle)
        self._path = Path(name)
        self._file = sqlite3.connect(name, isolation_level=None)
        # Nobody reads this file after a crash.
        self._file.execute("PRAGMA journal_mode=OFF")
        self._file.execute("PRAGMA synchronous=OFF")
        self._file.execute("PRAGMA temp_store=FILE")
        self._file.execute(
            "CREATE TABLE row (id TEXT PRIMARY KEY, updated_at INTEGER, body BLOB) WITHOUT ROWID"
        )

    def add(self, rows: Iterable[tuple[str, int, dict[str, Any]]]) -> None:
        """Keep rows of (id, updated_at in Unix seconds, record)."""
        self._file.execute("BEGIN")
        self._file.executemany(
            "INSERT INTO row VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
            "updated_at = excluded.updated_at, body = excluded.body "
            "WHERE excluded.updated_at >= row.updated_at",
            ((row_id, at, msgspec.json.encode(record)) for row_id, at, record in rows),
        )
        self._file.execute("COMMIT")

    def oldest_first(
        self, since: int | None = None, *, after: str = ""
    ) -> Iterator[dict[str, Any]]:
        """Records by ``updated_at`` and id, from ``since`` (Unix seconds) on.

        ``after`` leaves out the records of that very second up to this id.
        """
        self._file.execute("CREATE INDEX IF NOT EXISTS by_age ON row (updated_at, id)")
        at, last = since or 0, after
        while True:
            rows = self._file.execute(
                "SELECT id, updated_at, body FROM row WHERE (updated_at, id) > (?, ?) "
                "ORDER BY updated_at, id LIMIT ?",
                (at, last, _ROWS_A_FETCH),
            ).fetchall()
            for _, _, body in rows:
                yield msgspec.json.decode(body)
            if len(rows) < _ROWS_A_FETCH:
                return
            last, at = rows[-1][0], rows[-1][1]

    def holds_since(self, since: int | None) -> bool:
        """Whether any record is as new as ``since``."""
        row = self._file.execute(
            "SELECT 1 FROM row WHERE updated_at >= ? LIMIT 1", (since or 0,)
        ).fetchone()
        return row is not None

    def get(self, record_id: str) -> dict[str, Any] | None:
        """The record of that id, if it was read."""
        row = self._file.execute("SELECT body FROM row WHERE id = ?", (record_id,)).fetchone()
        return msgspec.json.decode(row[0]) if row else None

    def __len__(self) -> int:
        return int(self._file.execute("SELECT count(*) FROM row").fetchone()[0])

    def close(self) -> None:
        """Remove the file."""
        self._file.close()
        self._path.unlink(missing_ok=True)
