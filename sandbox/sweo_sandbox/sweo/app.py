"""The REST API over HTTP: what stands before every route."""

from __future__ import annotations

import hmac
import json
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from sweo_sandbox.clock import Clock
from sweo_sandbox.meter import CallMeter
from sweo_sandbox.sweo.errors import ApiError, bad_request, error_body, not_found, unauthorized
from sweo_sandbox.sweo.limits import RateLimit
from sweo_sandbox.sweo.routes import PREVIEW_ROUTES, ROUTES, Access, Call, Handler
from sweo_sandbox.sweo.settings import WorkspaceSettings
from sweo_sandbox.sweo.versions import parse_version
from sweo_sandbox.sweo.workspace import Workspace


def create_app(
    settings: WorkspaceSettings, data_dir: Path | None, clock: Clock, meter: CallMeter
) -> Starlette:
    """The application; its :class:`Workspace` is ``app.state.workspace``.

    ``data_dir`` None keeps the data in memory, else it is ``data_dir/sweo.db``.
    """
    workspace = Workspace(settings, data_dir and data_dir / "sweo.db", clock)
    limit = RateLimit(settings, clock)
    front = _Front(workspace, meter, limit)
    app = Starlette(
        routes=[
            # Ahead of /contacts/{id} and /companies/{id}, which would take their paths.
            *(front.route(*spec, preview=True) for spec in PREVIEW_ROUTES),
            *(front.route(*spec) for spec in ROUTES),
            Route("/messenger/session", front.messenger_session, methods=["POST"]),
        ],
        exception_handlers={ApiError: _answer_error, HTTPException: _answer_status},
    )
    app.router.redirect_slashes = False
    app.state.workspace = workspace
    return app


class _Front:
    """Authorisation, rate limit, metering, version and body, in that order."""

    def __init__(self, workspace: Workspace, meter: CallMeter, limit: RateLimit) -> None:
        self._workspace = workspace
        self._meter = meter
        self._limit = limit

    def route(
        self, method: str, path: str, handler: Handler, access: Access, preview: bool = False
    ) -> Route:
        async def endpoint(request: Request) -> Response:
            self._authorise(request)
            allowance = self._limit.take()
            headers = allowance.headers() if allowance is not None else {}
            if allowance is not None and allowance.exceeded:
                raise ApiError(429, "rate_limit_exceeded", "Exceeded rate limit", headers=headers)
            self._meter.count(f"{method} {path}", access)
            try:
                version = parse_version(
                    request.headers.get("intercom-version") or request.headers.get("sweo-version"),
                    self._workspace.settings.default_version,
                )
                if preview and not version.preview:
                    raise not_found()
                call = Call(
                    self._workspace,
                    dict(request.path_params),
                    dict(request.query_params),
                    await _json_object(request),
                    version,
                    str(request.base_url).rstrip("/"),
                )
                self._refuse_disabled(path)
                answer = handler(call)
            except ApiError as error:
                error.headers |= headers
                raise
            if isinstance(answer, Response):
                answer.headers.update(headers)
                return answer
            return JSONResponse(answer, headers=headers)

        return Route(path, endpoint, methods=[method])

    async def messenger_session(self, request: Request) -> Response:
        """Visitors hold no access token; neither limit nor meter counts them."""
        body = await _json_object(request)
        return JSONResponse(self._workspace.messenger.open_session(body))

    def _authorise(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        expected = self._workspace.settings.access_token
        if scheme.lower() != "bearer" or not hmac.compare_digest(
            token.strip().encode(), expected.encode()
        ):
            raise unauthorized()

    def _refuse_disabled(self, path: str) -> None:
        if "/companies" in path and not self._workspace.settings.companies_enabled:
            raise ApiError(
                403, "companies_disabled", "Companies are not enabled for this workspace"
            )


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


async def _json_object(request: Request) -> dict[str, Any]:
    raw = await request.body()
    if not raw.strip() or request.method in ("GET", "DELETE"):
        return {}
    content_type = request.headers.get("content-type", "application/json")
    if "json" not in content_type:
        raise ApiError(415, "media_type_not_supported", "Content-Type must be application/json")
    try:
        body = json.loads(raw, parse_constant=_refuse_constant)
        if b"\\ud" in raw.lower():
            # Half a surrogate pair is valid JSON and no text.
            json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise bad_request("The request body is not valid JSON") from None
    if not isinstance(body, dict):
        raise bad_request("The request body must be a JSON object")
    return body


async def _answer_error(_request: Request, error: Exception) -> Response:
    if not isinstance(error, ApiError):
        raise error
    return JSONResponse(error.body(), status_code=error.status, headers=error.headers)


async def _answer_status(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    headers = dict(error.headers or {})
    if error.status_code == 405:
        # Each route has one method; the header names those of all routes of the path.
        routes = [route for route in request.app.routes if isinstance(route, Route)]
        fitting = [each for each in routes if each.matches(request.scope)[0] != Match.NONE]
        headers["Allow"] = ", ".join(sorted({m for each in fitting for m in each.methods or ()}))
    return JSONResponse(
        error_body(error.status_code), status_code=error.status_code, headers=headers
    )
