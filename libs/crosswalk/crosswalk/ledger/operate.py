"""What a person may do to a ledger: decide, put back, try again, hold, and move house.

Nothing here writes to either side. A decision becomes a row that the pipelines obey and an entry
on the revisit list of both directions, so that it travels the ordinary way.

A decision for a value that neither side holds is a verdict without a winner whose ``value`` is
``{"kind": …, "value": …}`` in canonical form; each pipeline writes it to the side that it writes
to, as long as the two values that it was decided on stand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from sqlalchemy import Connection, delete, insert, select, update

from crosswalk.errors import FatalError
from crosswalk.fieldtype import FieldType
from crosswalk.ledger import schema
from crosswalk.ledger.book import Ledger, instance_key
from crosswalk.ledger.commit import UNDER_REVIEW
from crosswalk.ledger.disconnecting import note_connected
from crosswalk.ledger.erasure import is_erased
from crosswalk.ledger.listings import Change, ConflictReport, change_of, conflicts, quarantine
from crosswalk.ledger.records import FieldRow, Link
from crosswalk.ledger.report import DIRECTIONS, EVERYTHING
from crosswalk.ledger.trouble import translated_errors
from crosswalk.mapping import Direction, Side
from crosswalk.values import Canonical, Kind, Refused, renderer

OPERATOR = "operator"
"""Stands for the run in rows that a person put down."""
RESOLVED = "decided by a person"
RESTORED = "restored by a person"

_TYPES = {
    Kind.TEXT: "string",
    Kind.NUMBER: "double",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.TIMESTAMP: "datetime",
    Kind.OPTIONS: "multipicklist",
    Kind.REFERENCE: "reference",
}


def retry(ledger: Ledger, mapping: str | None = None, record: tuple[str, ...] = ()) -> int:
    """Let the next run try quarantined records again; returns how many records that are."""
    found = quarantine(ledger, mapping, record)
    records = sorted({(row.direction, row.mapping, row.source_id) for row in found})
    revisit, held = schema.revisit, schema.quarantine
    with translated_errors(), ledger.engine.begin() as connection:
        for direction, name, source_id in records:
            connection.execute(
                delete(revisit).where(
                    revisit.c.direction == direction,
                    revisit.c.mapping == name,
                    revisit.c.source_id == source_id,
                    revisit.c.reason == "quarantine",
                )
            )
            connection.execute(
                update(held)
                .where(
                    held.c.direction == direction,
                    held.c.mapping == name,
                    held.c.source_id == source_id,
                )
                .values(next_at=ledger.now())
            )
        _put_on_revisit_list(connection, ledger, records, "quarantine")
    return len(records)


def resolve(ledger: Ledger, conflict_id: int, winner: Side) -> ConflictReport:
    """Let one side's value stand; returns the conflict as it was.

    Raises:
        FatalError: there is no such conflict, or it is settled.
    """
    return _decide(ledger, _standing(ledger, conflict_id), winner, None)


def resolve_with_value(ledger: Ledger, conflict_id: int, text: str) -> ConflictReport:
    """Let a third value stand on both sides; ``text`` is what a person would type, empty for
    empty (see ``canonical_of``).

    Raises:
        FatalError: there is no such conflict, it is settled, or the text is no such value.
    """
    conflict = _standing(ledger, conflict_id)
    kind = Kind(conflict.kinds[Side.SALESFORCE])
    value = _valued(kind, canonical_of(text, kind))
    return _decide(ledger, conflict, None, value)


def canonical_of(text: str, kind: Kind) -> Canonical:
    """The canonical value that a person spelled: a decimal number, ``true`` or ``false``,
    ``YYYY-MM-DD``, an ISO 8601 time with an offset, options joined by semicolons, or any text.

    Raises:
        FatalError: the text spells no value of that kind.
    """
    if kind is Kind.UNSUPPORTED:
        raise FatalError("The field is of a type that cannot be written.")
    typed = FieldType(side=Side.SALESFORCE, name="value", type=_TYPES[kind])
    try:
        return renderer(Kind.TEXT, typed, None)(text.strip() or None).held
    except Refused as refusal:
        raise FatalError(f"The value is not a {kind.value}: {refusal.reason}.") from None


def _standing(ledger: Ledger, conflict_id: int) -> ConflictReport:
    found = conflicts(ledger, conflict_id=conflict_id)
    if not found:
        raise FatalError(
            f"There is no conflict {conflict_id}; `sweo-sync conflicts --all` lists them."
        )
    if found[0].status == UNDER_REVIEW:
        raise FatalError(
            f"Conflict {conflict_id} is of a pair that has not met yet; decide it with "
            f"`sweo-sync review accept {found[0].link_id}`, or decline it."
        )
    if found[0].status == "settled":
        raise FatalError(
            f"Conflict {conflict_id} is settled already; `sweo-sync restore` puts a replaced "
            "value back."
        )
    return found[0]


def _decide(
    ledger: Ledger, conflict: ConflictReport, winner: Side | None, value: str | None
) -> ConflictReport:
    table = schema.conflict
    with translated_errors(), ledger.engine.begin() as connection:
        decided = connection.execute(
            update(table)
            .where(table.c.id == conflict.id, table.c.status != "settled")
            .values(
                winner=winner.value if winner else None,
                value=value,
                status="decided",
                reason=RESOLVED,
            )
        )
        if decided.rowcount == 0:
            raise FatalError(f"Conflict {conflict.id} was settled by a run just now.")
        call_both(
            connection, ledger, conflict.mapping, conflict.salesforce_id, conflict.sweo_id
        )  # fmt: skip
    return conflict


def restore(ledger: Ledger, change_id: int) -> Change:
    """Put a value back that a write replaced, on both sides; returns the change it undoes.

    It holds as long as nobody edits the field before the pipelines have run.

    Raises:
        FatalError: there is no such change, or it cannot be undone; the sentence says why.
    """
    change = _change(ledger, change_id)
    link = _open_pair(ledger, change)
    row = _two_way_field(ledger, change, link)
    number = str(row.number)
    for conflict in conflicts(ledger, record=(link.salesforce_id,)):
        if conflict.link_id == link.id and conflict.field_number == row.number:
            raise FatalError(
                f"The field stands in conflict {conflict.id}; decide that with "
                f"`sweo-sync resolve {conflict.id}`."
            )
    if change.old == link.base[change.side].get(number):
        raise FatalError(f"The field holds the value from before change {change_id} already.")
    kind = row.salesforce_kind if change.side is Side.SALESFORCE else row.sweo_kind
    agreed = {side: link.base[side].get(number) for side in Side}
    with translated_errors(), ledger.engine.begin() as connection:
        connection.execute(
            insert(schema.conflict).values(
                link_id=link.id,
                field_id=row.number,
                mapping=link.mapping,
                reason=RESTORED,
                base=json.dumps({side.value: value for side, value in agreed.items()}),
                salesforce=json.dumps(agreed[Side.SALESFORCE]),
                sweo=json.dumps(agreed[Side.SWEO]),
                value=_valued(Kind(kind), change.old),
                status="decided",
                run_id=OPERATOR,
                at=ledger.now(),
            )
        )
        call_both(connection, ledger, link.mapping, link.salesforce_id, link.sweo_id)
    return change


def _change(ledger: Ledger, change_id: int) -> Change:
    with translated_errors(), ledger.reader.connect() as connection:
        row = connection.execute(
            select(schema.change).where(schema.change.c.id == change_id)
        ).first()  # fmt: skip
    if row is None:
        raise FatalError(
            f"There is no change {change_id}; `sweo-sync log` lists what is kept of them."
        )
    if row.outcome == "created":
        raise FatalError(f"Change {change_id} made the record; there was no value before it.")
    if is_erased(change_of(row).old):
        raise FatalError(f"The values of change {change_id} were erased from the ledger.")
    return change_of(row)


def _open_pair(ledger: Ledger, change: Change) -> Link:
    link = None
    if change.salesforce_id and change.sweo_id:
        link = ledger.pair(change.mapping, change.salesforce_id, change.sweo_id)
    if link is None or link.closed is not None:
        raise FatalError(
            f"The two records of change {change.id} are linked no longer; set the value by hand."
        )
    return link


def _two_way_field(ledger: Ledger, change: Change, link: Link) -> FieldRow:
    """The definition of the field that the pair has agreed values of; the youngest, if several."""
    named = [
        row
        for row in ledger.field_rows(change.mapping)
        if change.field == (row.salesforce if change.side is Side.SALESFORCE else row.sweo)
    ]
    if not any(row.direction == Direction.BOTH.value for row in named):
        raise FatalError(
            f"{change.field} flows one way, so its source owns the value; set it in "
            f"{change.side.other.value.capitalize()}."
        )
    agreed = [
        row
        for row in named
        if row.direction == Direction.BOTH.value
        and all(str(row.number) in base for base in link.base.values())
    ]
    if not agreed:
        raise FatalError(f"{change.field} was changed in the mapping and has not met again yet.")
    return max(agreed, key=lambda row: row.number)


def _valued(kind: Kind, value: Canonical) -> str:
    return json.dumps({"kind": kind.value, "value": value})


def call_both(
    connection: Connection, ledger: Ledger, mapping: str, salesforce_id: str, sweo_id: str
) -> None:
    """Put a pair on the revisit list of both directions, each by the id of its own source."""
    records = [(DIRECTIONS[0], mapping, salesforce_id), (DIRECTIONS[1], mapping, sweo_id)]
    _put_on_revisit_list(connection, ledger, records, OPERATOR)


def _put_on_revisit_list(
    connection: Connection, ledger: Ledger, records: Iterable[tuple[str, str, str]], reason: str
) -> None:
    rows = [
        {
            "direction": direction,
            "mapping": mapping,
            "source_id": source_id,
            "reason": reason,
            "not_before": ledger.now(),
            "added_at": ledger.now(),
        }
        for direction, mapping, source_id in records
    ]
    if rows:
        connection.execute(insert(schema.revisit), rows)


def pause(ledger: Ledger, mapping: str = EVERYTHING) -> None:
    """Hold a mapping, or all of them, until ``resume``. A mapping that is held stays so."""
    if mapping in ledger.paused():
        return
    with translated_errors(), ledger.engine.begin() as connection:
        connection.execute(insert(schema.pause).values(mapping=mapping, since=ledger.now()))


def resume(ledger: Ledger, mapping: str = EVERYTHING) -> list[str]:
    """Let a mapping go on, or all that are held; returns what was held (``*``: all).

    Letting everything go on connects again what was disconnected.
    """
    if mapping == EVERYTHING:
        note_connected(ledger)
    held = ledger.paused() if mapping == EVERYTHING else ledger.paused() & {mapping}
    with translated_errors(), ledger.engine.begin() as connection:
        connection.execute(delete(schema.pause).where(schema.pause.c.mapping.in_(held)))
    return sorted(held)


def adopt(ledger: Ledger, side: Side, instance: str, org: str | None = None) -> str | None:
    """Bind the ledger to another id of the same org or workspace; returns the former one.

    A refreshed sandbox keeps its records' ids and gets an id of its own. ``org`` names a
    Salesforce org besides the primary one.
    """
    former = ledger.instance(side, org)
    ledger.remember(instance_key(side, org), instance)
    return former
