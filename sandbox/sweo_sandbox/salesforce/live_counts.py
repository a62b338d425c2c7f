"""How many live records an object has by the hour of their SystemModstamp, kept by triggers.

The first page of a read in the order of change tells how many records there are in all. That is a
sum over hours instead of a count over rows, so it costs the same in an org of a million.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .schema import SObjectType

TABLE = """
CREATE TABLE IF NOT EXISTS _live_count (
  sobject TEXT NOT NULL, hour INTEGER NOT NULL, live INTEGER NOT NULL,
  PRIMARY KEY (sobject, hour)) WITHOUT ROWID;
"""
_HOUR_MS = 3_600_000


def is_counted(sobject: SObjectType) -> bool:
    """Whether the object's live records are counted: it has a recycle bin and is stamped."""
    return "isdeleted" in sobject.fields and "systemmodstamp" in sobject.fields


def install(connection: sqlite3.Connection, sobject: SObjectType) -> None:
    """Count an object's records from now on, and those that there are; inside a transaction."""
    if not is_counted(sobject):
        return
    present = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = ?",
        (_name(sobject, "insert"),),
    ).fetchone()
    if present is not None:
        return
    for statement in _triggers(sobject).values():
        connection.execute(statement)
    connection.execute("DELETE FROM _live_count WHERE sobject = ?", (sobject.name,))
    connection.execute(
        "INSERT INTO _live_count "  # noqa: S608
        f'SELECT ?, "SystemModstamp" / {_HOUR_MS}, count(*) FROM "{sobject.name}" '
        f'WHERE {_live("")} AND "SystemModstamp" IS NOT NULL GROUP BY 2',
        (sobject.name,),
    )


def suspend(connection: sqlite3.Connection, sobject: SObjectType) -> None:
    """Count no more, until :func:`install` counts anew; inside a transaction."""
    if is_counted(sobject):
        for event in _triggers(sobject):
            connection.execute(f'DROP TRIGGER IF EXISTS "{_name(sobject, event)}"')


def count(
    connection: sqlite3.Connection,
    sobject: SObjectType,
    start_ms: int | None,
    end_ms: int | None,
) -> int:
    """How many live records are stamped from ``start_ms`` on and before ``end_ms``."""
    first = None if start_ms is None else -(-start_ms // _HOUR_MS)
    last = None if end_ms is None else end_ms // _HOUR_MS
    if first is not None and last is not None and first >= last:
        return _rows(connection, sobject, start_ms, end_ms)
    total = connection.execute(
        "SELECT coalesce(sum(live), 0) FROM _live_count WHERE sobject = :sobject "
        "AND (:first IS NULL OR hour >= :first) AND (:last IS NULL OR hour < :last)",
        {"sobject": sobject.name, "first": first, "last": last},
    ).fetchone()[0]
    if start_ms is not None and first is not None:
        total += _rows(connection, sobject, start_ms, first * _HOUR_MS)
    if end_ms is not None and last is not None:
        total += _rows(connection, sobject, last * _HOUR_MS, end_ms)
    return int(total)


def _rows(
    connection: sqlite3.Connection,
    sobject: SObjectType,
    start_ms: int | None,
    end_ms: int | None,
) -> int:
    found = connection.execute(
        f'SELECT count(*) FROM "{sobject.name}" WHERE {_live("")} '  # noqa: S608
        'AND "SystemModstamp" >= ? AND "SystemModstamp" < ?',
        (start_ms, end_ms),
    ).fetchone()
    return int(found[0])


def _live(row: str) -> str:
    return f'{row}"IsDeleted" = 0'


def _name(sobject: SObjectType, event: str) -> str:
    return f"{sobject.name}_live_{event}"


def _triggers(sobject: SObjectType) -> dict[str, str]:
    def moved(row: str, by: int) -> str:
        return (
            f"INSERT INTO _live_count SELECT '{sobject.name}', "
            f'{row}."SystemModstamp" / {_HOUR_MS}, {by} '
            f'WHERE {_live(f"{row}.")} AND {row}."SystemModstamp" IS NOT NULL '
            f"ON CONFLICT (sobject, hour) DO UPDATE SET live = live + {by};"
        )

    events = {
        "insert": ("AFTER INSERT", [moved("NEW", 1)]),
        "delete": ("AFTER DELETE", [moved("OLD", -1)]),
        "update": (
            'AFTER UPDATE OF "SystemModstamp", "IsDeleted"',
            [moved("OLD", -1), moved("NEW", 1)],
        ),
    }
    return {
        event: f'CREATE TRIGGER "{_name(sobject, event)}" {when} ON "{sobject.name}" '
        f"BEGIN {' '.join(actions)} END"
        for event, (when, actions) in events.items()
    }
