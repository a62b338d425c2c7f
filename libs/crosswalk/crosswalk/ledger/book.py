"""The ledger as its readers see it; ``crosswalk.ledger.commit`` is how it is written."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import (
    Connection,
    Engine,
    Row,
    and_,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from crosswalk.errors import FatalError
from crosswalk.ledger import schema
from crosswalk.ledger.clock import Clock, later, stamp, system_clock
from crosswalk.ledger.engine import open_engine, shared_clock
from crosswalk.ledger.records import (
    FieldRow,
    IntendedField,
    Intent,
    Link,
    Review,
    Revisit,
    Verdict,
    Waiter,
)
from crosswalk.ledger.trouble import translated_errors
from crosswalk.mapping import Side

_IDS_A_QUERY = 500

T = TypeVar("T")

_decode_base = msgspec.json.Decoder(dict[str, Any]).decode
_decode_ages = msgspec.json.Decoder(dict[str, int]).decode


def direction_to(side: Side) -> str:
    """The name of the pipeline that writes to ``side``: ``to_sweo`` or ``to_salesforce``."""
    return f"to_{side.value}"


class Ledger:
    """What both pipelines remember: links, what was agreed, and everything still owed.

    One ledger belongs to one org and one workspace. Reading methods may be called from any
    thread; each opens a short connection of its own.
    """

    def __init__(self, engine: Engine, clock: Clock = system_clock) -> None:
        self.engine = engine
        self.clock = clock
        self.reader = engine.execution_options(isolation_level="AUTOCOMMIT")
        self.id = self._identity()

    @classmethod
    def open(cls, url: str, clock: Clock | None = None) -> Ledger:
        """Open the ledger, making it or migrating it where needed.

        Without a ``clock`` it is the one that all users of the database share.

        Raises:
            FatalError: where the database cannot be used, with the way out.
        """
        engine = open_engine(url)
        assert engine is not None  # noqa: S101 - only must_exist gives None
        return cls(engine, clock or shared_clock(engine))

    @classmethod
    def open_existing(cls, url: str, clock: Clock | None = None) -> Ledger | None:
        """Open the ledger for reading; None where there is none yet."""
        engine = open_engine(url, must_exist=True)
        return cls(engine, clock or shared_clock(engine)) if engine is not None else None

    def close(self) -> None:
        """Let go of every connection."""
        self.engine.dispose()

    def now(self) -> str:
        """The ledger's own time."""
        return stamp(self.clock())

    # identity

    def _identity(self) -> str:
        with translated_errors(), self.reader.connect() as connection:
            known = _meta(connection, "id")
        if known:
            return known
        with translated_errors(), self.engine.begin() as connection:
            known = _meta(connection, "id")
            if not known:
                known = str(uuid.uuid4())
                connection.execute(insert(schema.meta).values(key="id", value=known))
                connection.execute(
                    insert(schema.meta).values(key="hash_key", value=uuid.uuid4().hex)
                )
        return known

    def remembered(self, key: str) -> str | None:
        """A fact kept about the two systems (``timezone``, ``hash_key``)."""
        with translated_errors(), self.reader.connect() as connection:
            return _meta(connection, key)

    def remember(self, key: str, value: str) -> None:
        """Keep a fact about the two systems."""
        if self.remembered(key) == value:
            return
        with translated_errors(), self.engine.begin() as connection:
            connection.execute(delete(schema.meta).where(schema.meta.c.key == key))
            connection.execute(insert(schema.meta).values(key=key, value=value))

    def instance(self, side: Side, org: str | None = None) -> str | None:
        """The id of the org or workspace this ledger belongs to, if it is known yet.

        ``org`` names a Salesforce org besides the primary one.
        """
        return self.remembered(instance_key(side, org))

    def other_orgs(self) -> dict[str, str]:
        """The ids of the Salesforce orgs besides the primary one, by their names."""
        prefix = instance_key(Side.SALESFORCE, "")
        table = schema.meta
        with translated_errors(), self.reader.connect() as connection:
            rows = connection.execute(
                select(table.c.key, table.c.value).where(
                    table.c.key.startswith(prefix, autoescape=True)
                )
            )
            return {row.key.removeprefix(prefix): row.value for row in rows}

    def bind(self, side: Side, instance: str, org: str | None = None) -> None:
        """Say which org or workspace the caller talks to; ``org`` as in ``instance``.

        Raises:
            FatalError: where the ledger belongs to another one, or knows this org by another name.
        """
        known = self.instance(side, org)
        if known is None:
            if side is Side.SALESFORCE:
                self._refuse_another_name(instance, org)
            self.remember(instance_key(side, org), instance)
        elif known != instance:
            thing = "Sweo workspace" if side is Side.SWEO else _org_name(org)
            raise FatalError(
                f"This ledger belongs to the {thing} {known}, but the credentials are for "
                f"{instance}; use the credentials or the Meltano environment of {known}, give "
                "this one a ledger of its own (SWEO_LEDGER_URL), or, after a sandbox refresh, "
                f"run `sweo-sync adopt{f' --org {instance} --name {org}' if org else ''}`."
            )

    def _refuse_another_name(self, instance: str, org: str | None) -> None:
        names: dict[str | None, str | None] = {None: self.instance(Side.SALESFORCE)}
        names.update(self.other_orgs())
        for name, known in names.items():
            if known == instance and name != org:
                raise FatalError(
                    f"The credentials of the {_org_name(org)} are for {instance}, which this "
                    f"ledger knows as the {_org_name(name)}; use the credentials of the "
                    f"{_org_name(org)}, or map the records with those of the other."
                )

    # links

    def links(self, mapping: str, side: Side, ids: Sequence[str]) -> dict[str, Link]:
        """The open links of these records, by their id on ``side``."""
        return {link.id_on(side): link for link in self._links(mapping, side, ids, closed=False)}

    def digests(
        self, mapping: str, side: Side, ids: Sequence[str]
    ) -> dict[str, tuple[int, bytes | None]]:
        """Of the open links of these records, the number and the digest of the last reading on
        ``side`` that left nothing to do, by id on ``side``. The fast path of every run.
        """
        table = schema.link
        column = id_column(side)
        digest = table.c.digest_salesforce if side is Side.SALESFORCE else table.c.digest_sweo
        found: dict[str, tuple[int, bytes | None]] = {}
        with translated_errors(), self.reader.connect() as connection:
            for part in parts(ids):
                rows = connection.execute(
                    select(column, table.c.id, digest).where(
                        table.c.mapping == mapping, column.in_(part), table.c.closed.is_(None)
                    )
                )
                found.update({row[0]: (row[1], row[2]) for row in rows})
        return found

    def closed_links(self, mapping: str, side: Side, ids: Sequence[str]) -> dict[str, Link]:
        """The most recent closed link of each of these records, by their id on ``side``."""
        return {link.id_on(side): link for link in self._links(mapping, side, ids, closed=True)}

    def _links(
        self, mapping: str, side: Side, ids: Sequence[str], *, closed: bool
    ) -> Iterator[Link]:
        table = schema.link
        column = id_column(side)
        state = table.c.closed.is_not(None) if closed else table.c.closed.is_(None)
        with translated_errors(), self.reader.connect() as connection:
            for part in parts(ids):
                statement = (
                    select(table)
                    .where(table.c.mapping == mapping, column.in_(part), state)
                    .order_by(table.c.id)
                )
                for row in connection.execute(statement):
                    yield _link(row)

    def pair(self, mapping: str, salesforce_id: str, sweo_id: str) -> Link | None:
        """The link of exactly these two, open or closed."""
        table = schema.link
        with translated_errors(), self.reader.connect() as connection:
            row = connection.execute(
                select(table).where(
                    table.c.mapping == mapping,
                    table.c.salesforce_id == salesforce_id,
                    table.c.sweo_id == sweo_id,
                )
            ).first()
            return _link(row) if row is not None else None

    def links_by_key(self, mapping: str, hashes: Sequence[str]) -> dict[str, Link]:
        """Open links by the keyed hash of the match value that they were made by."""
        table = schema.link
        found: dict[str, Link] = {}
        with translated_errors(), self.reader.connect() as connection:
            for part in parts(hashes):
                rows = connection.execute(
                    select(table).where(
                        table.c.mapping == mapping,
                        table.c.key_hash.in_(part),
                        table.c.closed.is_(None),
                    )
                )
                found.update({row.key_hash: _link(row) for row in rows})
        return found

    def quarantined(self, direction: str, mapping: str) -> set[str]:
        """Source ids of everything in quarantine."""
        table = schema.quarantine
        with translated_errors(), self.reader.connect() as connection:
            return set(
                connection.execute(
                    select(table.c.source_id).where(
                        table.c.direction == direction, table.c.mapping == mapping
                    )
                ).scalars()
            )

    def linked_ids(self, mapping: str, side: Side, after: str = "") -> Iterator[str]:
        """Ids on ``side`` of every open link, in order, beginning behind ``after``."""
        table = schema.link
        column = id_column(side)
        while True:
            with translated_errors(), self.reader.connect() as connection:
                ids = list(
                    connection.execute(
                        select(column)
                        .where(table.c.mapping == mapping, table.c.closed.is_(None), column > after)
                        .order_by(column)
                        .limit(5_000)
                    ).scalars()
                )
            yield from ids
            if len(ids) < 5_000:
                return
            after = ids[-1]

    # fields

    def count_linked(self, mapping: str) -> int:
        """How many pairs are linked."""
        count = select(func.count()).where(
            schema.link.c.mapping == mapping, schema.link.c.closed.is_(None)
        )
        with translated_errors(), self.reader.connect() as connection:
            return int(connection.execute(count).scalar_one())

    def field_rows(self, mapping: str) -> list[FieldRow]:
        """Every definition of a field of this mapping that ever had a base."""
        table = schema.field
        with translated_errors(), self.reader.connect() as connection:
            rows = connection.execute(select(table).where(table.c.mapping == mapping)).all()
        return [_field_row(row) for row in rows]

    def field_number(
        self,
        mapping: str,
        salesforce: str,
        sweo: str,
        direction: str,
        kinds: dict[Side, str],
    ) -> int:
        """The number of this definition, made where it is new."""
        values = {
            "mapping": mapping,
            "salesforce": salesforce,
            "sweo": sweo,
            "direction": direction,
            "salesforce_kind": kinds[Side.SALESFORCE],
            "sweo_kind": kinds[Side.SWEO],
        }
        table = schema.field
        matching = and_(*(table.c[name] == value for name, value in values.items()))
        with translated_errors(), self.engine.begin() as connection:
            number = connection.execute(select(table.c.id).where(matching)).scalar()
            if number is None:
                result = connection.execute(insert(table).values(**values))
                number = result.inserted_primary_key[0]  # type: ignore[index]
        return int(number)

    # what is owed

    def revisits(self, direction: str, mapping: str, limit: int = 100_000) -> list[Revisit]:
        """The entries that are due, oldest first. A record may have several."""
        table = schema.revisit
        with translated_errors(), self.reader.connect() as connection:
            rows = connection.execute(
                select(table.c.number, table.c.source_id, table.c.reason)
                .where(
                    table.c.direction == direction,
                    table.c.mapping == mapping,
                    table.c.not_before <= self.now(),
                )
                .order_by(table.c.number)
                .limit(limit)
            ).all()
        return [Revisit(*row) for row in rows]

    def open_intents(self, mapping: str) -> dict[int, list[Intent]]:
        """Every open intent of this mapping's links, by link; nearly always empty."""
        table = schema.intent
        with translated_errors(), self.reader.connect() as connection:
            rows = connection.execute(
                select(table)
                .where(table.c.mapping == mapping, table.c.link_id.is_not(None))
                .order_by(table.c.id)
            ).all()
        return _by_link(_intent(row) for row in rows)

    def create_intents(self, direction: str, mapping: str, sources: Sequence[str]) -> list[Intent]:
        """Creates that were begun for these source records and never committed."""
        table = schema.intent
        found: list[Intent] = []
        with translated_errors(), self.reader.connect() as connection:
            for part in parts(sources):
                rows = connection.execute(
                    select(table)
                    .where(
                        table.c.direction == direction,
                        table.c.mapping == mapping,
                        table.c.link_id.is_(None),
                        table.c.source_id.in_(part),
                    )
                    .order_by(table.c.id)
                )
                found += [_intent(row) for row in rows]
        return found

    def waiters(
        self, mapping: str, side: Side, place: int, hashes: Sequence[str]
    ) -> dict[str, list[Waiter]]:
        """Records on ``side`` that wait under these keys, the one to prefer first."""
        table = schema.waiting
        found: dict[str, list[Waiter]] = {}
        with translated_errors(), self.reader.connect() as connection:
            for part in parts(hashes):
                rows = connection.execute(
                    select(table)
                    .where(
                        table.c.mapping == mapping,
                        table.c.side == side.value,
                        table.c.place == place,
                        table.c.key_hash.in_(part),
                    )
                    .order_by(table.c.rank, table.c.modified_at.desc(), table.c.record_id)
                )
                for row in rows:
                    found.setdefault(row.key_hash, []).append(
                        Waiter(row.record_id, row.modified_at, row.rank)
                    )
        return found

    def waiting_on(self, mapping: str, side: Side, ids: Sequence[str]) -> set[str]:
        """Which of these records stand in the waiting list."""
        table = schema.waiting
        found: set[str] = set()
        with translated_errors(), self.reader.connect() as connection:
            for part in parts(ids):
                found.update(
                    connection.execute(
                        select(table.c.record_id).where(
                            table.c.mapping == mapping,
                            table.c.side == side.value,
                            table.c.record_id.in_(part),
                        )
                    ).scalars()
                )
        return found

    def verdicts(self, link_ids: Sequence[int]) -> dict[int, dict[str, Verdict]]:
        """Conflicts that stand (open or decided) by link, then by field number (as text)."""
        table = schema.conflict
        found: dict[int, dict[str, Verdict]] = {}
        with translated_errors(), self.reader.connect() as connection:
            for part in parts(link_ids):
                rows = connection.execute(
                    select(table)
                    .where(table.c.link_id.in_(part), table.c.status.in_(("open", "decided")))
                    .order_by(table.c.id)
                )
                for row in rows:
                    found.setdefault(row.link_id, {})[str(row.field_id)] = Verdict(
                        id=row.id,
                        salesforce=json.loads(row.salesforce or "null"),
                        sweo=json.loads(row.sweo or "null"),
                        winner=Side(row.winner) if row.winner else None,
                        status=row.status,
                        value=row.value,
                    )
        return found

    def recent_writes(
        self, mapping: str, side: Side, salesforce_ids: Sequence[str], hours: float
    ) -> Counter[tuple[str, str, str]]:
        """How often a value was written to a field of ``side`` of late, by Salesforce id, field
        and value (JSON text). What was only noted there, as when a link ended, is no write.
        """
        table = schema.change
        since = later(self.clock(), -3_600 * hours)
        found: Counter[tuple[str, str, str]] = Counter()
        with translated_errors(), self.reader.connect() as connection:
            for part in parts(salesforce_ids):
                rows = connection.execute(
                    select(table.c.salesforce_id, table.c.field, table.c.new).where(
                        table.c.mapping == mapping,
                        table.c.side == side.value,
                        table.c.salesforce_id.in_(part),
                        table.c.at >= since,
                        table.c.old != table.c.new,
                    )
                )
                found.update((row.salesforce_id, row.field, row.new) for row in rows)
        return found

    # events

    def known_events(self, keys: Sequence[str]) -> set[str]:
        """Which of these events have become Tasks, or were left out for good."""
        table = schema.event
        found: set[str] = set()
        with translated_errors(), self.reader.connect() as connection:
            for part in parts(keys):
                found.update(
                    connection.execute(select(table.c.key).where(table.c.key.in_(part))).scalars()
                )
        return found

    def events_within_days(self, mapping: str, days: int = 1) -> int:
        """How many events of the mapping became Tasks in the last 24 hours, or so many days."""
        table = schema.event
        since = later(self.clock(), -86_400 * days)
        with translated_errors(), self.reader.connect() as connection:
            return int(
                connection.execute(
                    select(func.count()).where(table.c.mapping == mapping, table.c.put_at >= since)
                ).scalar_one()
            )

    def latest_event(self, mapping: str) -> str | None:
        """When the youngest of the mapping's known events happened."""
        table = schema.event
        with translated_errors(), self.reader.connect() as connection:
            return connection.execute(
                select(func.max(table.c.at)).where(table.c.mapping == mapping)
            ).scalar()

    def linked_after(
        self, mapping: str, side: Side, linked_at: str, number: int
    ) -> list[tuple[str, str, int]]:
        """Of open links behind that time and link number, the oldest first: the id on ``side``,
        when it was made, and its number.
        """
        table = schema.link
        with translated_errors(), self.reader.connect() as connection:
            rows = connection.execute(
                select(id_column(side), table.c.linked_at, table.c.id)
                .where(
                    table.c.mapping == mapping,
                    table.c.closed.is_(None),
                    or_(
                        table.c.linked_at > linked_at,
                        and_(table.c.linked_at == linked_at, table.c.id > number),
                    ),
                )
                .order_by(table.c.linked_at, table.c.id)
            )
            return [(row[0], row[1], row[2]) for row in rows]

    # progress

    def progress(self, direction: str, mapping: str) -> tuple[str | None, str | None]:
        """When the pipeline last finished a full read, and when the other side's keys were read
        on its behalf.
        """
        table = schema.progress
        with translated_errors(), self.reader.connect() as connection:
            row = connection.execute(
                select(table.c.whole_at, table.c.keys_read_at).where(
                    table.c.direction == direction, table.c.mapping == mapping
                )
            ).first()
        return (row.whole_at, row.keys_read_at) if row else (None, None)

    def note_progress(self, direction: str, mapping: str, **times: str) -> None:
        """Remember ``whole_at`` or ``keys_read_at``."""
        table = schema.progress
        here = and_(table.c.direction == direction, table.c.mapping == mapping)
        with translated_errors(), self.engine.begin() as connection:
            changed = connection.execute(update(table).where(here).values(**times))
            if changed.rowcount == 0:
                connection.execute(
                    insert(table).values(direction=direction, mapping=mapping, **times)
                )

    def paused(self) -> set[str]:
        """The mappings that a person paused; ``*`` stands for all."""
        with translated_errors(), self.reader.connect() as connection:
            return set(connection.execute(select(schema.pause.c.mapping)).scalars())


def instance_key(side: Side, org: str | None = None) -> str:
    """Under which name the ledger remembers the id of a workspace or of an org."""
    return f"instance_{side.value}" + ("" if org is None else f"--{org}")


def _org_name(org: str | None) -> str:
    return "Salesforce org" if org is None else f"Salesforce org {org},"


def _meta(connection: Connection, key: str) -> str | None:
    value = connection.execute(select(schema.meta.c.value).where(schema.meta.c.key == key)).scalar()
    return str(value) if value is not None else None


def id_column(side: Side) -> Any:
    """The column of a link that holds the id on ``side``."""
    return schema.link.c.salesforce_id if side is Side.SALESFORCE else schema.link.c.sweo_id


def parts(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Values in parts of which each fits into one statement."""
    for start in range(0, len(values), _IDS_A_QUERY):
        yield values[start : start + _IDS_A_QUERY]


def _link(row: Row[Any]) -> Link:
    return Link(
        id=row.id,
        mapping=row.mapping,
        salesforce_id=row.salesforce_id,
        sweo_id=row.sweo_id,
        version=row.version,
        closed=row.closed,
        base={
            Side.SALESFORCE: _decode_base(row.base_salesforce),
            Side.SWEO: _decode_base(row.base_sweo),
        },
        as_of={
            Side.SALESFORCE: _decode_ages(row.as_of_salesforce),
            Side.SWEO: _decode_ages(row.as_of_sweo),
        },
        written={Side.SALESFORCE: row.written_salesforce, Side.SWEO: row.written_sweo},
        digest={Side.SALESFORCE: row.digest_salesforce, Side.SWEO: row.digest_sweo},
        parent_id=row.parent_id,
        key_hash=row.key_hash,
        run_id=row.run_id,
        review=Review(row.review) if row.review else None,
    )


def _field_row(row: Row[Any]) -> FieldRow:
    return FieldRow(
        row.id, row.salesforce, row.sweo, row.direction, row.salesforce_kind, row.sweo_kind
    )


def _intent(row: Row[Any]) -> Intent:
    return Intent(
        id=row.id,
        link_id=row.link_id,
        mapping=row.mapping,
        direction=row.direction,
        source_id=row.source_id,
        run_id=row.run_id,
        fields={number: IntendedField(**field) for number, field in json.loads(row.fields).items()},
        put_at=row.put_at,
    )


def _by_link(intents: Iterable[Intent]) -> dict[int, list[Intent]]:
    found: dict[int, list[Intent]] = {}
    for intent in intents:
        if intent.link_id is not None:
            found.setdefault(intent.link_id, []).append(intent)
    return found
