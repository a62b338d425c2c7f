"""Where a read begins: SOQL conditions from a bookmark.

A bookmark holds ``watermark`` (the server's time at the start of the last read that reached its
end), and while a read is under way ``began`` (its own start) and ``at`` (the last row let out).
A read that was cut off goes on behind ``at``; when it ends, its first ``began`` becomes the
watermark, so that the overlap still covers rows that were committed late during the first try.

A full check has no watermark. Behind its rows it looks for linked ones that did not come by;
``linked`` is its cursor among them.
"""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from datetime import timedelta
from typing import Any, Final

from salesforce_client.times import iso_z, parse_time

from tap_salesforce.plan import Plan

LINKED: Final = "linked"


def since(bookmark: MappingOf[str, Any], overlap_minutes: int) -> str | None:
    """The time from which changes are wanted; None for everything."""
    watermark = bookmark.get("watermark")
    if not watermark:
        return None
    return iso_z(parse_time(watermark) - timedelta(minutes=overlap_minutes))


def changed_where(bookmark: MappingOf[str, Any], overlap_minutes: int) -> tuple[str, ...]:
    """The condition that finds the rows which are still to be read."""
    at = bookmark.get("at")
    if at:
        moment, record_id = at["modified"], at["id"]
        return (
            f"(SystemModstamp > {moment} OR (SystemModstamp = {moment} AND Id > '{record_id}'))",
        )
    start = since(bookmark, overlap_minutes)
    return (f"SystemModstamp >= {start}",) if start else ()


def related_wheres(plan: Plan, start: str) -> list[str]:
    """One condition for each record that dotted names pass: rows whose relative changed.

    A change of ``Owner.Email`` does not move the row's own SystemModstamp. Users are compared
    by LastModifiedDate, for a login moves their SystemModstamp.
    """
    found: dict[str, None] = {}
    for column in plan.related:
        for depth in range(1, len(column.lookups) + 1):
            lookup, sobject = column.lookups[0]
            stamp = (
                "LastModifiedDate" if column.lookups[depth - 1][1] == "User" else "SystemModstamp"
            )
            inner = ".".join([*column.path[1:depth], stamp])
            changed = " ".join(["SELECT Id FROM", sobject, "WHERE", inner, ">=", start])
            found[f"{lookup} IN ({changed})"] = None
    return list(found)
