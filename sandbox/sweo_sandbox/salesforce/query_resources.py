"""``query``, ``queryAll`` and the pages behind ``nextRecordsUrl``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from . import ids, queries, setup_queries
from .errors import SalesforceError
from .queries import QueryCursor
from .web import Request, Response, Router

if TYPE_CHECKING:
    from .org import Org

router = Router()
_BATCH_OPTION = re.compile(r"batchSize\s*=\s*(\d+)", re.IGNORECASE)
_LARGEST_PAGE = 2000
_SMALLEST_PAGE = 200
_ENCODER = msgspec.json.Encoder()


@router.route("GET", "/query")
def query(org: Org, request: Request) -> Response:
    """``GET /query?q=``; ``explain=`` answers with a plan instead."""
    if "explain" in request.query:
        return _explain(org, request)
    return _first_page(org, request, include_deleted=False)


@router.route("GET", "/queryAll")
def query_all(org: Org, request: Request) -> Response:
    """``GET /queryAll?q=``: deleted and archived records too."""
    return _first_page(org, request, include_deleted=True)


@router.route("GET", "/query/{locator}")
def query_more(org: Org, request: Request, locator: str) -> Response:
    """The page that ``nextRecordsUrl`` named."""
    return _next_page(org, request, locator, "query")


@router.route("GET", "/queryAll/{locator}")
def query_all_more(org: Org, request: Request, locator: str) -> Response:
    """The page that ``nextRecordsUrl`` of queryAll named."""
    return _next_page(org, request, locator, "query")


def page_size(request: Request) -> int:
    """``Sforce-Query-Options: batchSize``, held to 200 to 2,000."""
    found = _BATCH_OPTION.search(request.headers.get("sforce-query-options", ""))
    if not found:
        return _LARGEST_PAGE
    return max(_SMALLEST_PAGE, min(_LARGEST_PAGE, int(found[1])))


def _soql(request: Request) -> str:
    soql = request.query.get("q")
    if soql is None or not soql.strip():
        raise SalesforceError("MALFORMED_QUERY", "A query string has to be specified")
    return soql


@router.route("GET", "/tooling/query")
def tooling_query(org: Org, request: Request) -> Response:
    """Flows and triggers, with what they are made of."""
    soql = _soql(request)
    source = setup_queries.source_of(soql)
    if source and source not in setup_queries.IN_TOOLING_API:
        raise SalesforceError("INVALID_TYPE", f"sObject type '{source}' is not supported.")
    return _set_up(org, request, soql, "tooling/")


def _set_up(org: Org, request: Request, soql: str, api: str) -> Response:
    found = setup_queries.records(org, request.user_id, soql, request.version, api)
    return Response({"totalSize": len(found), "done": True, "records": found})


def _first_page(org: Org, request: Request, *, include_deleted: bool) -> Response:
    soql = _soql(request)
    if setup_queries.may_be_about(soql) and (
        setup_queries.source_of(soql) in setup_queries.IN_DATA_API
    ):
        return _set_up(org, request, soql, "")
    compiled = queries.compiled(org, soql, request.user_id, include_deleted=include_deleted)
    if compiled.is_count:
        counting = QueryCursor(org, compiled)
        total = counting.total
        counting.close()
        return Response({"totalSize": total, "done": True, "records": []})
    cursor = QueryCursor(org, compiled, compiled.json_sql(request.version))
    return _page(org, request, cursor, 0, None)


def _next_page(org: Org, request: Request, locator: str, resource: str) -> Response:
    name, dash, offset_text = locator.partition("-")
    record_id = ids.to_18(name)
    cursor = org.cursors.get(record_id) if record_id else None
    if cursor is None or (dash and not offset_text.isdigit()):
        raise SalesforceError("INVALID_QUERY_LOCATOR", "invalid query locator")
    return _page(org, request, cursor, int(offset_text or 0), record_id)


def _page(
    org: Org, request: Request, cursor: QueryCursor, offset: int, locator: str | None
) -> Response:
    size = page_size(request)
    rows = cursor.page(offset, size)
    total = cursor.total
    end = offset + len(rows)
    more = b""
    if end < total and rows:
        locator = locator or queries.keep(org, cursor)
        next_url = f"/services/data/v{request.version}/query/{locator}-{end}"
        more = b',"nextRecordsUrl":' + _ENCODER.encode(next_url)
    records = ",".join([row[0] for row in rows]).encode()
    if not more and locator is None:
        cursor.close()
    head = b'{"totalSize":%d,"done":%s' % (total, b"false" if more else b"true")
    return Response(head + more + b',"records":[' + records + b"]}")


def _explain(org: Org, request: Request) -> Response:
    soql = request.query["explain"]
    compiled = queries.compiled(org, soql, request.user_id)
    cursor = QueryCursor(org, compiled)
    cardinality = cursor.page(0, 1)[0][0]
    sobject = org.schema.sobjects[compiled.sobject.lower()]
    with org.store.lock:
        in_all = org.store.writer.execute(f'SELECT count(*) FROM "{sobject.name}"').fetchone()[0]  # noqa: S608
    cursor.close()
    return Response(
        {
            "plans": [
                {
                    "cardinality": cardinality,
                    "fields": [],
                    "leadingOperationType": "TableScan",
                    "notes": [],
                    "relativeCost": round(cardinality / max(1, in_all), 3),
                    "sobjectCardinality": in_all,
                    "sobjectType": sobject.name,
                }
            ],
            "sourceQuery": soql,
        }
    )
