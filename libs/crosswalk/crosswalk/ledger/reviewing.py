"""Pairs under review (``first_link: ask``): what a person is shown, and what a person says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, or_, select, update

from crosswalk.ledger import schema
from crosswalk.ledger.book import Ledger, parts
from crosswalk.ledger.commit import UNDER_REVIEW
from crosswalk.ledger.listings import decoded
from crosswalk.ledger.operate import call_both
from crosswalk.ledger.records import Review
from crosswalk.ledger.trouble import translated_errors
from crosswalk.mapping import Side
from crosswalk.values import Canonical

ACCEPTED_BY = "accepted by a person"


@dataclass(frozen=True, slots=True)
class Difference:
    """A field of which both sides have a value, and not the same. ``fields`` are its names."""

    fields: dict[Side, str]
    values: dict[Side, Canonical]


@dataclass(frozen=True, slots=True)
class ReviewReport:
    """A pair that waits, or was declined; ``id`` is what a person names it by."""

    id: int
    mapping: str
    salesforce_id: str
    sweo_id: str
    linked_at: str
    state: Review
    differences: list[Difference]


@dataclass(frozen=True, slots=True)
class ReviewFilter:
    """Which pairs are meant: these of all that are open, or, with ``declined``, declined.

    ``record`` are ids of one record; ``field`` is a name on either side of a field that differs.
    """

    ids: Sequence[int] = ()
    mapping: str | None = None
    record: tuple[str, ...] = ()
    field: str | None = None
    declined: bool = False


def reviews(ledger: Ledger, wanted: ReviewFilter) -> list[ReviewReport]:
    """The pairs that are meant, the oldest first."""
    link = schema.link
    state = Review.DECLINED if wanted.declined else Review.OPEN
    where: list[ColumnElement[bool]] = [link.c.closed.is_(None), link.c.review == state.value]
    if wanted.ids:
        where.append(link.c.id.in_(wanted.ids))
    if wanted.mapping:
        where.append(link.c.mapping == wanted.mapping)
    if wanted.record:
        where.append(
            or_(link.c.salesforce_id.in_(wanted.record), link.c.sweo_id.in_(wanted.record))
        )
    with translated_errors(), ledger.reader.connect() as connection:
        rows = connection.execute(select(link).where(*where).order_by(link.c.id)).all()
        differences = _differences(connection, [row.id for row in rows])
    return [
        ReviewReport(
            id=row.id,
            mapping=row.mapping,
            salesforce_id=row.salesforce_id,
            sweo_id=row.sweo_id,
            linked_at=row.linked_at,
            state=Review(row.review),
            differences=differences.get(row.id, []),
        )
        for row in rows
        if wanted.field is None
        or any(wanted.field in each.fields.values() for each in differences.get(row.id, []))
    ]


def _differences(connection: Connection, links: Sequence[int]) -> dict[int, list[Difference]]:
    table, declared = schema.conflict, schema.field
    found: dict[int, list[Difference]] = {}
    for part in parts(links):
        rows = connection.execute(
            select(
                table.c.link_id,
                table.c.salesforce,
                table.c.sweo,
                declared.c.salesforce.label("salesforce_field"),
                declared.c.sweo.label("sweo_field"),
            )
            .join(declared, declared.c.id == table.c.field_id)
            .where(table.c.link_id.in_(part), table.c.status == UNDER_REVIEW)
            .order_by(table.c.id)
        )
        for row in rows:
            found.setdefault(row.link_id, []).append(
                Difference(
                    {Side.SALESFORCE: row.salesforce_field, Side.SWEO: row.sweo_field},
                    {Side.SALESFORCE: decoded(row.salesforce), Side.SWEO: decoded(row.sweo)},
                )
            )
    return found


def decide(ledger: Ledger, meant: Sequence[ReviewReport], verdict: Review) -> int:
    """Accept pairs, decline them, or ask about them again (``Review.OPEN``).

    What was accepted meets with the next runs, with Salesforce's values standing where two
    differ. Returns how many pairs that were; one that a run moved on meanwhile is not among them.
    """
    link, conflict = schema.link, schema.conflict
    decided = 0
    with translated_errors(), ledger.engine.begin() as connection:
        for each in meant:
            changed = connection.execute(
                update(link)
                .where(
                    link.c.id == each.id,
                    link.c.closed.is_(None),
                    link.c.review == each.state.value,
                )
                .values(review=verdict.value, version=link.c.version + 1)
            )
            if not changed.rowcount:
                continue
            decided += 1
            if verdict is Review.ACCEPTED:
                connection.execute(
                    update(conflict)
                    .where(conflict.c.link_id == each.id, conflict.c.status == UNDER_REVIEW)
                    .values(status="settled", winner=Side.SALESFORCE.value, reason=ACCEPTED_BY)
                )
            if verdict is not Review.DECLINED:
                call_both(connection, ledger, each.mapping, each.salesforce_id, each.sweo_id)
    return decided
