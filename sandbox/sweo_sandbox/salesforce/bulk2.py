"""Bulk API 2.0: ``jobs/query`` and ``jobs/ingest``.

Jobs are complete at the first look unless the settings give them a duration; clients sleep for
seconds between looks.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import errors, ids, queries
from .bulk_jobs import DELIMITERS, LINE_ENDINGS, OPERATIONS, BulkJob, JobKind
from .errors import SalesforceError
from .queries import QueryCursor
from .web import Request, Response, Router

if TYPE_CHECKING:
    from .org import Org

router = Router()
_LARGEST_UPLOAD_BYTES = 150_000_000
_CSV = "text/csv"


@router.route("POST", "/jobs/query", kind="read")
def create_query(org: Org, request: Request) -> Response:
    """Start a query."""
    body = request.json_object()
    operation = body.get("operation")
    if operation not in ("query", "queryAll"):
        raise _invalid_job(f"Operation '{operation}' is not a legal query operation")
    soql = body.get("query")
    if not isinstance(soql, str) or not soql.strip():
        raise _invalid_job("No query is provided")
    compiled = queries.compiled(org, soql, request.user_id, include_deleted=operation == "queryAll")
    if compiled.has_compound:
        raise SalesforceError(
            "INVALIDENTITY", "Selecting compound data not supported in Bulk Query"
        )
    if (
        compiled.has_child_queries
        or compiled.has_typeof
        or compiled.is_count
        or compiled.is_aggregate
    ):
        raise SalesforceError(
            "INVALIDENTITY", f"{_refused(compiled)} is not supported by the Bulk API"
        )
    job = _new_job(org, request, body, "query", compiled.sobject)
    job.soql = soql
    job.include_deleted = operation == "queryAll"
    delimiter, ending = DELIMITERS[job.delimiter], LINE_ENDINGS[job.line_ending]
    job.cursor = QueryCursor(org, compiled, compiled.csv_sql(delimiter, ending))
    job.processed = job.cursor.total
    job.state = "UploadComplete"
    job.finishes_ms = org.clock.now_ms() + round(org.settings.bulk_seconds * 1000)
    return Response(job.view(org))


@router.route("GET", "/jobs/query")
def list_queries(org: Org, request: Request) -> Response:
    """Every query job."""
    return _listing(org, "query")


@router.route("GET", "/jobs/query/{job_id}")
def query_job(org: Org, request: Request, job_id: str) -> Response:
    """How a query stands."""
    return Response(_job(org, job_id, "query").view(org))


@router.route("PATCH", "/jobs/query/{job_id}", kind="read")
def abort_query(org: Org, request: Request, job_id: str) -> Response:
    """Stop a query."""
    job = _job(org, job_id, "query")
    if request.json_object().get("state") != "Aborted":
        raise _invalid_job("Only Aborted can be set on a query job")
    if job.state in ("JobComplete", "Failed"):
        raise SalesforceError("INVALIDJOBSTATE", f"Aborting already {job.state} Job not allowed")
    job.state = "Aborted"
    return Response(job.view(org))


@router.route("DELETE", "/jobs/query/{job_id}", kind="read")
def delete_query(org: Org, request: Request, job_id: str) -> Response:
    """Forget a query and its results: 204."""
    job = _job(org, job_id, "query")
    if job.cursor:
        job.cursor.close()
    del org.jobs[job.id]
    return Response(None, 204)


@router.route("GET", "/jobs/query/{job_id}/results")
def query_results(org: Org, request: Request, job_id: str) -> Response:
    """One page of CSV; ``Sforce-Locator`` names the next, or is ``null``."""
    job = _job(org, job_id, "query")
    if job.version != request.version:
        raise SalesforceError(
            "API_VERSION_MISMATCH", "The API version must be the one the job was created with", 409
        )
    if job.state != "JobComplete" or job.cursor is None:
        raise SalesforceError("INVALIDJOBSTATE", f"Job is not complete. Job state: {job.state}")
    offset = _offset(request.query.get("locator"))
    most = request.query.get("maxRecords")
    if most is not None and (not most.isdigit() or int(most) < 1):
        raise SalesforceError("INVALIDREQUEST", f"maxRecords is invalid: {most}")
    size = min(int(most or org.settings.bulk_page_rows), 250_000)
    rows = job.cursor.page(offset, size)
    end = offset + len(rows)
    compiled = job.cursor.query
    delimiter, ending = DELIMITERS[job.delimiter], LINE_ENDINGS[job.line_ending]
    text = compiled.csv_header(delimiter, ending) + "".join([row[0] for row in rows])
    locator = "null" if end >= job.processed or not rows else ids.to_locator(end)
    return Response(
        text.encode(),
        headers={"Sforce-Locator": locator, "Sforce-NumberOfRecords": str(len(rows))},
        content_type=_CSV,
    )


@router.route("POST", "/jobs/ingest", kind="write")
def create_ingest(org: Org, request: Request) -> Response:
    """Open a job for rows to be written."""
    body = request.json_object()
    operation = body.get("operation")
    if operation not in OPERATIONS:
        raise _invalid_job(f"Operation '{operation}' is not a legal ingest operation")
    name = body.get("object")
    sobject = org.schema.sobject(name) if isinstance(name, str) else None
    if sobject is None or not org.security.may(request.user_id, sobject.name, "read"):
        raise SalesforceError("INVALIDENTITY", f"Unable to find object: {name}")
    external = body.get("externalIdFieldName")
    if operation == "upsert":
        key = sobject.field_named(external) if isinstance(external, str) else None
        visible = org.security.visible(request.user_id)
        usable = key is not None and (key.external_id or key.id_lookup or key.name == "Id")
        if key is None or not usable or not visible(sobject.name, key.name):
            raise _invalid_job(f"Invalid external id field name: {external}")
        external = key.name
    elif external is not None:
        raise _invalid_job("externalIdFieldName is for upsert only")
    job = _new_job(org, request, body, "ingest", sobject.name)
    job.external_id_field = external
    return Response(job.view(org))


@router.route("GET", "/jobs/ingest")
def list_ingests(org: Org, request: Request) -> Response:
    """Every ingest job."""
    return _listing(org, "ingest")


@router.route("PUT", "/jobs/ingest/{job_id}/batches", kind="write")
def upload(org: Org, request: Request, job_id: str) -> Response:
    """Take the rows: 201. One upload per job."""
    job = _job(org, job_id, "ingest")
    if job.state != "Open":
        raise SalesforceError("INVALIDJOBSTATE", f"Job is not open. Job state: {job.state}")
    if job.data:
        raise SalesforceError(
            "INVALIDJOBSTATE", "Found multiple contents for job: only one upload is allowed"
        )
    if not request.headers.get("content-type", _CSV).lower().startswith(_CSV):
        raise SalesforceError("INVALIDREQUEST", "Content-Type must be text/csv", 415)
    job.data = unzipped(request)
    if len(job.data) > _LARGEST_UPLOAD_BYTES:
        job.data = b""
        raise SalesforceError("REQUEST_TOO_LARGE", "The request entity is too large", 413)
    return Response(None, 201)


@router.route("PATCH", "/jobs/ingest/{job_id}", kind="write")
def change_ingest(org: Org, request: Request, job_id: str) -> Response:
    """``UploadComplete`` writes the rows; ``Aborted`` drops them."""
    job = _job(org, job_id, "ingest")
    state = request.json_object().get("state")
    if state == "UploadComplete" and job.state == "Open":
        job.state = "UploadComplete"
        job.finishes_ms = org.clock.now_ms() + round(org.settings.bulk_seconds * 1000)
        job.modified_ms = org.clock.now_ms()
        view = job.view(org)
        job.run_ingest(org, replace(request.write_context(), from_csv=True))
        return Response(view)
    if state == "Aborted" and job.state == "Open":
        job.state = "Aborted"
        return Response(job.view(org))
    raise SalesforceError("INVALIDJOBSTATE", f"Job in state {job.state} cannot become {state}")


@router.route("GET", "/jobs/ingest/{job_id}")
def ingest_job(org: Org, request: Request, job_id: str) -> Response:
    """How a job stands."""
    return Response(_job(org, job_id, "ingest").view(org))


@router.route("DELETE", "/jobs/ingest/{job_id}", kind="write")
def delete_ingest(org: Org, request: Request, job_id: str) -> Response:
    """Forget a job and its results: 204."""
    job = _job(org, job_id, "ingest")
    if job.state not in ("JobComplete", "Failed", "Aborted"):
        raise SalesforceError("INVALIDJOBSTATE", f"Job in state {job.state} cannot be deleted")
    del org.jobs[job.id]
    return Response(None, 204)


@router.route("GET", "/jobs/ingest/{job_id}/{which}")
def ingest_results(org: Org, request: Request, job_id: str, which: str) -> Response:
    """``successfulResults``, ``failedResults`` or ``unprocessedrecords``."""
    job = _job(org, job_id, "ingest")
    name = which.lower()
    if name not in ("successfulresults", "failedresults", "unprocessedrecords"):
        raise errors.not_found()
    if job.state not in ("JobComplete", "Failed", "Aborted"):
        raise SalesforceError("INVALIDJOBSTATE", f"Job is not complete. Job state: {job.state}")
    return Response(b"".join(job.result_csv(name)), content_type=_CSV)


def unzipped(request: Request) -> bytes:
    """The body, unzipped if it says so.

    Raises:
        SalesforceError: it is not what ``Content-Encoding`` says.
    """
    if request.headers.get("content-encoding", "").lower() != "gzip":
        return request.body
    try:
        return gzip.decompress(request.body)
    except (OSError, EOFError, zlib.error):
        raise SalesforceError("INVALIDREQUEST", "The body is not gzip") from None


def _new_job(
    org: Org, request: Request, body: dict[str, Any], kind: JobKind, sobject: str
) -> BulkJob:
    content_type = body.get("contentType", "CSV")
    delimiter, ending = body.get("columnDelimiter", "COMMA"), body.get("lineEnding", "LF")
    if content_type != "CSV":
        raise _invalid_job(f"ContentType {content_type} is not supported")
    if not isinstance(delimiter, str) or delimiter not in DELIMITERS:
        raise _invalid_job(f"ColumnDelimiter {delimiter} is not supported")
    if not isinstance(ending, str) or ending not in LINE_ENDINGS:
        raise _invalid_job(f"LineEnding {ending} is not supported")
    with org.store.transaction():
        job_id = org.store.next_id("750", "AsyncApexJob")
    now_ms = org.clock.now_ms()
    job = BulkJob(
        job_id,
        kind,
        str(body["operation"]),
        sobject,
        request.user_id,
        request.version,
        now_ms,
        delimiter=delimiter,
        line_ending=ending,
    )
    org.jobs[job_id] = job
    return job


def _job(org: Org, job_id: str, kind: JobKind) -> BulkJob:
    job = org.jobs.get(ids.to_18(job_id) or "")
    if job is None or job.kind != kind:
        raise SalesforceError("NOT_FOUND", "Unable to find the resource: job", 404)
    job.settle(org.clock.now_ms())
    return job


def _listing(org: Org, kind: JobKind) -> Response:
    records = []
    for job in org.jobs.values():
        if job.kind == kind:
            job.settle(org.clock.now_ms())
            records.append(job.view(org))
    return Response({"done": True, "nextRecordsUrl": None, "records": records})


def _offset(locator: str | None) -> int:
    if locator is None:
        return 0
    offset = ids.from_locator(locator)
    if offset is None:
        raise SalesforceError("INVALIDREQUEST", f"Invalid locator: {locator}")
    return offset


def _refused(compiled: Any) -> str:
    if compiled.has_child_queries:
        return "Nested query"
    if compiled.has_typeof:
        return "TYPEOF"
    return "Aggregate Relationships not supported in Bulk Query: this query"


def _invalid_job(message: str) -> SalesforceError:
    return SalesforceError("INVALIDJOB", message)
