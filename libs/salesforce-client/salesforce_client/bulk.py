"""Bulk API 2.0: queries whose results are read by locator, and updates by CSV."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from crosswalk.errors import RetryLaterError, SyncError, UnknownOutcomeError
from crosswalk.values import Raw

from salesforce_client.connection import Answer, Connection, NotSentError
from salesforce_client.errors import RequestRefusedError, VendorError
from salesforce_client.query import BULK_PAGE_ROWS
from salesforce_client.rows import RowResult, RowState, RowUpdate, state_of
from salesforce_client.soql import Select

FIRST_POLL_SECONDS: Final = 2.0
LAST_POLL_SECONDS: Final = 60.0
LONGEST_WAIT_SECONDS: Final = 3_600.0
_INGEST_CALLS: Final = 6  # create, upload, close, a poll, successful and failed results
_INGEST_BYTES: Final = 100_000_000  # Salesforce's limit for the CSV of one job
_REST_ROWS_PER_CALL: Final = 1_000
_NULL: Final = "#N/A"  # an empty cell means unchanged
_RUNNING: Final = frozenset({"UploadComplete", "InProgress"})

csv.field_size_limit(1 << 24)  # a long text area holds 131,072 characters, Python's default limit


@dataclass(frozen=True, slots=True)
class BulkPage:
    """Part of a job's results. ``locator`` names the next part, None after the last."""

    rows: Iterator[dict[str, str]]
    locator: str | None


def start_query(connection: Connection, select: Select) -> str:
    """Start a query job, deleted rows included, and give its id; results live seven days.

    A job that nobody reads costs nothing but a place among the day's 10,000, so a lost answer
    is simply asked again.
    """
    body = {
        "operation": "queryAll",
        "query": select.unordered().text(),
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
    }
    try:
        answer = connection.read("jobs/query", method="POST", body=body)
    except RequestRefusedError as refusal:
        raise refusal.sorted() from None
    return str(answer.body["id"])


def wait_for(
    connection: Connection, path: str, *, first_poll_seconds: float = FIRST_POLL_SECONDS
) -> Mapping[str, Any]:
    """Poll a job (``jobs/query/<id>``, ``jobs/ingest/<id>``) until it has ended well.

    Raises:
        RetryLaterError: the job failed, was aborted or never closed, or runs for over an hour.
        RequestRefusedError: there is no such job (any more).
    """
    pause = first_poll_seconds
    until = time.monotonic() + LONGEST_WAIT_SECONDS
    while True:
        time.sleep(pause)
        body: Mapping[str, Any] = connection.read(path).body
        if body["state"] not in _RUNNING or time.monotonic() > until:
            break
        pause = min(max(pause, 0.1) * 2, LAST_POLL_SECONDS)
    if body["state"] != "JobComplete":
        # errorMessage is Salesforce's own sentence and may quote the query, not values
        reason = str(body.get("errorMessage") or "no reason given").partition(":")[0]
        raise RetryLaterError(f"Salesforce ended a Bulk job as {body['state']} ({reason}).")
    return body


def query_results(
    connection: Connection, job_id: str, locator: str | None = None
) -> Iterator[BulkPage]:
    """The results of a finished query job, from ``locator`` on, 25,000 rows a call.

    Raises:
        RequestRefusedError: there is no such job (any more).
    """
    while True:
        params = {"maxRecords": str(BULK_PAGE_ROWS)}
        if locator:
            params["locator"] = locator
        answer = connection.read(
            f"jobs/query/{job_id}/results", params=params, headers={"Accept": "text/csv"}
        )
        following = answer.headers.get("Sforce-Locator")
        # The literal "null" marks the last page; a server that leaves it out means the same.
        locator = None if following in (None, "", "null") else following
        yield BulkPage(_csv_rows(answer), locator)
        if locator is None:
            return


def typed(salesforce_type: str) -> Callable[[str], object]:
    """A function that turns a CSV cell into what REST would have sent."""
    if salesforce_type == "boolean":
        return lambda cell: cell == "true" if cell else None
    if salesforce_type == "int":
        return lambda cell: int(float(cell)) if cell else None
    if salesforce_type in ("double", "currency", "percent"):
        return lambda cell: float(cell) if cell else None
    return lambda cell: cell or None


def takes_bulk_ingest(row_count: int) -> bool:
    """Whether an update takes fewer calls as a Bulk job than as collections, 1,000 a call."""
    return ceil(row_count / _REST_ROWS_PER_CALL) > _INGEST_CALLS


def ingest_update(
    connection: Connection,
    sobject: str,
    rows: Sequence[RowUpdate],
    *,
    parent_field: str | None = None,
    first_poll_seconds: float = FIRST_POLL_SECONDS,
) -> list[RowResult]:
    """Set fields of existing rows by one ingest job; one result each, in order.

    Rows go sorted by parent, so that rows that lock the same parent share a chunk. A row is
    ``NOT_SENT`` where a text reads ``#N/A`` (it would mean null) or is empty.

    Raises:
        FatalError: no row is to blame.
    """
    results = [RowResult(RowState.NOT_SENT, row.id) for row in rows]
    columns = list(dict.fromkeys(name for row in rows for name in row.values))
    carried = [place for place, row in enumerate(rows) if _fits_csv(row)]
    carried.sort(key=lambda i: (str(rows[i].values.get(parent_field or "") or ""), rows[i].id))
    content = _csv(columns, [rows[place] for place in carried])
    if not carried or len(content) > _INGEST_BYTES:
        return results
    by_id = {rows[place].id: place for place in carried}
    job = f"jobs/ingest/{_open_ingest(connection, sobject)}"
    try:
        _upload(connection, job, content)
    except (NotSentError, RequestRefusedError, _NotUploadedError):
        return results
    except UnknownOutcomeError:
        pass  # the poll tells whether the job was closed
    try:
        told = wait_for(connection, job, first_poll_seconds=first_poll_seconds)
        _read_results(connection, job, told, results, by_id)
    except (RetryLaterError, RequestRefusedError):
        # The job was closed: what it did is unknown for every row that has no result yet.
        for place in carried:
            if results[place].state is RowState.NOT_SENT and results[place].error is None:
                results[place] = RowResult(RowState.LOST, rows[place].id)
    return results


class _NotUploadedError(SyncError):
    """The job was never closed, so that it never runs."""


def _upload(connection: Connection, job: str, content: bytes) -> None:
    try:
        connection.write(
            "PUT", f"{job}/batches", content=content, headers={"Content-Type": "text/csv"}
        )
    except UnknownOutcomeError:
        raise _NotUploadedError from None
    connection.write("PATCH", job, body={"state": "UploadComplete"})


def _fits_csv(row: RowUpdate) -> bool:
    return not any(value in (_NULL, "") for value in row.values.values())


def _open_ingest(connection: Connection, sobject: str) -> str:
    body = {
        "object": sobject,
        "operation": "update",
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
    }
    try:
        # A job that is opened and never closed changes nothing.
        return str(connection.read("jobs/ingest", method="POST", body=body).body["id"])
    except RequestRefusedError as refusal:
        raise refusal.sorted() from None


def _read_results(
    connection: Connection,
    job: str,
    told: Mapping[str, Any],
    results: list[RowResult],
    by_id: Mapping[str, int],
) -> None:
    """Fill in what the job did; failed rows are fetched only where the counts name some."""
    failed = int(told.get("numberRecordsFailed") or 0)
    answer = connection.read(f"{job}/successfulResults", headers={"Accept": "text/csv"})
    for line in _csv_rows(answer):
        record_id = line.get("Id") or line["sf__Id"]
        results[by_id[record_id]] = RowResult(
            RowState.DONE, record_id, None, answer.times.answered_at
        )
    if failed:
        answer = connection.read(f"{job}/failedResults", headers={"Accept": "text/csv"})
        for line in _csv_rows(answer):
            record_id = line.get("Id") or line["sf__Id"]
            error = _ingest_error(line.get("sf__Error", ""))
            results[by_id[record_id]] = RowResult(
                state_of(error), record_id, error, answer.times.answered_at
            )


def _ingest_error(text: str) -> VendorError:
    """``CODE:message:fields --`` as the CSV of failed rows spells an error."""
    code, _, rest = text.partition(":")
    message, _, fields = rest.rpartition(":")
    names = tuple(name for name in fields.removesuffix("--").split() if name)
    return VendorError(code or "UNKNOWN_EXCEPTION", message, names)


def _csv(columns: Sequence[str], rows: Sequence[RowUpdate]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["Id", *columns])
    for row in rows:
        writer.writerow(
            [row.id, *(_cell(row.values[c]) if c in row.values else "" for c in columns)]
        )
    return text.getvalue().encode()


def _cell(value: Raw) -> str:
    if value is None:
        return _NULL
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _csv_rows(answer: Answer) -> Iterator[dict[str, str]]:
    text = io.TextIOWrapper(io.BytesIO(answer.content), encoding="utf-8", newline="")
    return iter(csv.DictReader(text))
