"""Runs compiled SOQL and hands out its rows page by page.

An open query keeps a reader of its own, and with it the snapshot that it began with; a page costs
the same at the start and at the end. A page before the last one costs running the query again, on
the same snapshot.
"""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ..soql import CompiledQuery, SoqlError as _SoqlError, compile_query
from . import live_counts
from .errors import SalesforceError
from .schema import Schema
from .store import quoted

if TYPE_CHECKING:
    from .org import Org

_OPEN_CURSORS = 40
LONGEST_SOQL = 100_000


def compiled(
    org: Org,
    soql: str,
    user_id: str,
    *,
    include_deleted: bool = False,
    schema: Schema | None = None,
    visible: Callable[[str, str], bool] | None = None,
) -> CompiledQuery:
    """Compile for a user.

    Raises:
        SalesforceError: with the compiler's code and words.
    """
    if len(soql) > LONGEST_SOQL:
        raise SalesforceError(
            "MALFORMED_QUERY", f"SOQL statement cannot be longer than {LONGEST_SOQL} characters."
        )
    org.archive_activities_daily()
    try:
        return compile_query(
            soql,
            schema or org.schema,
            now_ms=org.clock.now_ms(),
            user_id=user_id,
            include_deleted=include_deleted,
            visible=visible or org.security.visible(user_id),
        )
    except _SoqlError as error:
        raise SalesforceError(error.code, error.message, error.status) from None


class QueryCursor:
    """An open query: a snapshot, how many rows it has, and where the reader stands."""

    def __init__(self, org: Org, query: CompiledQuery, sql: str | None = None) -> None:
        self._org = org
        self.query = query
        self._sql = sql or query.count_sql
        self._reader: sqlite3.Connection | None = None
        self._rows: Iterator[tuple[Any, ...]] | None = None
        self._position = 0
        self._last: tuple[int, list[tuple[Any, ...]]] = (0, [])
        self._total: int | None = None

    def _start(self) -> None:
        org = self._org
        # The lock first: another thread's transaction must not be taken for this one's.
        with org.store.lock:
            if org.store.in_transaction:
                # Inside a composite's transaction only the writer sees what was written so far.
                rows = org.store.writer.execute(self._sql, self.query.params).fetchall()
                self._rows = iter(rows)
                self._position = 0
                return
        if self._reader is None:
            self._reader = org.store.borrow_reader()
            self._reader.execute("BEGIN")
            _hide_rows(org, self._reader)
        self._rows = self._reader.execute(self._sql, self.query.params)
        self._position = 0

    def page(self, offset: int, size: int) -> list[tuple[Any, ...]]:
        """Rows from ``offset`` on, at most ``size``."""
        if self._last[0] == offset and self._last[1] and len(self._last[1]) <= size:
            return self._last[1]
        if self._rows is None or self._position > offset:
            self._start()
        if self._rows is None:
            return []
        if self._position < offset:
            for _ in itertools.islice(self._rows, offset - self._position):
                pass
        page = list(itertools.islice(self._rows, size))
        self._position = offset + len(page)
        self._last = (offset, page)
        if len(page) < size and self._total is None:
            self._total = offset + len(page)
        return page

    @property
    def total(self) -> int:
        """How many rows the query has in all; counted once, and only if a page did not tell."""
        if self._total is None:
            reader = self._reader or self._org.store.writer
            with self._org.store.lock:
                self._total = self._counted(reader)
        return self._total

    def _counted(self, reader: sqlite3.Connection) -> int:
        stamped, org = self.query.stamped, self._org
        sobject = org.schema.sobjects[self.query.sobject.lower()]
        kept = live_counts.is_counted(sobject) and org.store.counts_are_kept
        if stamped is not None and kept and not org.has_hidden_rows:
            return live_counts.count(reader, sobject, stamped.start_ms, stamped.end_ms)
        return int(reader.execute(self.query.count_sql, self.query.params).fetchone()[0])

    def close(self) -> None:
        """End the snapshot."""
        self._rows = None
        if self._reader is not None:
            self._org.store.return_reader(self._reader)
            self._reader = None


def keep(org: Org, cursor: QueryCursor) -> str:
    """Keep a cursor open for its next page; the oldest gives way. Returns its locator."""
    with org.store.transaction():
        locator = org.store.next_id("01g", "QueryLocator")
    org.cursors[locator] = cursor
    while len(org.cursors) > _OPEN_CURSORS:
        oldest = next(iter(org.cursors))
        org.cursors.pop(oldest).close()
    return locator


def _hide_rows(org: Org, reader: sqlite3.Connection) -> None:
    # A temporary view of the table's name stands in for the table on this connection.
    present = {
        row[0] for row in reader.execute("SELECT name FROM temp.sqlite_master WHERE type = 'view'")
    }
    for sobject in org.schema.sobjects.values():
        name = quoted(sobject.name)
        if org.has_hidden_rows and sobject.name not in present:
            reader.execute(
                f"CREATE TEMP VIEW {name} AS SELECT * FROM main.{name} "  # noqa: S608
                "WHERE Id NOT IN (SELECT id FROM main._hidden_row)"
            )
        elif not org.has_hidden_rows and sobject.name in present:
            reader.execute(f"DROP VIEW temp.{name}")
