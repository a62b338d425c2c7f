"""How a ledger stands: runs, pairs, and everything that is owed or open."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Table, case, distinct, func, select

from crosswalk.ledger import schema
from crosswalk.ledger.book import Ledger
from crosswalk.ledger.records import LeaseHolder, Review
from crosswalk.ledger.runs import living_holder
from crosswalk.ledger.trouble import translated_errors
from crosswalk.mapping import Side

DIRECTIONS = ("to_sweo", "to_salesforce")
EVERYTHING = "*"
"""Stands for all mappings in the table of paused ones."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """One run. ``outcome`` is ``finished``, ``failed``, ``ended by signal N``, ``running`` while
    its target holds the lease, and ``killed`` where it ended without a word.
    """

    id: str
    direction: str
    started_at: str
    ended_at: str | None
    outcome: str
    counts: dict[str, int]
    calls: int


@dataclass(frozen=True, slots=True)
class DirectionReport:
    """One pipeline: its last run, its last finished run, and what it owes.

    ``owed`` counts the records on the revisit list that are due, ``later`` those put off.
    """

    direction: str
    last: RunReport | None
    finished: RunReport | None
    holder: LeaseHolder | None
    owed: int
    later: int
    quarantined: int


@dataclass(frozen=True, slots=True)
class MappingReport:
    """One mapping: its pairs and everything that stands open.

    ``left_out`` counts records that a filter left out although something was to be carried,
    ``under_review`` pairs whose first exchange waits for a person.
    """

    mapping: str
    pairs: int
    ended_pairs: int
    waiting: dict[Side, int]
    quarantined: int
    open_conflicts: int
    decided_conflicts: int
    left_out: int
    under_review: int
    paused_since: str | None


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The whole ledger at one moment. ``instances`` are the ids of the org and the workspace,
    ``other_orgs`` those of further orgs by their names.
    """

    at: str
    ledger_id: str
    instances: dict[Side, str | None]
    other_orgs: dict[str, str]
    directions: list[DirectionReport]
    mappings: list[MappingReport]
    paused_since: str | None


def status(ledger: Ledger, mappings: Sequence[str] = ()) -> StatusReport:
    """How things stand, for these mappings and every other one that the ledger knows."""
    with translated_errors(), ledger.reader.connect() as connection:
        paused = dict(
            connection.execute(select(schema.pause.c.mapping, schema.pause.c.since)).tuples().all()
        )
        names = list(dict.fromkeys([*mappings, *_known_mappings(connection)]))
        rows = _mapping_reports(connection, names, paused)
    return StatusReport(
        at=ledger.now(),
        ledger_id=ledger.id,
        instances={side: ledger.instance(side) for side in Side},
        other_orgs=ledger.other_orgs(),
        directions=[_direction_report(ledger, direction) for direction in DIRECTIONS],
        mappings=rows,
        paused_since=paused.get(EVERYTHING),
    )


def known_mappings(ledger: Ledger) -> list[str]:
    """Every mapping that the ledger has rows of, in the order of the alphabet."""
    with translated_errors(), ledger.reader.connect() as connection:
        return _known_mappings(connection)


def _known_mappings(connection: Connection) -> list[str]:
    names: set[str] = set()
    for table in (schema.link, schema.waiting, schema.quarantine, schema.pause):
        names.update(connection.execute(select(distinct(table.c.mapping))).scalars())
    return sorted(names - {EVERYTHING})


def _mapping_reports(
    connection: Connection, names: Sequence[str], paused: dict[str, str]
) -> list[MappingReport]:
    link, waiting, conflict = schema.link, schema.waiting, schema.conflict
    pairs = _counts(connection, link, link.c.closed.is_(None))
    ended = _counts(connection, link, link.c.closed.is_not(None))
    quarantined = _counts(connection, schema.quarantine)
    open_conflicts = _counts(connection, conflict, conflict.c.status == "open")
    decided = _counts(connection, conflict, conflict.c.status == "decided")
    left_out = _counts(connection, schema.left_out)
    under_review = _counts(
        connection, link, link.c.closed.is_(None) & (link.c.review == Review.OPEN.value)
    )
    rows = connection.execute(
        select(waiting.c.mapping, waiting.c.side, func.count(distinct(waiting.c.record_id)))
        .group_by(waiting.c.mapping, waiting.c.side)
    )  # fmt: skip
    waits = {(mapping, side): count for mapping, side, count in rows}
    return [
        MappingReport(
            mapping=name,
            pairs=pairs.get(name, 0),
            ended_pairs=ended.get(name, 0),
            waiting={side: waits.get((name, side.value), 0) for side in Side},
            quarantined=quarantined.get(name, 0),
            open_conflicts=open_conflicts.get(name, 0),
            decided_conflicts=decided.get(name, 0),
            left_out=left_out.get(name, 0),
            under_review=under_review.get(name, 0),
            paused_since=paused.get(name),
        )
        for name in names
    ]


def _counts(connection: Connection, table: Table, *where: ColumnElement[bool]) -> dict[str, int]:
    statement = select(table.c.mapping, func.count()).where(*where).group_by(table.c.mapping)
    return dict(connection.execute(statement).tuples().all())


def _direction_report(ledger: Ledger, direction: str) -> DirectionReport:
    run, revisit, quarantine = schema.run, schema.revisit, schema.quarantine
    holder = living_holder(ledger, direction)
    newest = select(run).where(run.c.direction == direction).order_by(run.c.started_at.desc())
    record = revisit.c.mapping + ":" + revisit.c.source_id
    due = revisit.c.not_before <= ledger.now()
    with translated_errors(), ledger.reader.connect() as connection:
        last = connection.execute(newest.limit(1)).first()
        finished = connection.execute(newest.where(run.c.outcome == "finished").limit(1)).first()
        all_owed, owed = connection.execute(
            select(
                func.count(distinct(record)), func.count(distinct(case((due, record))))
            ).where(revisit.c.direction == direction)
        ).one()  # fmt: skip
        quarantined = connection.execute(
            select(func.count()).where(quarantine.c.direction == direction)
        ).scalar_one()
    return DirectionReport(
        direction=direction,
        last=_run_report(last, holder) if last else None,
        finished=_run_report(finished, holder) if finished else None,
        holder=holder,
        owed=owed,
        later=all_owed - owed,
        quarantined=quarantined,
    )


def runs_since(ledger: Ledger, direction: str, since: str) -> list[RunReport]:
    """The runs of a direction that began at ``since`` (a stamp) or later, in their order."""
    run = schema.run
    chosen = (
        select(run)
        .where(run.c.direction == direction, run.c.started_at >= since)
        .order_by(run.c.started_at)
    )
    holder = living_holder(ledger, direction)
    with translated_errors(), ledger.reader.connect() as connection:
        return [_run_report(row, holder) for row in connection.execute(chosen)]


def _run_report(row: Row[Any], holder: LeaseHolder | None) -> RunReport:
    outcome = row.outcome
    if outcome is None:
        outcome = "running" if holder and holder.run_id == row.id else "killed"
    counts = json.loads(row.counts or "{}")
    return RunReport(
        row.id, row.direction, row.started_at, row.ended_at, outcome, counts, row.calls
    )
