"""Taking a person's values out of the ledger.

What is left are keyed hashes: the merge can tell by them whether a value is still the one that
was agreed, and nobody can read it. Hashes of values have the form that a base has for a field
that flows one way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, or_, select, update

from crosswalk.errors import FatalError
from crosswalk.ledger import schema
from crosswalk.ledger.book import Ledger
from crosswalk.ledger.hashing import KeyedHash
from crosswalk.ledger.listings import decoded
from crosswalk.ledger.trouble import translated_errors
from crosswalk.mapping import Direction, Mapping, Normalise
from crosswalk.match import normalise

ERASED: Final = "(erased)"
_HASH: Final = re.compile(r"#[0-9a-f]{16}")

Trace = tuple[str, str]
"""A mapping and the id of a record on either side: where something of a person may stand."""


@dataclass(frozen=True, slots=True)
class Erased:
    """How many rows lost their values."""

    links: int
    changes: int
    conflicts: int
    quarantine: int


def traces_of(ledger: Ledger, person: str, mappings: Sequence[Mapping] = ()) -> set[Trace]:
    """Every record that the ledger knows under a record id or an email address.

    A record is found by its id, by the keyed hash of its match value, and by a kept value that
    is the text itself in any case of letters. ``mappings`` tell how match values are compared;
    without them every way is tried. The halves of a pair come together.
    """
    wanted = person.strip()
    hashes = _hashes(ledger, wanted, mappings)
    found: set[Trace] = set()
    with translated_errors(), ledger.reader.connect() as connection:
        found |= _by_id(connection, wanted)
        found |= _by_key(connection, hashes)
        found |= _by_value(connection, wanted.casefold())
        return found | _other_halves(connection, found)


def forget(ledger: Ledger, traces: Iterable[Trace]) -> Erased:
    """Replace every value of these records by its keyed hash; doing it twice changes nothing.

    Raises:
        FatalError: a write of one of the records is in doubt, and only its values can settle it.
    """
    known = set(traces)
    eraser = _Eraser(KeyedHash(ledger.remembered("hash_key") or ""))
    with translated_errors(), ledger.engine.connect() as connection:
        if ledger.engine.dialect.name == "sqlite":
            # Else the values would lie on in the file's free pages.
            connection.connection.cursor().execute("PRAGMA secure_delete=ON")
        with connection.begin():
            links = _link_ids(connection, known)
            _refuse_doubts(connection, known, links)
            erased = Erased(
                links=eraser.links(connection, links, _two_way_numbers(connection)),
                changes=eraser.changes(connection, known),
                conflicts=eraser.conflicts(connection, links),
                quarantine=eraser.quarantine(connection, known),
            )
        if ledger.engine.dialect.name == "sqlite":
            connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return erased


def is_erased(value: object) -> bool:
    """Whether a kept value is a hash that ``forget`` left, or one of a field that flows one way."""
    return isinstance(value, str) and _HASH.fullmatch(value) is not None


def _by_id(connection: Connection, wanted: str) -> set[Trace]:
    found: set[Trace] = set()
    link, change = schema.link, schema.change
    for table, column in (
        (link, link.c.salesforce_id),
        (link, link.c.sweo_id),
        (change, change.c.salesforce_id),
        (change, change.c.sweo_id),
        (schema.waiting, schema.waiting.c.record_id),
        (schema.quarantine, schema.quarantine.c.source_id),
    ):
        rows = connection.execute(select(table.c.mapping).where(column == wanted).distinct())
        found.update((mapping, wanted) for mapping in rows.scalars())
    return found


def _hashes(ledger: Ledger, wanted: str, mappings: Sequence[Mapping]) -> set[str]:
    keyed = KeyedHash(ledger.remembered("hash_key") or "")
    ways = [
        (place, match.normalise)
        for mapping in mappings
        for place, match in enumerate(mapping.match)
    ] or [(place, way) for place in range(5) for way in Normalise]
    keys = {(place, normalise(wanted, way)) for place, way in ways}
    return {keyed.of_key(f"{place}:{key}") for place, key in keys if key}


def _by_key(connection: Connection, hashes: set[str]) -> set[Trace]:
    link, waiting = schema.link, schema.waiting
    linked = connection.execute(
        select(link.c.mapping, link.c.salesforce_id).where(link.c.key_hash.in_(hashes))
    )
    waits = connection.execute(
        select(waiting.c.mapping, waiting.c.record_id).where(waiting.c.key_hash.in_(hashes))
    )
    return {(row[0], row[1]) for rows in (linked, waits) for row in rows}


def _by_value(connection: Connection, wanted: str) -> set[Trace]:
    """Records that a kept value names: the database narrows, the decoded value decides."""
    link, change = schema.link, schema.change
    found: set[Trace] = set()
    rows = connection.execute(
        select(link.c.mapping, link.c.salesforce_id, link.c.base_salesforce, link.c.base_sweo)
        .where(
            or_(
                func.lower(link.c.base_salesforce).contains(wanted, autoescape=True),
                func.lower(link.c.base_sweo).contains(wanted, autoescape=True),
            )
        )
    )  # fmt: skip
    for mapping, salesforce_id, *bases in rows:
        if any(_is(value, wanted) for base in bases for value in json.loads(base).values()):
            found.add((mapping, salesforce_id))
    spelled = json.dumps(wanted)
    rows = connection.execute(
        select(change.c.mapping, change.c.salesforce_id, change.c.sweo_id).where(
            or_(func.lower(change.c.old) == spelled, func.lower(change.c.new) == spelled)
        )
    )
    for mapping, *ids in rows:
        found.update((mapping, record_id) for record_id in ids if record_id)
    return found


def _is(value: object, wanted: str) -> bool:
    return isinstance(value, str) and value.casefold() == wanted


def _other_halves(connection: Connection, traces: set[Trace]) -> set[Trace]:
    table = schema.link
    found: set[Trace] = set()
    for mapping, record_id in traces:
        rows = connection.execute(
            select(table.c.salesforce_id, table.c.sweo_id).where(
                table.c.mapping == mapping,
                or_(table.c.salesforce_id == record_id, table.c.sweo_id == record_id),
            )
        )
        found.update((mapping, half) for row in rows for half in row)
    return found


def _link_ids(connection: Connection, traces: set[Trace]) -> list[int]:
    table = schema.link
    found: set[int] = set()
    for mapping, record_id in traces:
        found.update(
            connection.execute(
                select(table.c.id).where(
                    table.c.mapping == mapping,
                    or_(table.c.salesforce_id == record_id, table.c.sweo_id == record_id),
                )
            ).scalars()
        )
    return sorted(found)


def _refuse_doubts(connection: Connection, traces: set[Trace], links: list[int]) -> None:
    table = schema.intent
    of_pair: list[ColumnElement[bool]] = [table.c.link_id.in_(links)]
    of_pair += [
        (table.c.mapping == mapping) & (table.c.source_id == record_id)
        for mapping, record_id in traces
    ]
    if connection.execute(select(table.c.id).where(or_(*of_pair)).limit(1)).first():
        raise FatalError(
            "A write of this record is in doubt, and its values are needed to settle it; let "
            "both pipelines run once, then forget."
        )


def _two_way_numbers(connection: Connection) -> set[str]:
    table = schema.field
    rows = connection.execute(select(table.c.id).where(table.c.direction == Direction.BOTH.value))
    return {str(number) for number in rows.scalars()}


class _Eraser:
    def __init__(self, hashes: KeyedHash) -> None:
        self._hashes = hashes

    def _token(self, value: Any) -> Any:
        """The hash of a value; what is empty or hashed already stays."""
        if value is None or is_erased(value):
            return value
        return self._hashes.of_value(value)

    def _text(self, column: str | None) -> str | None:
        return None if column is None else json.dumps(self._token(decoded(column)))

    def links(self, connection: Connection, ids: list[int], two_way: set[str]) -> int:
        table = schema.link
        for row in connection.execute(select(table).where(table.c.id.in_(ids))).all():
            bases = {
                name: json.dumps(
                    {
                        number: self._token(value) if number in two_way else value
                        for number, value in json.loads(getattr(row, name)).items()
                    }
                )
                for name in ("base_salesforce", "base_sweo")
            }
            # A run that read this pair before must not write its values back.
            connection.execute(
                update(table).where(table.c.id == row.id).values(version=row.version + 1, **bases)
            )
        return len(ids)

    def changes(self, connection: Connection, traces: set[Trace]) -> int:
        table = schema.change
        done: set[int] = set()
        for mapping, record_id in traces:
            rows = connection.execute(
                select(table).where(
                    table.c.mapping == mapping,
                    or_(table.c.salesforce_id == record_id, table.c.sweo_id == record_id),
                )
            ).all()
            for row in rows:
                connection.execute(
                    update(table)
                    .where(table.c.id == row.id)
                    .values(old=self._text(row.old), new=self._text(row.new))
                )
                done.add(row.id)
        return len(done)

    def conflicts(self, connection: Connection, links: list[int]) -> int:
        """Their values go, and with them what was decided: they are asked anew if they stand."""
        table = schema.conflict
        rows = connection.execute(select(table).where(table.c.link_id.in_(links))).all()
        for row in rows:
            base = decoded(row.base) or {}
            connection.execute(
                update(table)
                .where(table.c.id == row.id)
                .values(
                    base=json.dumps({side: self._token(value) for side, value in base.items()}),
                    salesforce=self._text(row.salesforce),
                    sweo=self._text(row.sweo),
                    value=None,
                    status="settled",
                )
            )
        return len(rows)

    def quarantine(self, connection: Connection, traces: set[Trace]) -> int:
        """A message may quote what a vendor said of the value."""
        table = schema.quarantine
        count = 0
        for mapping, record_id in traces:
            count += connection.execute(
                update(table)
                .where(table.c.mapping == mapping, table.c.source_id == record_id)
                .values(message=ERASED)
            ).rowcount
        return count
