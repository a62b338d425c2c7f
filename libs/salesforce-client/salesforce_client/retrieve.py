"""Rows by id, as they are now: 2,000 ids a collection, five collections a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from salesforce_client.composite import MAX_QUERIES, Part, Subrequest, read_composite
from salesforce_client.connection import Connection
from salesforce_client.errors import Next, RequestRefusedError, meaning_of
from salesforce_client.query import select_by
from salesforce_client.soql import Select
from salesforce_client.transport import ServerTimes

MAX_IDS: Final = 2_000


@dataclass(frozen=True, slots=True)
class Retrieved:
    """A row by id: ``row`` is None where Salesforce answered null (deleted, or no access)."""

    row: dict[str, Any] | None
    times: ServerTimes


def retrieve(
    connection: Connection, sobject: str, ids: Sequence[str], fields: Sequence[str]
) -> dict[str, Retrieved]:
    """Read own fields of rows by id; every id has an entry.

    One field that the user may not see fails the whole call: ``fields`` come from a describe.

    Raises:
        FatalError, RetryLaterError.
    """
    unique = list(dict.fromkeys(ids))
    batches = [unique[start : start + MAX_IDS] for start in range(0, len(unique), MAX_IDS)]
    found: dict[str, Retrieved] = {}
    for start in range(0, len(batches), MAX_QUERIES):
        group = batches[start : start + MAX_QUERIES]
        for batch, rows, times in _ask(connection, sobject, group, list(fields)):
            for record_id, row in zip(batch, rows, strict=True):
                found[record_id] = Retrieved(row, times)
    return found


def _ask(
    connection: Connection, sobject: str, group: list[list[str]], fields: list[str]
) -> list[tuple[list[str], list[dict[str, Any] | None], ServerTimes]]:
    path = f"composite/sobjects/{sobject}"
    bodies = [{"ids": batch, "fields": fields} for batch in group]
    try:
        if len(group) == 1:
            answer = connection.read(path, method="POST", body=bodies[0])
            return [(group[0], answer.body, answer.times)]
        parts = read_composite(connection, [Subrequest("POST", path, body) for body in bodies])
        return [
            (batch, part.checked(), part.times) for batch, part in zip(group, parts, strict=True)
        ]
    except RequestRefusedError as refusal:
        raise refusal.sorted() from None


def deleted_among(
    connection: Connection, sobject: str, ids: Sequence[str], *, has_master: bool
) -> dict[str, str | None]:
    """Which of the rows the recycle bin holds, each with the id of the survivor of a merge.

    ``has_master`` says that the object has MasterRecordId.
    """
    if not ids:
        return {}
    fields = ("Id", "IsDeleted", "MasterRecordId") if has_master else ("Id", "IsDeleted")
    found: dict[str, str | None] = {}
    for page in select_by(connection, Select(sobject, fields, ("IsDeleted = true",)), "Id", ids):
        for row in page.rows:
            found[row["Id"]] = row.get("MasterRecordId")
    return found


def gone_among(connection: Connection, sobject: str, ids: Sequence[str]) -> dict[str, str]:
    """Which of the rows a GET by id calls deleted or not there, each with the code; 25 a call.

    ``ENTITY_IS_DELETED`` is certain. ``NOT_FOUND`` is said of rows that were purged long ago, and
    of rows that sharing hides.
    """
    gone: dict[str, str] = {}
    for start in range(0, len(ids), 25):
        batch = ids[start : start + 25]
        parts: list[Part] = read_composite(
            connection,
            [Subrequest("GET", f"sobjects/{sobject}/{record_id}?fields=Id") for record_id in batch],
        )
        for record_id, part in zip(batch, parts, strict=True):
            refusal = part.refusal
            if refusal is None:
                continue
            if refusal.status == 404 or (
                refusal.errors and meaning_of(refusal.code).next is Next.GONE
            ):
                gone[record_id] = refusal.code
    return gone
