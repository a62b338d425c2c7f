"""A run that only says what it would do.

It works on a copy of the ledger that is thrown away, against a destination that reads and never
writes, and lets no STATE out. What it would have done is then read off the copy.
"""

from __future__ import annotations

import json
import os
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping as MappingOf, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from crosswalk.fieldtype import FieldType
from crosswalk.ledger import Ledger, schema
from crosswalk.ledger.engine import READS_ONLY
from crosswalk.mapping import Mapping, Side
from crosswalk.wire import StreamNote
from sqlalchemy import insert, select

from singer_runtime.context import RunContext
from singer_runtime.destination import (
    Attachment,
    Candidate,
    Creation,
    Destination,
    Outcome,
    Reading,
    Result,
    TimelineEvent,
    Write,
)

PLANNED: Final = "planned-"
"""How the id of a record begins that would be made."""
_ROWS_A_COPY: Final = 5_000
_GUARDED_A_CALL: Final = 25
_ROWS_A_CALL: Final = 1_000
_MOST_GUARDED: Final = 250


class DryDestination:
    """Reads as the real one does; says of every write that it was done, and counts its calls."""

    def __init__(self, inner: Destination) -> None:
        self.inner = inner
        self.side = inner.side
        self.write_calls = 0

    def prepare(
        self, mapping: Mapping, note: StreamNote, incoming: MappingOf[str, FieldType]
    ) -> MappingOf[str, FieldType]:
        """As the real one; that one was told to make nothing."""
        return self.inner.prepare(mapping, note, incoming)

    def credentials(self) -> str:
        """As the real one."""
        return self.inner.credentials()

    def instance(self) -> str:
        """As the real one."""
        return self.inner.instance()

    def timezone(self) -> str | None:
        """As the real one."""
        return self.inner.timezone()

    def read(
        self, mapping: Mapping, ids: Sequence[str], fields: Sequence[str]
    ) -> dict[str, Reading]:
        """As the real one."""
        return self.inner.read(mapping, ids, fields)

    def inside(self, mapping: Mapping, ids: Sequence[str]) -> set[str]:
        """As the real one."""
        return self.inner.inside(mapping, ids)

    def find(self, mapping: Mapping, creations: Sequence[Creation]) -> dict[str, list[Candidate]]:
        """As the real one."""
        return self.inner.find(mapping, creations)

    def keys(self, mapping: Mapping) -> Iterator[Candidate]:
        """As the real one."""
        return self.inner.keys(mapping)

    def skew_seconds(self) -> float:
        """As the real one."""
        return self.inner.skew_seconds()

    def calls(self) -> int:
        """The calls that were made, all of them reads."""
        return self.inner.calls()

    def update(self, mapping: Mapping, writes: Sequence[Write]) -> list[Outcome]:
        """Nothing is sent."""
        guarded = sum(write.guard is not None for write in writes)
        if self.side is Side.SWEO:
            self.write_calls += len(writes)
        elif guarded <= _MOST_GUARDED:
            self.write_calls += -(-guarded // _GUARDED_A_CALL)
            self.write_calls += -(-(len(writes) - guarded) // _ROWS_A_CALL)
        else:
            self.write_calls += -(-len(writes) // _ROWS_A_CALL)
        return [Outcome(Result.WRITTEN, id=write.id) for write in writes]

    def create(self, mapping: Mapping, creations: Sequence[Creation]) -> list[Outcome]:
        """Nothing is made; the id says so."""
        per_call = 1 if self.side is Side.SWEO else _ROWS_A_CALL
        self.write_calls += -(-len(creations) // per_call)
        return [
            Outcome(Result.CREATED, id=f"{PLANNED}{creation.source_id}") for creation in creations
        ]

    def archive(self, mapping: Mapping, ids: Sequence[str]) -> list[Outcome]:
        """Nothing is archived."""
        self.write_calls += len(ids) if self.side is Side.SWEO else -(-len(ids) // 200)
        return [Outcome(Result.WRITTEN, id=record_id) for record_id in ids]

    def attach(self, mapping: Mapping, moves: Sequence[Attachment]) -> list[Outcome]:
        """Nothing is moved."""
        for move in moves:
            self.write_calls += (move.parent_id is not None) + (move.former_id is not None)
        return [Outcome(Result.WRITTEN, id=move.child_id) for move in moves]

    def put_on_timeline(
        self, mapping: Mapping, events: Sequence[TimelineEvent], zone: str | None
    ) -> list[Outcome]:
        """Nothing is made."""
        self.write_calls += -(-len(events) // _ROWS_A_CALL)
        return [Outcome(Result.CREATED, id=f"{PLANNED}{event.key}") for event in events]

    def take_over(self, mapping: Mapping, lead_id: str, user_id: str | None) -> Outcome:
        """Nobody is changed."""
        self.write_calls += 1
        return Outcome(Result.WRITTEN, id=user_id or lead_id)


class ScratchLedger:
    """A copy of a ledger in a temporary file, removed by ``close``.

    The ledger stays as it is; where there is none yet, none is made.
    """

    def __init__(self, url: str) -> None:
        descriptor, name = tempfile.mkstemp(prefix="sweo-plan-", suffix=".db")
        os.close(descriptor)
        self.path = Path(name)
        source = Ledger.open_existing(url)
        if source is not None and source.engine.dialect.name == "sqlite":
            _copy_file(source, name)
        self.ledger = Ledger.open(f"sqlite:///{name}", source.clock if source else None)
        if source is not None:
            if source.engine.dialect.name != "sqlite":
                _copy_rows(source, self.ledger)
            source.close()
        with self.ledger.engine.begin() as copy:
            copy.execute(schema.lease.delete())

    def close(self) -> None:
        """Throw the copy away."""
        self.ledger.close()
        for name in (self.path, Path(f"{self.path}-wal"), Path(f"{self.path}-shm")):
            name.unlink(missing_ok=True)


def _copy_file(source: Ledger, name: str) -> None:
    raw = source.engine.raw_connection()
    try:
        with closing(sqlite3.connect(name)) as copy:
            raw.driver_connection.backup(copy)  # type: ignore[union-attr]
    finally:
        raw.close()


def _copy_rows(source: Ledger, to: Ledger) -> None:
    reading = source.engine.execution_options(**{READS_ONLY: True})
    with reading.connect() as connection, to.engine.begin() as copy:
        for table in schema.metadata.sorted_tables:
            copy.execute(table.delete())
            rows = connection.execution_options(yield_per=_ROWS_A_COPY).execute(select(table))
            for part in rows.mappings().partitions(_ROWS_A_COPY):
                copy.execute(insert(table), [dict(row) for row in part])


def write_plan(run: RunContext, path: str) -> None:
    """Append what the run would do to ``path``, a JSON object a line.

    Kinds: ``change`` (mapping, ids, field, side, old, new, outcome; ``old`` is null where the
    field flows one way and was not read), ``link`` (mapping and both ids of records that found each
    other), ``conflict``, ``quarantine``, and one ``summary`` (direction, counts, read_calls,
    write_calls).
    """
    with run.ledger.reader.connect() as connection, Path(path).open("a", encoding="utf-8") as out:
        for kind in ("change", "conflict"):
            table = schema.metadata.tables[kind]
            rows = connection.execute(select(table).where(table.c.run_id == run.run_id))
            for row in rows.mappings():
                _line(out, kind, dict(row))
        table = schema.link
        rows = connection.execute(
            select(table.c.mapping, table.c.salesforce_id, table.c.sweo_id).where(
                table.c.run_id == run.run_id,
                ~table.c.salesforce_id.startswith(PLANNED),
                ~table.c.sweo_id.startswith(PLANNED),
            )
        )
        for row in rows.mappings():
            _line(out, "link", dict(row))
        table = schema.quarantine
        rows = connection.execute(
            select(table).where(table.c.direction == run.direction, table.c.tries == 1)
        )
        for row in rows.mappings():
            _line(out, "quarantine", dict(row))
        dry = run.destination
        _line(
            out,
            "summary",
            {
                "direction": run.direction,
                "counts": run.counts.as_dict(),
                "read_calls": dry.calls(),
                "write_calls": dry.write_calls if isinstance(dry, DryDestination) else 0,
            },
        )


def _line(out: Any, kind: str, row: dict[str, Any]) -> None:
    out.write(json.dumps({"kind": kind, **row}, ensure_ascii=False) + "\n")
