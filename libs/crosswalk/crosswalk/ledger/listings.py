"""What a ledger holds, row by row: the sync log, quarantine, conflicts, and how a pair stands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, or_, select

from crosswalk.ledger import schema
from crosswalk.ledger.book import Ledger
from crosswalk.ledger.records import Link, Quarantined
from crosswalk.ledger.trouble import translated_errors
from crosswalk.mapping import Direction, Side
from crosswalk.values import Canonical


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the sync log: ``side`` was written, the value came from the other one."""

    id: int
    at: str
    run_id: str
    mapping: str
    salesforce_id: str | None
    sweo_id: str | None
    field: str
    side: Side
    old: Canonical
    new: Canonical
    outcome: str


@dataclass(frozen=True, slots=True)
class ChangeFilter:
    """Which lines to show. ``record`` are ids of one record, ``since`` is a stamp of ours,
    ``field`` is a field's name on either side.
    """

    mapping: str | None = None
    record: tuple[str, ...] = ()
    field: str | None = None
    run: str | None = None
    since: str | None = None
    outcome: str | None = None
    limit: int = 50


def changes(ledger: Ledger, wanted: ChangeFilter) -> list[Change]:
    """Lines of the sync log, the newest first."""
    table = schema.change
    where: list[ColumnElement[bool]] = []
    if wanted.mapping:
        where.append(table.c.mapping == wanted.mapping)
    if wanted.record:
        where.append(
            or_(table.c.salesforce_id.in_(wanted.record), table.c.sweo_id.in_(wanted.record))
        )
    if wanted.run:
        where.append(table.c.run_id == wanted.run)
    if wanted.since:
        where.append(table.c.at >= wanted.since)
    if wanted.outcome:
        where.append(table.c.outcome == wanted.outcome)
    with translated_errors(), ledger.reader.connect() as connection:
        if wanted.field:
            where.append(_is_field(connection, wanted.field))
        rows = connection.execute(
            select(table).where(*where).order_by(table.c.id.desc()).limit(wanted.limit)
        ).all()
    return [change_of(row) for row in rows]


def _is_field(connection: Connection, name: str) -> ColumnElement[bool]:
    """The log names a field as the written side does; a person may know its other name."""
    table, declared = schema.change, schema.field
    rows = connection.execute(
        select(declared).where(or_(declared.c.salesforce == name, declared.c.sweo == name))
    )
    conditions: list[ColumnElement[bool]] = [table.c.field == name]
    for row in rows:
        for side, written in ((Side.SALESFORCE, row.salesforce), (Side.SWEO, row.sweo)):
            conditions.append(
                and_(
                    table.c.mapping == row.mapping,
                    table.c.side == side.value,
                    table.c.field == written,
                )
            )
    return or_(*conditions)


def change_of(row: Row[Any]) -> Change:
    """A row of ``change`` with its values decoded."""
    return Change(
        id=row.id,
        at=row.at,
        run_id=row.run_id,
        mapping=row.mapping,
        salesforce_id=row.salesforce_id,
        sweo_id=row.sweo_id,
        field=row.field,
        side=Side(row.side),
        old=decoded(row.old),
        new=decoded(row.new),
        outcome=row.outcome,
    )


def decoded(text: str | None) -> Any:
    """A value as the ledger keeps it, as JSON; None where there is none."""
    return None if text is None else json.loads(text)


def quarantine(
    ledger: Ledger, mapping: str | None = None, record: tuple[str, ...] = ()
) -> list[Quarantined]:
    """What could not be written, the newest first. ``record`` are ids of one record: of the
    source, or of the other half of its pair.
    """
    table = schema.quarantine
    where: list[ColumnElement[bool]] = []
    if mapping:
        where.append(table.c.mapping == mapping)
    with translated_errors(), ledger.reader.connect() as connection:
        if record:
            where.append(table.c.source_id.in_(_both_halves(connection, record)))
        rows = connection.execute(
            select(table).where(*where).order_by(table.c.last_at.desc(), table.c.id)
        ).all()
    names = list(Quarantined.__dataclass_fields__)
    return [Quarantined(**{name: getattr(row, name) for name in names}) for row in rows]


def _both_halves(connection: Connection, record: tuple[str, ...]) -> set[str]:
    table = schema.link
    rows = connection.execute(
        select(table.c.salesforce_id, table.c.sweo_id).where(
            or_(table.c.salesforce_id.in_(record), table.c.sweo_id.in_(record))
        )
    )
    return {*record, *(record_id for pair in rows for record_id in pair)}


@dataclass(frozen=True, slots=True)
class ConflictReport:
    """A field that was edited on both sides. ``fields`` are its names by side.

    ``status`` is ``open`` (a person has to say), ``decided`` (not written yet) or ``settled``.
    ``value`` is a third value that a person decided for, as ``{"kind": …, "value": …}``.
    """

    id: int
    mapping: str
    salesforce_id: str
    sweo_id: str
    fields: dict[Side, str]
    kinds: dict[Side, str]
    reason: str
    base: dict[Side, Canonical]
    values: dict[Side, Canonical]
    edited_at: dict[Side, str | None]
    edited_by: dict[Side, str | None]
    winner: Side | None
    value: dict[str, Any] | None
    status: str
    run_id: str
    at: str
    link_id: int
    field_number: int


def conflicts(
    ledger: Ledger,
    *,
    settled: bool = False,
    conflict_id: int | None = None,
    record: tuple[str, ...] = (),
) -> list[ConflictReport]:
    """Conflicts that stand, the newest first; with ``settled`` all that the ledger keeps."""
    table, link, declared = schema.conflict, schema.link, schema.field
    where: list[ColumnElement[bool]] = []
    if conflict_id is not None:
        where.append(table.c.id == conflict_id)
    elif not settled:
        where.append(table.c.status.in_(("open", "decided")))
    if record:
        where.append(or_(link.c.salesforce_id.in_(record), link.c.sweo_id.in_(record)))
    statement = (
        select(
            table,
            link.c.salesforce_id,
            link.c.sweo_id,
            declared.c.salesforce.label("salesforce_field"),
            declared.c.sweo.label("sweo_field"),
            declared.c.salesforce_kind,
            declared.c.sweo_kind,
        )
        .join(link, link.c.id == table.c.link_id)
        .join(declared, declared.c.id == table.c.field_id)
        .where(*where)
        .order_by(table.c.id.desc())
    )
    with translated_errors(), ledger.reader.connect() as connection:
        return [_conflict_report(row) for row in connection.execute(statement)]


def _conflict_report(row: Row[Any]) -> ConflictReport:
    base = decoded(row.base) or {}
    return ConflictReport(
        id=row.id,
        mapping=row.mapping,
        salesforce_id=row.salesforce_id,
        sweo_id=row.sweo_id,
        fields={Side.SALESFORCE: row.salesforce_field, Side.SWEO: row.sweo_field},
        kinds={Side.SALESFORCE: row.salesforce_kind, Side.SWEO: row.sweo_kind},
        reason=row.reason,
        base={side: base.get(side.value) for side in Side},
        values={Side.SALESFORCE: decoded(row.salesforce), Side.SWEO: decoded(row.sweo)},
        edited_at={Side.SALESFORCE: row.salesforce_at, Side.SWEO: row.sweo_at},
        edited_by={Side.SALESFORCE: row.salesforce_by, Side.SWEO: row.sweo_by},
        winner=Side(row.winner) if row.winner else None,
        value=decoded(row.value),
        status=row.status,
        run_id=row.run_id,
        at=row.at,
        link_id=row.link_id,
        field_number=row.field_id,
    )


@dataclass(frozen=True, slots=True)
class FieldStanding:
    """What was agreed on one field of a pair, as each side holds it.

    Of a field that flows one way only a keyed hash is kept: ``agreed`` is then empty.
    """

    fields: dict[Side, str]
    direction: Direction
    agreed: dict[Side, Canonical]


@dataclass(frozen=True, slots=True)
class PairReport:
    """One pair and what was agreed on its fields."""

    link: Link
    linked_at: str
    standings: list[FieldStanding]


def pairs_of(ledger: Ledger, record: tuple[str, ...]) -> list[PairReport]:
    """Every pair, open or ended, that a record is half of; ``record`` are its ids."""
    table = schema.link
    with translated_errors(), ledger.reader.connect() as connection:
        rows = connection.execute(
            select(table.c.mapping, table.c.salesforce_id, table.c.sweo_id, table.c.linked_at)
            .where(or_(table.c.salesforce_id.in_(record), table.c.sweo_id.in_(record)))
            .order_by(table.c.closed.is_not(None), table.c.id.desc())
        ).all()
    found: list[PairReport] = []
    for row in rows:
        link = ledger.pair(row.mapping, row.salesforce_id, row.sweo_id)
        if link is not None:
            found.append(PairReport(link, row.linked_at, _standings(ledger, link)))
    return found


def _standings(ledger: Ledger, link: Link) -> list[FieldStanding]:
    standings: list[FieldStanding] = []
    for row in ledger.field_rows(link.mapping):
        number = str(row.number)
        if not any(number in base for base in link.base.values()):
            continue
        both = row.direction == Direction.BOTH.value
        standings.append(
            FieldStanding(
                fields={Side.SALESFORCE: row.salesforce, Side.SWEO: row.sweo},
                direction=Direction(row.direction),
                agreed={side: link.base[side].get(number) for side in Side} if both else {},
            )
        )
    return standings
