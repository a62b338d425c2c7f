"""Rows as Salesforce gives them, made into the records that leave the tap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from crosswalk.wire import SOURCE
from salesforce_client.bulk import typed
from salesforce_client.connection import Connection
from salesforce_client.query import Page, flattener
from salesforce_client.retrieve import retrieve
from salesforce_client.times import normalised
from salesforce_client.transport import ServerTimes

from tap_salesforce.plan import CONVERTED_CONTACT, Plan

Record = dict[str, Any]


class RecordMaker:
    """Makes records of one mapping's rows, whichever API they come through."""

    def __init__(self, plan: Plan) -> None:
        self._flat = flattener(plan.paths)
        self._cells = [
            (name, ".".join(column.path), typed(column.type.type))
            for name, column in plan.columns.items()
        ]

    def record(
        self,
        row: dict[str, Any],
        times: ServerTimes,
        *,
        revisit: Sequence[int] = (),
        backfill: bool = False,
    ) -> Record:
        """A record of a REST row; ``_source`` is last."""
        record = self._flat(row)
        record[SOURCE] = _source(row, times, row.get("IsDeleted") is True, revisit, backfill)
        return record

    def record_of_csv(
        self, row: dict[str, str], times: ServerTimes, *, revisit: Sequence[int] = ()
    ) -> Record:
        """A record of a Bulk row, its cells typed as REST would have sent them."""
        record: Record = {
            name: convert(row[header]) for name, header, convert in self._cells if header in row
        }
        deleted = row.get("IsDeleted") == "true"
        record[SOURCE] = _source(row, times, deleted, revisit, backfill=False)
        return record


def gone_record(
    record_id: str,
    times: ServerTimes,
    revisit: Sequence[int],
    *,
    merged_into: str | None = None,
    outside: bool = False,
) -> Record:
    """The record of a row that is deleted for good: nothing but where it stood. ``outside`` says
    that the filter left it out by then.
    """
    source = _bare(record_id, times, revisit) | {"deleted": True}
    if outside:
        source["outside"] = True
    if merged_into:
        source["merged_into"] = merged_into
    return {SOURCE: source}


def outside_record(record_id: str, times: ServerTimes, revisit: Sequence[int]) -> Record:
    """The record of a row that is there and that the filter leaves out: nothing of its fields."""
    return {SOURCE: _bare(record_id, times, revisit) | {"outside": True}}


def _bare(record_id: str, times: ServerTimes, revisit: Sequence[int]) -> Record:
    source: Record = {
        "id": record_id,
        "modified_at": times.started_at,
        "read_at": times.started_at,
    }
    if revisit:
        source["revisit"] = list(revisit)
    return source


def completed(
    connection: Connection, sobject: str, page: Page, rest: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """A page's rows with the fields that did not fit into the query's URL, read by id."""
    if not rest:
        yield from page.rows
        return
    ids = [row["Id"] for row in page.rows if not row.get("IsDeleted")]
    extra = retrieve(connection, sobject, ids, rest) if ids else {}
    for row in page.rows:
        more = extra.get(row["Id"])
        yield {**more.row, **row} if more and more.row else row


def _source(
    row: dict[str, Any],
    times: ServerTimes,
    deleted: bool,
    revisit: Sequence[int],
    backfill: bool,
) -> Record:
    modified = row.get("LastModifiedDate") or row["SystemModstamp"]
    source: Record = {
        "id": row["Id"],
        "modified_at": normalised(modified),
        "read_at": times.started_at,
    }
    if deleted:
        source["deleted"] = True
    if revisit:
        source["revisit"] = list(revisit)
    if backfill:
        source["backfill"] = True
    modified_by = row.get("LastModifiedById")
    if modified_by:
        source["modified_by"] = modified_by
    survivor = row.get("MasterRecordId")
    if survivor:
        source["merged_into"] = survivor
    contact = row.get(CONVERTED_CONTACT)
    if contact and not deleted:
        source["becomes"] = contact
    return source
