"""The org over HTTP: an ASGI application around the routes.

Every call goes the same way: unzip, log in, find the route, meter, answer, add the headers that
every answer carries. Subrequests of a composite come in at :func:`dispatch`, past login and meter.
"""

from __future__ import annotations

import gzip
import logging
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response as HttpResponse
from starlette.routing import Route as HttpRoute

from ..faults import SCOPE_KEY
from ..pubsub.origin import CHANGE_ORIGIN, origin_of
from . import (
    auth,
    bulk2,
    collection_resources,
    composite,
    desk_orders,
    errors,
    query_resources,
    rest,
    soap_login,
    tooling,
)
from .errors import SalesforceError
from .org import ClockLike, Org
from .settings import OrgSettings
from .versions import VERSION_PATH, check_version, resources, versions
from .web import Request, Response, Router, error_response

if TYPE_CHECKING:
    from ..meter import CallMeter

_LOG = logging.getLogger(__name__)
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_LONGEST_HEAD_BYTES = 16_384
_ZIP_FROM_BYTES = 1_400
_UNSUPPORTED = ("/composite/tree", "/composite/graph", "/search", "/parameterizedsearch")

router = Router()
for _part in (rest, query_resources, composite, collection_resources, bulk2, tooling):
    router.include(_part.router)


def create_app(
    settings: OrgSettings, data_dir: Path | None, clock: ClockLike, meter: CallMeter
) -> Starlette:
    """The org's application; ``app.state.org`` is the :class:`Org` behind it."""
    org = Org(settings, data_dir, clock)

    async def serve(http: HttpRequest) -> HttpResponse:
        request = await _request(http)
        response = _answer(org, meter, request, _head_bytes(http))
        return _http_response(org, request, response)

    app = Starlette(routes=[HttpRoute("/{path:path}", serve, methods=_METHODS)])
    app.state.org = org
    return app


def dispatch(org: Org, request: Request) -> Response:
    """Answer a request of a logged-in user; refusals become answers."""
    try:
        route, params = router.find(request.method, request.path)
        return route.handler(org, request, **params)
    except SalesforceError as error:
        return error_response(request.located(error))
    except RecursionError:
        return error_response(errors.json_parser_error("The body is nested too deeply"))


async def _request(http: HttpRequest) -> Request:
    headers = {name.lower(): value for name, value in http.headers.items()}
    host = headers.get("host", "localhost")
    return Request(
        method=http.method,
        path=_raw_path(http),
        query=dict(http.query_params),
        headers=headers,
        body=await http.body(),
        base_url=f"{http.url.scheme}://{host}",
        faults={rule.kind: rule for rule in http.scope.get(SCOPE_KEY, [])},
    )


def _answer(org: Org, meter: CallMeter, request: Request, head_bytes: int) -> Response:
    try:
        if head_bytes > _LONGEST_HEAD_BYTES:
            return Response(b"URI Too Long", 414, content_type="text/html")
        return _route(org, meter, request)
    except SalesforceError as error:
        return error_response(error)
    except Exception:
        _LOG.exception("the sandbox failed on %s %s", request.method, request.path)
        return Response(
            [{"message": "An unexpected error occurred.", "errorCode": "UNKNOWN_EXCEPTION"}], 500
        )


def _route(org: Org, meter: CallMeter, request: Request) -> Response:
    path = request.path
    if path.startswith(desk_orders.PREFIX):
        return desk_orders.answer(org, request, path)
    if path.rstrip("/").lower() == "/services/data":
        return Response(versions())
    if path.startswith(("/services/oauth2/", "/id/", "/.salesforce.com/services/oauth2/")):
        return _log_in(org, meter, request, path)
    if request.method == "POST" and soap_login.PATH.match(path):
        meter.count("POST /Soap/login", "login")
        return soap_login.login(org, request)
    found = VERSION_PATH.match(path)
    if not found:
        raise errors.not_found()
    request.version = check_version(found[1])
    request.path = found[2] or "/"
    _authorize(org, request)
    if request.headers.get("content-encoding", "").lower() == "gzip":
        request.body = bulk2.unzipped(request)
        del request.headers["content-encoding"]
    origin = CHANGE_ORIGIN.set(origin_of(request))
    try:
        return _metered(org, meter, request)
    finally:
        CHANGE_ORIGIN.reset(origin)


def _raw_path(http: HttpRequest) -> str:
    # Still escaped, so that a "/" inside an external id does not part the path.
    raw: bytes | None = http.scope.get("raw_path")
    return raw.decode("ascii", "replace").partition("?")[0] if raw else quote(http.url.path)


def _head_bytes(http: HttpRequest) -> int:
    scope = http.scope
    headers = sum(len(name) + len(value) + 4 for name, value in scope["headers"])
    return len(scope.get("raw_path") or b"") + len(scope["query_string"]) + headers


def _log_in(org: Org, meter: CallMeter, request: Request, path: str) -> Response:
    resource = path[path.index("/services/oauth2/") + 17 :] if "oauth2" in path else ""
    resource = resource.rstrip("/").lower()
    meter.count(f"{request.method} /oauth2/{resource}" if resource else "GET /id", "login")
    if resource == "token" and request.method == "POST":
        return auth.token(org, request)
    if resource == "revoke" and request.method in ("GET", "POST"):
        return auth.revoke(org, request)
    if resource == "userinfo":
        _authorize(org, request)
        return auth.userinfo(org, request)
    parts = [part for part in path.split("/") if part]
    if not resource and len(parts) == 3:
        _authorize(org, request)
        return auth.identity(org, request, parts[1], parts[2])
    raise errors.not_found()


def _authorize(org: Org, request: Request) -> None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() not in ("bearer", "oauth"):
        raise errors.invalid_session()
    user_id = org.sessions.user_of(token.strip())
    if user_id is None:
        raise errors.invalid_session()
    request.user_id, request.token = user_id, token.strip()


def _metered(org: Org, meter: CallMeter, request: Request) -> Response:
    if request.path.strip("/") == "":
        meter.count("GET /", "read")
        org.calls_used += 1
        return Response(resources(request.version))
    if request.path.lower().startswith(_UNSUPPORTED):
        meter.count(f"{request.method} {request.path.rstrip('/')}", "read")
        org.calls_used += 1
        raise errors.not_found()
    try:
        route, params = router.find(request.method, request.path)
    except SalesforceError:
        meter.count(f"{request.method} (unknown)", "read")
        org.calls_used += 1
        raise
    shown = [_shown(org, segment, params) for segment in route.segments]
    name, kind, calls = "/".join(shown), route.kind, 1
    if name == "composite":
        kind = "read" if composite.is_read(request) else "write"
    elif name == "composite/batch":
        kind = "read" if composite.is_read(request) else "write"
        calls = composite.batch_size(request)
    if kind is None:
        kind = "read" if request.method in ("GET", "HEAD") else "write"
    meter.count(f"{request.method} /{name}", "write" if kind == "write" else "read", calls)
    org.calls_used += calls
    if "REQUEST_LIMIT_EXCEEDED" in request.faults or org.calls_used > org.settings.daily_calls:
        raise errors.request_limit_exceeded()
    return dispatch(org, request)


def _shown(org: Org, segment: str, params: dict[str, str]) -> str:
    # The meter tells objects apart, not records.
    if not segment.startswith("{"):
        return segment
    name = segment.strip("{}")
    if name != "sobject":
        return "{id}" if name.endswith("_id") else segment
    known = org.schema.sobject(params[name])
    return known.name if known else segment


def _http_response(org: Org, request: Request, response: Response) -> HttpResponse:
    payload = response.payload()
    headers = dict(response.headers)
    headers["Sforce-Limit-Info"] = f"api-usage={org.calls_used}/{org.settings.daily_calls}"
    headers.setdefault("Cache-Control", "no-cache,must-revalidate,max-age=0,no-store,private")
    headers["Vary"] = "Accept-Encoding"
    if response.body is not None or response.status not in (201, 204, 304):
        headers["Content-Type"] = response.content_type
    accepts_gzip = "gzip" in request.headers.get("accept-encoding", "").lower()
    if accepts_gzip and len(payload) >= _ZIP_FROM_BYTES:
        payload = gzip.compress(payload, compresslevel=1)
        headers["Content-Encoding"] = "gzip"
        if "ETag" in headers:
            headers["ETag"] = headers["ETag"][:-1] + '--gzip"'
    return HttpResponse(payload, response.status, headers)
