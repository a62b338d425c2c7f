"""Records that a filter (``only``) left out although something was to be carried for them.

A row says which pipeline left out which of its source records, and whose filter it was: that of
the record itself, or that of its other half. When a record passes the filter of its side again,
the rows that this filter caused, of both directions, become entries of the revisit list.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, insert, select, tuple_

from crosswalk.ledger import schema
from crosswalk.ledger.book import Ledger, direction_to, id_column, parts
from crosswalk.ledger.trouble import translated_errors
from crosswalk.mapping import Side

LET_IN = "let in"
"""Why a record stands on the revisit list that a filter left out before."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The pipeline ``direction`` does not carry ``source_id``, for the filter of ``side``."""

    direction: str
    mapping: str
    source_id: str
    side: Side


def leaves_out(ledger: Ledger, mapping: str) -> bool:
    """Whether any record of the mapping was left out and did not come back."""
    table = schema.left_out
    with translated_errors(), ledger.reader.connect() as connection:
        row = connection.execute(
            select(table.c.source_id).where(table.c.mapping == mapping).limit(1)
        ).first()
    return row is not None


def left_out_of(
    ledger: Ledger, mapping: str, side: Side, ids: Sequence[str]
) -> dict[str, list[LeftOut]]:
    """What was left out of these records of ``side`` and of their other halves, by id on ``side``.

    Rows of the pipeline that reads ``side`` carry the same id; those of the opposite one the id of
    the other half.
    """
    table, link = schema.left_out, schema.link
    here, there = id_column(side), id_column(side.other)
    found: dict[str, list[LeftOut]] = {}
    with translated_errors(), ledger.reader.connect() as connection:
        for part in parts(ids):
            own = select(table.c.source_id, table.c.source_id, table.c.side).where(
                table.c.direction == direction_to(side.other),
                table.c.mapping == mapping,
                table.c.source_id.in_(part),
            )
            opposite = (
                select(here, table.c.source_id, table.c.side)
                .join(link, (link.c.mapping == table.c.mapping) & (there == table.c.source_id))
                .where(
                    table.c.direction == direction_to(side),
                    table.c.mapping == mapping,
                    here.in_(part),
                    link.c.closed.is_(None),
                )
            )
            for direction, query in (
                (direction_to(side.other), own),
                (direction_to(side), opposite),
            ):
                for record_id, source_id, whose in connection.execute(query):
                    row = LeftOut(direction, mapping, source_id, Side(whose))
                    found.setdefault(record_id, []).append(row)
    return found


def store(
    connection: Connection, left_out: Iterable[LeftOut], let_in: Iterable[LeftOut], now: str
) -> None:
    """Drop the rows of what came back, then note what was left out; the first time stays."""
    table = schema.left_out
    back = list(let_in)
    if back:
        connection.execute(
            delete(table).where(
                table.c.direction == bindparam("old_direction"),
                table.c.mapping == bindparam("old_mapping"),
                table.c.source_id == bindparam("old_source"),
            ),
            [
                {"old_direction": r.direction, "old_mapping": r.mapping, "old_source": r.source_id}
                for r in back
            ],
        )
    rows = {(r.direction, r.mapping, r.source_id): r for r in left_out}
    key = (table.c.direction, table.c.mapping, table.c.source_id)
    for part in parts(list(rows)):
        known = {
            tuple(row[:3]): row.since
            for row in connection.execute(select(*key, table.c.since).where(tuple_(*key).in_(part)))
        }
        connection.execute(delete(table).where(tuple_(*key).in_(part)))
        connection.execute(
            insert(table),
            [
                {
                    "direction": rows[each].direction,
                    "mapping": rows[each].mapping,
                    "source_id": rows[each].source_id,
                    "side": rows[each].side.value,
                    "since": known.get(each, now),
                }
                for each in part
            ],
        )
