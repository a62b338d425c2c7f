"""Rows that the tap's queries do not show: deleted ones, and those that the filter leaves out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from crosswalk.mapping import Mapping, OnDelete
from salesforce_client.conditions import where_of
from salesforce_client.connection import Connection
from salesforce_client.query import select_by
from salesforce_client.retrieve import deleted_among
from salesforce_client.soql import Select
from salesforce_client.transport import ServerTimes

from tap_salesforce.plan import Plan
from tap_salesforce.records import Record, gone_record, outside_record

Met = Callable[[str], list[int]]
"""Notes that a row came by and gives the numbers of its revisit entries."""


def gone_rows(
    connection: Connection,
    mapping: Mapping,
    plan: Plan,
    ids: Sequence[str],
    times: ServerTimes,
    met: Met,
) -> Iterator[Record]:
    """Deleted rows that no query showed.

    Behind a filter they were left out by then, unless they lie in the recycle bin and satisfy it;
    and only the bin tells with what they were merged.
    """
    survivors: dict[str, str | None] = {}
    inside = set(ids)
    if plan.only and ids:
        merges = "MasterRecordId" in plan.system
        survivors = deleted_among(connection, mapping.salesforce, ids, has_master=merges)
        inside = set()
        if survivors and mapping.on_delete is not OnDelete.UNLINK:
            select = Select(mapping.salesforce, ("Id",), (where_of(plan.only),))
            for page in select_by(connection, select, "Id", sorted(survivors)):
                inside.update(row["Id"] for row in page.rows)
    for record_id in ids:
        yield gone_record(
            record_id,
            times,
            met(record_id),
            merged_into=survivors.get(record_id),
            outside=record_id not in inside,
        )


def left_out_rows(
    connection: Connection, mapping: Mapping, plan: Plan, ids: Sequence[str], met: Met
) -> Iterator[Record]:
    """Rows to be read again that are there, outside of the filter; deleted ones as well."""
    select = plan.select_system(mapping.salesforce)
    for page in select_by(connection, select, "Id", ids):
        for row in page.rows:
            numbers = met(row["Id"])
            if row.get("IsDeleted"):
                survivor = row.get("MasterRecordId")
                yield gone_record(
                    row["Id"], page.times, numbers, merged_into=survivor, outside=True
                )
            else:
                yield outside_record(row["Id"], page.times, numbers)
