"""``sobjects``: describe, rows by id and by external id, updated and deleted; limits; recent."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from . import describe, errors, ids, queries, values
from .errors import SalesforceError
from .queries import QueryCursor
from .schema import SObjectField, SObjectType
from .web import Request, Response, Router, http_date, sobject_named
from .writes import Written, precondition_failed

if TYPE_CHECKING:
    from .org import Org
    from .store import Row

router = Router()
_DAY_MS = 86_400_000
_COMPOSITE_TYPES = frozenset({"address", "location"})


@router.route("GET", "/sobjects")
def sobjects(org: Org, request: Request) -> Response:
    """The global describe; conditional, as an object's describe is."""
    headers = _describe_headers(org, request)
    if _is_known(org, request, headers["ETag"]):
        return Response(None, 304, headers)
    allowed = org.security.allowed(request.user_id)
    body = describe.describe_global(org.schema, request.version, allowed)
    return Response(body, headers=headers)


@router.route("GET", "/sobjects/{sobject}")
def sobject_basic(org: Org, request: Request, sobject: str) -> Response:
    """What the object is, and recent records (this user views none)."""
    known = sobject_named(org, request, sobject)
    allowed = org.security.allowed(request.user_id)
    brief = describe.describe_brief(known, request.version, allowed)
    return Response({"objectDescribe": brief, "recentItems": []})


@router.route("GET", "/sobjects/{sobject}/describe")
def sobject_describe(org: Org, request: Request, sobject: str) -> Response:
    """The full describe; 304 if nothing has changed since ``If-Modified-Since`` or the ETag."""
    known = sobject_named(org, request, sobject)
    headers = _describe_headers(org, request)
    if _is_known(org, request, headers["ETag"]):
        return Response(None, 304, headers)
    body = describe.describe_sobject(
        known,
        request.version,
        visible=org.security.visible(request.user_id),
        editable=org.security.editable(request.user_id),
        allowed=org.security.allowed(request.user_id),
        instance_url=org.settings.instance_url or request.base_url,
    )
    return Response(body, headers=headers)


def _describe_headers(org: Org, request: Request) -> dict[str, str]:
    changed_ms = org.schema_changed_ms
    shown = f"{org.organization_id}{request.user_id}{changed_ms}"
    tag = hashlib.sha256(shown.encode()).hexdigest()[:8]
    return {"ETag": f'"{tag}"', "Last-Modified": http_date(changed_ms)}


def _is_known(org: Org, request: Request, tag: str) -> bool:
    """Whether the client holds this describe already; an ETag goes before a date."""
    held = request.headers.get("if-none-match")
    if held is not None:
        tags = [each.strip().replace("--gzip", "") for each in held.split(",")]
        return tag in tags or "*" in tags
    since = request.header_time_ms("if-modified-since")
    return since is not None and org.schema_changed_ms <= since


@router.route("POST", "/sobjects/{sobject}")
def create(org: Org, request: Request, sobject: str) -> Response:
    """Make a record: 201."""
    known = sobject_named(org, request, sobject)
    body = request.json_object()
    if any(name.lower() == "id" and value for name, value in body.items()):
        raise SalesforceError(
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "cannot specify Id in an insert call",
            400,
            ["Id"],
        )
    body = {name: value for name, value in body.items() if name.lower() != "id"}
    written = org.writer.create(known, body, request.write_context())
    return _created(request, known, written)


@router.route("GET", "/sobjects/{sobject}/{record_id}")
def read(org: Org, request: Request, sobject: str, record_id: str) -> Response:
    """A record by id, with all fields or those in ``fields``."""
    known = sobject_named(org, request, sobject)
    row = org.writer.live_row(known, _row_id(known, record_id))
    return _row_answer(org, request, known, row)


@router.route("PATCH", "/sobjects/{sobject}/{record_id}")
def update(org: Org, request: Request, sobject: str, record_id: str) -> Response:
    """Change a record: 204; 412 if it has changed since ``If-Unmodified-Since``."""
    known = sobject_named(org, request, sobject)
    full_id = _row_id(known, record_id)
    body = request.json_object()
    if any(name.lower() == "id" for name in body):
        raise SalesforceError(
            "INVALID_FIELD", "The Id field should not be specified in the sobject data.", 400
        )
    with org.store.transaction():
        if "if-match" in request.headers or "if-none-match" in request.headers:
            _check_etag(request, known, org.writer.live_row(known, full_id))
        org.writer.update(
            known,
            full_id,
            body,
            request.write_context(),
            unmodified_since_ms=request.header_time_ms("if-unmodified-since"),
        )
    return Response(None, 204)


@router.route("DELETE", "/sobjects/{sobject}/{record_id}")
def delete(org: Org, request: Request, sobject: str, record_id: str) -> Response:
    """Put a record into the recycle bin: 204."""
    known = sobject_named(org, request, sobject)
    org.writer.delete(known, _row_id(known, record_id), request.write_context())
    return Response(None, 204)


@router.route("GET", "/sobjects/{sobject}/{field}/{value}")
def read_by_key(org: Org, request: Request, sobject: str, field: str, value: str) -> Response:
    """A record by external id; 300 with the records' URLs if several hold it."""
    known = sobject_named(org, request, sobject)
    key = _key(org, request, known, field)
    if key.name == "Id":
        return read(org, request, sobject, value)
    found = org.writer.find(known, key, values.coerce(key, value))
    if not found:
        raise errors.not_found()
    if len(found) > 1:
        return _choices(request, known, found)
    return _row_answer(org, request, known, org.writer.live_row(known, found[0]))


@router.route("PATCH POST", "/sobjects/{sobject}/{field}/{value}")
def upsert(org: Org, request: Request, sobject: str, field: str, value: str) -> Response:
    """Upsert by external id: 201 or 200 with ``created`` (204 before v46), 300 if ambiguous."""
    known = sobject_named(org, request, sobject)
    key = _key(org, request, known, field)
    if key.name == "Id":
        return update(org, request, sobject, value)
    body = request.json_object()
    if any(name.lower() == key.name.lower() for name in body):
        raise SalesforceError(
            "INVALID_FIELD",
            f"The {key.name} field should not be specified in the sobject data.",
            400,
        )
    try:
        written = org.writer.upsert(
            known,
            key,
            value,
            body,
            request.write_context(),
            update_only=request.query.get("updateOnly", "").lower() == "true",
        )
    except SalesforceError as error:
        if error.status == 300:
            return _choices(request, known, error.extra["ids"])
        raise
    if written.created:
        return _created(request, known, written, upserted=True)
    if float(request.version) < 46:
        return Response(None, 204)
    return Response({"id": written.id, "success": True, "errors": [], "created": False}, 200)


@router.route("DELETE", "/sobjects/{sobject}/{field}/{value}")
def delete_by_key(org: Org, request: Request, sobject: str, field: str, value: str) -> Response:
    """Delete by external id."""
    known = sobject_named(org, request, sobject)
    key = _key(org, request, known, field)
    if key.name == "Id":
        return delete(org, request, sobject, value)
    found = org.writer.find(known, key, values.coerce(key, value))
    if not found:
        raise errors.not_found()
    if len(found) > 1:
        return _choices(request, known, found)
    org.writer.delete(known, found[0], request.write_context())
    return Response(None, 204)


@router.route("GET", "/sobjects/{sobject}/updated")
def updated(org: Org, request: Request, sobject: str) -> Response:
    """Ids of live records changed within ``start`` and ``end`` (30 days back at most)."""
    known = sobject_named(org, request, sobject)
    start_ms, end_ms = _span(org, request, days=30)
    live = ' AND "IsDeleted" = 0' if "isdeleted" in known.fields else ""
    rows = org.store.rows(
        known,
        f'"SystemModstamp" >= ? AND "SystemModstamp" < ?{live} ORDER BY "SystemModstamp", "Id"',
        (start_ms, end_ms),
    )
    return Response(
        {
            "ids": [row["Id"] for row in rows if not org.is_hidden(row["Id"])],
            "latestDateCovered": values.iso_datetime(end_ms),
        }
    )


@router.route("GET", "/sobjects/{sobject}/deleted")
def deleted(org: Org, request: Request, sobject: str) -> Response:
    """Records deleted within ``start`` and ``end`` (15 days back at most)."""
    known = sobject_named(org, request, sobject)
    start_ms, end_ms = _span(org, request, days=15)
    with org.store.lock:
        rows = org.store.writer.execute(
            "SELECT id, deleted_ms FROM _deletion WHERE sobject = ? AND deleted_ms >= ? "
            "AND deleted_ms < ? ORDER BY deleted_ms, id",
            (known.name, start_ms, end_ms),
        ).fetchall()
    return Response(
        {
            "deletedRecords": [
                {"id": record_id, "deletedDate": values.iso_datetime(deleted_ms)}
                for record_id, deleted_ms in rows
            ],
            "earliestDateAvailable": values.iso_datetime(org.now_ms() - 15 * _DAY_MS),
            "latestDateCovered": values.iso_datetime(end_ms),
        }
    )


@router.route("GET", "/limits")
def limits(org: Org, request: Request) -> Response:
    """The org's limits; only the daily calls are used up here."""
    remaining = max(0, org.settings.daily_calls - org.calls_used)

    def limit(most: int, left: int | None = None) -> dict[str, int]:
        return {"Max": most, "Remaining": most if left is None else left}

    return Response(
        {
            "ActiveScratchOrgs": limit(3),
            "ConcurrentAsyncGetReportInstances": limit(200),
            "DailyApiRequests": limit(org.settings.daily_calls, remaining),
            "DailyAsyncApexExecutions": limit(250_000),
            "DailyBulkApiBatches": limit(15_000),
            "DailyBulkV2QueryFileStorageMB": limit(976_562),
            "DailyBulkV2QueryJobs": limit(10_000),
            "DailyDeliveredPlatformEvents": limit(10_000),
            "DailyDurableStreamingApiEvents": limit(10_000),
            "DailyGenericStreamingApiEvents": limit(10_000),
            "DailyStreamingApiEvents": limit(10_000),
            "DailyWorkflowEmails": limit(1_000),
            "DataStorageMB": limit(1_024),
            "FileStorageMB": limit(1_024),
            "HourlyAsyncReportRuns": limit(1_200),
            "HourlyODataCallout": limit(1_000),
            "HourlySyncReportRuns": limit(500),
            "MassEmail": limit(5_000),
            "SingleEmail": limit(5_000),
            "StreamingApiConcurrentClients": limit(20),
        }
    )


@router.route("GET", "/limits/recordCount")
def record_count(org: Org, request: Request) -> Response:
    """Approximate counts (exact here) of the objects in ``sObjects``, or of all."""
    names = request.query.get("sObjects")
    wanted = [name.strip() for name in names.split(",")] if names else None
    counted = []
    for sobject in org.schema.sobjects.values():
        if wanted is not None and sobject.name.lower() not in {name.lower() for name in wanted}:
            continue
        if not org.security.may(request.user_id, sobject.name, "read"):
            continue
        with org.store.lock:
            found = org.store.writer.execute(f'SELECT count(*) FROM "{sobject.name}"').fetchone()  # noqa: S608
        counted.append({"count": found[0], "name": sobject.name})
    return Response({"sObjects": counted})


@router.route("GET", "/recent")
def recent(org: Org, request: Request) -> Response:
    """Recently viewed records: an API user views none."""
    return Response([])


def records_by_id(
    org: Org, request: Request, sobject: SObjectType, record_ids: list[str], fields: list[str]
) -> dict[str, dict[str, Any]]:
    """Live records that the user may see, by id, in REST's shape.

    Raises:
        SalesforceError: INVALID_FIELD, for the whole call, if one field cannot be read.
    """
    if not record_ids:
        return {}
    names = list(dict.fromkeys(fields))
    if not any(name.lower() == "id" for name in names):
        names.append("Id")
    wanted = ",".join(f"'{record_id}'" for record_id in record_ids)
    soql = f"SELECT {', '.join(names)} FROM {sobject.name} WHERE Id IN ({wanted})"  # noqa: S608
    compiled = queries.compiled(org, soql, request.user_id)
    cursor = QueryCursor(org, compiled, compiled.json_sql(request.version))
    try:
        rows = cursor.page(0, len(record_ids))
        return {record["Id"]: record for record in map(compiled.record, rows)}
    finally:
        cursor.close()


def _row_answer(org: Org, request: Request, known: SObjectType, row: Row) -> Response:
    modified_ms = row.get("LastModifiedDate") or row.get("SystemModstamp") or 0
    since = request.header_time_ms("if-modified-since")
    if since is not None and modified_ms <= since:
        return Response(None, 304)
    unmodified = request.header_time_ms("if-unmodified-since")
    if unmodified is not None and modified_ms > unmodified:
        raise precondition_failed()
    _check_etag(request, known, row)
    if "fields" in request.query:
        fields = [name.strip() for name in request.query["fields"].split(",") if name.strip()]
    else:
        visible = org.security.visible(request.user_id)
        fields = [each.name for each in known.fields.values() if visible(known.name, each.name)]
    found = records_by_id(org, request, known, [row["Id"]], fields)
    if not found:
        raise errors.not_found()
    headers = {"Last-Modified": http_date(modified_ms)}
    if known.name == "Account":
        headers["ETag"] = etag(row)
    return Response(found[row["Id"]], headers=headers)


def etag(row: Row) -> str:
    """The entity tag of an Account row; other objects have none."""
    text = f"{row['Id']}{row['SystemModstamp']}{row['LastModifiedDate']}"
    digest = hashlib.sha256(text.encode()).digest()[:24]
    return f'"{base64.b64encode(digest).decode()}"'


def _check_etag(request: Request, known: SObjectType, row: Row) -> None:
    if known.name != "Account":
        return
    held = etag(row)
    match, none_match = request.headers.get("if-match"), request.headers.get("if-none-match")
    if match is not None and match.strip() != "*" and held not in _tags(match):
        raise precondition_failed()
    if none_match is not None and (none_match.strip() == "*" or held in _tags(none_match)):
        if request.method in ("GET", "HEAD"):
            raise SalesforceError("NOT_MODIFIED", "Not Modified", 304)
        raise precondition_failed()


def _tags(header: str) -> list[str]:
    # An answer that was zipped on the way carries "--gzip" inside its tag.
    return [tag.strip().removeprefix("W/").replace("--gzip", "") for tag in header.split(",")]


def _row_id(known: SObjectType, text: str) -> str:
    full_id = ids.to_18(text)
    if full_id is None or full_id[:3] != known.key_prefix:
        raise errors.not_found(
            f"Provided external ID field does not exist or is not accessible: {text}"
        )
    return full_id


def _key(org: Org, request: Request, known: SObjectType, name: str) -> SObjectField:
    key = known.field_named(name)
    visible = org.security.visible(request.user_id)
    usable = key is not None and (key.external_id or key.id_lookup or key.name == "Id")
    if key is None or not usable or not visible(known.name, key.name):
        raise errors.not_found(
            f"Provided external ID field does not exist or is not accessible: {name}"
        )
    return key


def _created(
    request: Request, known: SObjectType, written: Written, *, upserted: bool = False
) -> Response:
    body: dict[str, Any] = {"id": written.id, "success": True, "errors": []}
    if upserted and float(request.version) >= 46:
        body["created"] = True
    location = f"/services/data/v{request.version}/sobjects/{known.name}/{written.id}"
    return Response(body, 201, headers={"Location": location})


def _choices(request: Request, known: SObjectType, found: list[str]) -> Response:
    base = f"/services/data/v{request.version}/sobjects/{known.name}"
    return Response([f"{base}/{record_id}" for record_id in found], 300)


def _span(org: Org, request: Request, *, days: int) -> tuple[int, int]:
    moments = []
    for name in ("start", "end"):
        text = request.query.get(name, "")
        # A "+" that was not escaped in the URL arrives as a space.
        moment = values.datetime_ms(text.replace(" ", "+"))
        if moment is None:
            raise SalesforceError("INVALID_FIELD", f"Invalid value for parameter {name}: {text}")
        moments.append(moment)
    start_ms, end_ms = moments
    now_ms = org.now_ms()
    if start_ms < now_ms - days * _DAY_MS:
        raise SalesforceError(
            "INVALID_REPLICATION_DATE", f"startDate cannot be more than {days} days ago"
        )
    if end_ms < start_ms + 60_000:
        raise SalesforceError(
            "INVALID_REPLICATION_DATE", "endDate must be at least one minute greater than startDate"
        )
    # Both ends are held to whole minutes.
    return start_ms // 60_000 * 60_000, min(end_ms // 60_000 * 60_000, now_ms + 60_000)
