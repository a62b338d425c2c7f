"""Records as they come from the mapper."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from crosswalk.values import Canonical
from crosswalk.wire import MATCH, PARENT, REFUSED, SOURCE

Record = dict[str, Any]


@dataclass(slots=True)
class Incoming:
    """One record of X, with every visit that it serves.

    ``values`` are canonical by field name on Y. ``parent`` is (mapping, source id or None), or
    None as a whole where the mapping has no parent or the lookup was not read.
    """

    id: str
    values: dict[str, Canonical]
    refused: dict[str, str]
    keys: list[str | None]
    parent: tuple[str, str | None] | None
    modified_at: str
    read_at: str
    digest: bytes
    modified_by: str | None = None
    deleted: bool = False
    outside: bool = False
    merged_into: str | None = None
    becomes: str | None = None
    backfill: bool = False
    revisit: list[int] = field(default_factory=list)


def newest_of_each(records: Iterable[Record]) -> list[Record]:
    """One record per id: the freshest reading, carrying every revisit number of the others.

    A batch may hold a record twice: as changed and as revisited. ``_source`` stays in place.
    """
    kept: dict[str, Record] = {}
    for record in records:
        source = record[SOURCE]
        former = kept.get(source["id"])
        if former is None:
            kept[source["id"]] = record
            continue
        newer, older = (
            (record, former) if source["read_at"] >= former[SOURCE]["read_at"] else (former, record)
        )
        numbers = newer[SOURCE].get("revisit", []) + older[SOURCE].get("revisit", [])
        if numbers:
            newer[SOURCE]["revisit"] = numbers
        kept[source["id"]] = newer
    return list(kept.values())


def unpack(record: Record, digest: bytes) -> Incoming:
    """Take a record apart. ``_source`` must already be out of what ``digest`` covers."""
    source = record.pop(SOURCE)
    parent = record.pop(PARENT, None)
    refused = record.pop(REFUSED, {})
    keys = record.pop(MATCH, [])
    return Incoming(
        id=source["id"],
        values=record,
        refused=refused,
        keys=keys,
        parent=(parent["mapping"], parent["source_id"]) if parent else None,
        modified_at=source["modified_at"],
        read_at=source["read_at"],
        digest=digest,
        modified_by=source.get("modified_by"),
        deleted=source.get("deleted", False),
        outside=source.get("outside", False),
        merged_into=source.get("merged_into"),
        becomes=source.get("becomes"),
        backfill=source.get("backfill", False),
        revisit=source.get("revisit", []),
    )
