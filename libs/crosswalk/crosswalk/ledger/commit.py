"""What a batch leaves behind, written in one transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, or_, select, update

from crosswalk.ledger import left_out, schema
from crosswalk.ledger.book import Ledger, parts
from crosswalk.ledger.clock import later
from crosswalk.ledger.left_out import LeftOut
from crosswalk.ledger.records import Intent, Link, Quarantined, Review
from crosswalk.ledger.trouble import translated_errors
from crosswalk.mapping import Side
from crosswalk.values import Canonical

_FIRST_RETRY_SECONDS = 900.0
_LONGEST_RETRY_SECONDS = 86_400.0
_AT_ONCE = "0000-00-00T00:00:00.000000Z"


@dataclass(slots=True)
class ChangeRow:
    """One line of the sync log: what was done to one field of one record."""

    mapping: str
    salesforce_id: str | None
    sweo_id: str | None
    field: str
    side: Side
    old: Canonical
    new: Canonical
    outcome: str


UNDER_REVIEW = "review"
"""The status of a conflict that a first exchange would be: see ``Review``."""


@dataclass(slots=True)
class ConflictRow:
    """A conflict to put down: both values, what they moved away from, and who won."""

    link_id: int
    field_number: int
    mapping: str
    reason: str
    base: dict[Side, Canonical]
    values: dict[Side, Canonical]
    at: dict[Side, str | None]
    by: dict[Side, str | None]
    winner: Side | None
    status: str


@dataclass(slots=True)
class EventRow:
    """An event that became a Task, or that is left out for good (not ``put``); ``at`` is when it
    happened.
    """

    key: str
    sweo_id: str
    at: str
    put: bool = True


@dataclass(slots=True)
class WaitingRow:
    """A record that waits, under one of its keys, or for its parent."""

    mapping: str
    side: Side
    record_id: str
    place: int
    modified_at: str
    key_hash: str | None = None
    rank: int = 0
    parent_mapping: str | None = None
    parent_id: str | None = None


@dataclass(slots=True)
class RevisitRow:
    """A record to be read again by the pipeline ``direction``."""

    direction: str
    mapping: str
    source_id: str
    reason: str
    seconds: float = 0.0


@dataclass(slots=True)
class Commit:
    """Everything that one batch changes in the ledger.

    ``links`` are open links whose base moved; each carries the version it was read at.
    ``intents_left`` are intents of which only some fields are settled; the rest stays.
    ``digests`` are links where only the digest of an uneventful reading is new.
    ``let_in`` are rows of what a filter left out before, ``left_out`` those of what it leaves out.
    ``judged`` are ids of links under review (``first_link``) that were compared anew; what stands
    open of them is among ``conflicts``, with the status ``review``.
    ``can_ask`` is False where the source shows no record again: nothing is put on its list.
    """

    direction: str
    mapping: str
    run_id: str
    can_ask: bool = True
    links: list[Link] = field(default_factory=list)
    digests: list[tuple[Link, Side]] = field(default_factory=list)
    changes: list[ChangeRow] = field(default_factory=list)
    conflicts: list[ConflictRow] = field(default_factory=list)
    settled: list[int] = field(default_factory=list)
    waiting: list[WaitingRow] = field(default_factory=list)
    no_longer_waiting: list[tuple[Side, str]] = field(default_factory=list)
    revisits: list[RevisitRow] = field(default_factory=list)
    revisited: list[int] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    healed: list[str] = field(default_factory=list)
    intents_done: list[Intent] = field(default_factory=list)
    intents_left: list[Intent] = field(default_factory=list)
    parents_linked: list[tuple[str, str]] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    let_in: list[LeftOut] = field(default_factory=list)
    judged: list[int] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)

    @property
    def source_side(self) -> Side:
        """The side that the batch was read from."""
        return Side.SALESFORCE if self.direction == "to_sweo" else Side.SWEO

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write down."""
        lists = (value for value in asdict_shallow(self).values() if isinstance(value, list))
        return not any(lists)


def asdict_shallow(commit: Commit) -> dict[str, object]:
    """The commit's attributes by name, without copying what they hold."""
    return {name: getattr(commit, name) for name in Commit.__dataclass_fields__}


class Writer:
    """Writes to the ledger. Only targets and the operator's command hold one."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def open_link(
        self,
        mapping: str,
        salesforce_id: str,
        sweo_id: str,
        run_id: str,
        key_hash: str | None = None,
        *,
        review: Review | None = None,
    ) -> Link | None:
        """Link two records; None where one of them is linked elsewhere.

        A base belongs to its two ids: where the same two were linked before, it serves again.
        Nothing was exchanged while their link was closed, so both halves are owed a visit then.
        """
        table = schema.link
        with translated_errors(), self.ledger.engine.begin() as connection:
            taken = connection.execute(
                select(table.c.id).where(
                    table.c.mapping == mapping,
                    table.c.closed.is_(None),
                    or_(table.c.salesforce_id == salesforce_id, table.c.sweo_id == sweo_id),
                )
            ).first()
            if taken is not None:
                return None
            # Whoever links them, a create that was begun for either of the two is over.
            connection.execute(
                delete(schema.intent).where(
                    schema.intent.c.mapping == mapping,
                    schema.intent.c.link_id.is_(None),
                    schema.intent.c.source_id.in_((salesforce_id, sweo_id)),
                )
            )
            reopened = connection.execute(
                update(table)
                .where(
                    table.c.mapping == mapping,
                    table.c.salesforce_id == salesforce_id,
                    table.c.sweo_id == sweo_id,
                )
                .values(
                    closed=None,
                    version=table.c.version + 1,
                    run_id=run_id,
                    key_hash=key_hash,
                    digest_salesforce=None,
                    digest_sweo=None,
                )
            )
            if reopened.rowcount:
                rows = [
                    RevisitRow("to_sweo", mapping, salesforce_id, "linked again"),
                    RevisitRow("to_salesforce", mapping, sweo_id, "linked again"),
                ]
                _put_revisits(connection, rows, self.ledger)
            else:
                connection.execute(
                    insert(table).values(
                        mapping=mapping,
                        salesforce_id=salesforce_id,
                        sweo_id=sweo_id,
                        version=1,
                        base_salesforce="{}",
                        base_sweo="{}",
                        as_of_salesforce="{}",
                        as_of_sweo="{}",
                        linked_at=self.ledger.now(),
                        run_id=run_id,
                        key_hash=key_hash,
                        review=review.value if review else None,
                    )
                )
        return self.ledger.pair(mapping, salesforce_id, sweo_id)

    def close_link(self, link: Link, reason: str, *, keep_base: bool = True) -> None:
        """End a link; its base is kept for the day the same two meet again.

        What could not be written of the pair is tried no more.
        Without ``keep_base`` they meet as strangers then: at a first meeting an empty value
        erases nothing.
        """
        table = schema.link
        base = {} if keep_base else {"base_salesforce": "{}", "base_sweo": "{}"}
        with translated_errors(), self.ledger.engine.begin() as connection:
            connection.execute(
                update(table)
                .where(table.c.id == link.id)
                .values(closed=reason, version=table.c.version + 1, **base)
            )
            connection.execute(delete(schema.intent).where(schema.intent.c.link_id == link.id))
            for direction, side in (("to_sweo", Side.SALESFORCE), ("to_salesforce", Side.SWEO)):
                _drop_quarantine(connection, direction, link.mapping, link.id_on(side))

    def put_intents(self, intents: Sequence[Intent]) -> None:
        """Put down what is about to be written; durable when this returns. Sets their ids."""
        if not intents:
            return
        table = schema.intent
        rows = [
            {
                "link_id": intent.link_id,
                "mapping": intent.mapping,
                "direction": intent.direction,
                "source_id": intent.source_id,
                "run_id": intent.run_id,
                "fields": _fields_json(intent),
                "put_at": intent.put_at,
            }
            for intent in intents
        ]
        with translated_errors(), self.ledger.engine.begin() as connection:
            numbers = connection.execute(
                insert(table).returning(table.c.id, sort_by_parameter_order=True), rows
            ).scalars()
            for intent, number in zip(intents, numbers, strict=True):
                intent.id = number

    def retry_quarantine(self, direction: str, mapping: str) -> None:
        """Let everything in quarantine be tried again by the next run."""
        table = schema.revisit
        with translated_errors(), self.ledger.engine.begin() as connection:
            connection.execute(
                update(table)
                .where(
                    table.c.direction == direction,
                    table.c.mapping == mapping,
                    table.c.reason == "quarantine",
                )
                .values(not_before=_AT_ONCE)
            )

    def commit(self, batch: Commit) -> list[Link]:
        """Write a batch down in one transaction.

        Returns:
            The links that somebody else moved meanwhile: their base stands as it was, and they
            are on the revisit list.
        """
        if batch.is_empty:
            return []
        with translated_errors(), self.ledger.engine.begin() as connection:
            lost = _update_links(connection, batch.links)
            batch.revisits += [
                RevisitRow(batch.direction, link.mapping, link.id_on(batch.source_side), "moved")
                for link in lost
            ]
            _store_digests(connection, batch.digests)
            self._append(connection, batch, {link.id for link in lost})
            _drop_intents_of_closed(connection, [link.id for link in lost])
            self._queues(connection, batch)
            _note_events(connection, batch, self.ledger.now())
        return lost

    def _append(self, connection: Connection, batch: Commit, lost: set[int]) -> None:
        now = self.ledger.now()
        if batch.changes:
            connection.execute(
                insert(schema.change),
                [
                    {
                        **_plain(change),
                        "run_id": batch.run_id,
                        "at": now,
                        "side": change.side.value,
                        "old": json.dumps(change.old),
                        "new": json.dumps(change.new),
                    }
                    for change in batch.changes
                ],
            )
        for part in parts(batch.judged):
            connection.execute(
                delete(schema.conflict).where(
                    schema.conflict.c.link_id.in_(part), schema.conflict.c.status == UNDER_REVIEW
                )
            )
        for row in batch.conflicts:
            _replace_conflict(connection, row, batch.run_id, now)
        for part in parts(batch.settled):
            connection.execute(
                update(schema.conflict)
                .where(schema.conflict.c.id.in_(part))
                .values(status="settled")
            )
        # A write whose base could not move stays in doubt: the next visit judges its intent.
        done = [intent.id for intent in batch.intents_done if intent.link_id not in lost]
        for part in parts(done):
            connection.execute(delete(schema.intent).where(schema.intent.c.id.in_(part)))
        for intent in batch.intents_left:
            connection.execute(
                update(schema.intent)
                .where(schema.intent.c.id == intent.id)
                .values(fields=_fields_json(intent))
            )

    def _queues(self, connection: Connection, batch: Commit) -> None:
        waiting = schema.waiting
        for side, record_id in batch.no_longer_waiting:
            connection.execute(
                delete(waiting).where(
                    waiting.c.mapping == batch.mapping,
                    waiting.c.side == side.value,
                    waiting.c.record_id == record_id,
                )
            )
        _replace_waiting(connection, batch.waiting)
        for part in parts(batch.revisited):
            connection.execute(delete(schema.revisit).where(schema.revisit.c.number.in_(part)))
        for source_id in batch.healed:
            _drop_quarantine(connection, batch.direction, batch.mapping, source_id)
        left_out.store(connection, batch.left_out, batch.let_in, self.ledger.now())
        revisits = list(batch.revisits)
        for row in batch.quarantined:
            seconds = _quarantine(connection, batch.direction, row, self.ledger)
            revisits.append(
                RevisitRow(batch.direction, row.mapping, row.source_id, "quarantine", seconds)
            )
        revisits += _children_of(connection, batch.parents_linked)
        if not batch.can_ask:
            revisits = [row for row in revisits if row.direction != batch.direction]
        _put_revisits(connection, revisits, self.ledger)


def _put_revisits(connection: Connection, rows: Sequence[RevisitRow], ledger: Ledger) -> None:
    if not rows:
        return
    clock, now = ledger.clock(), ledger.now()
    unique = {(r.direction, r.mapping, r.source_id, r.reason): r for r in rows}
    connection.execute(
        insert(schema.revisit),
        [
            {
                "direction": r.direction,
                "mapping": r.mapping,
                "source_id": r.source_id,
                "reason": r.reason,
                "not_before": later(clock, r.seconds) if r.seconds else _AT_ONCE,
                "added_at": now,
            }
            for r in unique.values()
        ],
    )


def _fields_json(intent: Intent) -> str:
    return json.dumps({number: asdict(value) for number, value in intent.fields.items()})


def _drop_intents_of_closed(connection: Connection, link_ids: Sequence[int]) -> None:
    """A link that somebody closed meanwhile is visited no more, so nobody would judge them."""
    closed = select(schema.link.c.id).where(schema.link.c.closed.is_not(None))
    for part in parts(link_ids):
        connection.execute(
            delete(schema.intent).where(
                schema.intent.c.link_id.in_(part), schema.intent.c.link_id.in_(closed)
            )
        )


def _update_links(connection: Connection, links: Sequence[Link]) -> list[Link]:
    if not links:
        return []
    links = list({link.id: link for link in links}.values())
    table = schema.link
    ids = [link.id for link in links]
    versions: dict[int, int] = {}
    for part in parts(ids):
        rows = connection.execute(
            select(table.c.id, table.c.version)
            .where(table.c.id.in_(part), table.c.closed.is_(None))
            .with_for_update()
        )
        versions.update({row.id: row.version for row in rows})
    lost = [link for link in links if versions.get(link.id) != link.version]
    missed = {link.id for link in lost}
    rows_to_write = [_link_row(link) for link in links if link.id not in missed]
    if rows_to_write:
        connection.execute(
            update(table)
            .where(table.c.id == bindparam("link_id"))
            .values({name: bindparam(f"new_{name}") for name in _LINK_COLUMNS}),
            rows_to_write,
        )
    return lost


_LINK_COLUMNS = (
    "version",
    "base_salesforce",
    "base_sweo",
    "as_of_salesforce",
    "as_of_sweo",
    "written_salesforce",
    "written_sweo",
    "digest_salesforce",
    "digest_sweo",
    "parent_id",
    "key_hash",
    "review",
)


def _link_row(link: Link) -> dict[str, Any]:
    row: dict[str, Any] = {
        "version": link.version + 1,
        "parent_id": link.parent_id,
        "key_hash": link.key_hash,
        "review": link.review.value if link.review else None,
    }
    for side in Side:
        row[f"base_{side.value}"] = json.dumps(link.base[side], ensure_ascii=False)
        row[f"as_of_{side.value}"] = json.dumps(link.as_of[side])
        row[f"written_{side.value}"] = link.written[side]
        row[f"digest_{side.value}"] = link.digest[side]
    return {"link_id": link.id} | {f"new_{name}": value for name, value in row.items()}


def _store_digests(connection: Connection, digests: Iterable[tuple[Link, Side]]) -> None:
    table = schema.link
    for side in Side:
        rows = [
            {"link_id": link.id, "link_version": link.version, "digest": link.digest[side]}
            for link, digest_side in digests
            if digest_side is side
        ]
        if rows:
            connection.execute(
                update(table)
                .where(
                    table.c.id == bindparam("link_id"),
                    table.c.version == bindparam("link_version"),
                )
                .values({f"digest_{side.value}": bindparam("digest")}),
                rows,
            )


def _plain(change: ChangeRow) -> dict[str, object]:
    return {
        "mapping": change.mapping,
        "salesforce_id": change.salesforce_id,
        "sweo_id": change.sweo_id,
        "field": change.field,
        "outcome": change.outcome,
    }


def _replace_conflict(connection: Connection, row: ConflictRow, run_id: str, now: str) -> None:
    table = schema.conflict
    connection.execute(
        delete(table).where(
            table.c.link_id == row.link_id,
            table.c.field_id == row.field_number,
            table.c.status != "settled",
        )
    )
    connection.execute(
        insert(table).values(
            link_id=row.link_id,
            field_id=row.field_number,
            mapping=row.mapping,
            reason=row.reason,
            base=json.dumps({side.value: value for side, value in row.base.items()}),
            salesforce=json.dumps(row.values[Side.SALESFORCE]),
            sweo=json.dumps(row.values[Side.SWEO]),
            salesforce_at=row.at[Side.SALESFORCE],
            sweo_at=row.at[Side.SWEO],
            salesforce_by=row.by[Side.SALESFORCE],
            sweo_by=row.by[Side.SWEO],
            winner=row.winner.value if row.winner else None,
            status=row.status,
            run_id=run_id,
            at=now,
        )
    )


def _replace_waiting(connection: Connection, rows: Sequence[WaitingRow]) -> None:
    if not rows:
        return
    table = schema.waiting
    unique = {(r.mapping, r.side, r.record_id, r.place): r for r in rows}
    connection.execute(
        delete(table).where(
            table.c.mapping == bindparam("old_mapping"),
            table.c.side == bindparam("old_side"),
            table.c.record_id == bindparam("old_record"),
            table.c.place == bindparam("old_place"),
        ),
        [
            {"old_mapping": m, "old_side": s.value, "old_record": i, "old_place": p}
            for m, s, i, p in unique
        ],
    )
    connection.execute(
        insert(table), [{**asdict(row), "side": row.side.value} for row in unique.values()]
    )


def _note_events(connection: Connection, batch: Commit, now: str) -> None:
    if batch.events:
        connection.execute(
            insert(schema.event),
            [
                {
                    "key": row.key,
                    "mapping": batch.mapping,
                    "sweo_id": row.sweo_id,
                    "at": row.at,
                    "put_at": now if row.put else None,
                }
                for row in batch.events
            ],
        )


def _drop_quarantine(connection: Connection, direction: str, mapping: str, source_id: str) -> None:
    """Forget everything of a record that could not be written, and do not try it again."""
    quarantine, revisit = schema.quarantine, schema.revisit
    connection.execute(
        delete(quarantine).where(
            quarantine.c.direction == direction,
            quarantine.c.mapping == mapping,
            quarantine.c.source_id == source_id,
        )
    )
    connection.execute(
        delete(revisit).where(
            revisit.c.direction == direction,
            revisit.c.mapping == mapping,
            revisit.c.source_id == source_id,
            revisit.c.reason == "quarantine",
        )
    )


def _quarantine(connection: Connection, direction: str, row: Quarantined, ledger: Ledger) -> float:
    """Put the row down and say in how many seconds to try again: at once, then ever later."""
    table = schema.quarantine
    here = (
        (table.c.direction == direction)
        & (table.c.mapping == row.mapping)
        & (table.c.source_id == row.source_id)
        & (table.c.field == row.field)
    )
    tries = connection.execute(select(table.c.tries).where(here)).scalar() or 0
    seconds = (
        min(_FIRST_RETRY_SECONDS * 2.0 ** (tries - 1), _LONGEST_RETRY_SECONDS) if tries else 0.0
    )
    now = ledger.now()
    values = {
        "code": row.code,
        "message": row.message,
        "remedy": row.remedy,
        "tries": tries + 1,
        "last_at": now,
        "next_at": later(ledger.clock(), seconds),
    }
    if tries:
        connection.execute(update(table).where(here).values(**values))
    else:
        connection.execute(
            insert(table).values(
                direction=direction,
                mapping=row.mapping,
                source_id=row.source_id,
                field=row.field,
                first_at=now,
                **values,
            )
        )
    return seconds


def _children_of(connection: Connection, parents: Sequence[tuple[str, str]]) -> list[RevisitRow]:
    """Children that waited for these parents (mapping, Salesforce id) go on the revisit list."""
    table = schema.waiting
    rows: list[RevisitRow] = []
    for parent_mapping, parent_id in parents:
        found = connection.execute(
            select(table.c.mapping, table.c.record_id).where(
                table.c.parent_mapping == parent_mapping, table.c.parent_id == parent_id
            )
        )
        rows += [
            RevisitRow("to_sweo", row.mapping, row.record_id, "parent linked") for row in found
        ]
    return rows
