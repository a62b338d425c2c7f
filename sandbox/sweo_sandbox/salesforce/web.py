"""Requests, answers and routes of the org's HTTP side, apart from any web framework.

A composite runs its subrequests through the same routes, which is why they are plain functions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from email.utils import formatdate, parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from . import errors, json_body
from .errors import SalesforceError

if TYPE_CHECKING:
    from ..faults import FaultRule
    from .org import Org
    from .schema import SObjectType
    from .writes import WriteContext

_ENCODER = msgspec.json.Encoder()


@dataclass(slots=True)
class Request:
    """One call. ``path`` is what follows ``/services/data/v62.0``; header names are lower case.

    ``parsed`` holds the body of a composite's subrequest, which never was text of its own.
    """

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    parsed: Any = None
    version: str = "62.0"
    user_id: str = ""
    token: str = ""
    base_url: str = ""
    faults: dict[str, FaultRule] = field(default_factory=dict)

    def json(self) -> Any:
        """The body; numbers with a point are Decimal.

        Raises:
            SalesforceError: it is no JSON.
        """
        return json_body.parse(self.body) if self.parsed is None else self.parsed

    def json_object(self, known: Collection[str] | None = None) -> dict[str, Any]:
        """The body, which must be an object and may have no keys but the ``known``."""
        body = self.json()
        if not isinstance(body, dict):
            raise json_body.not_an_object(body, self.text())
        for key in body:
            if known is not None and key not in known:
                unknown = errors.json_parser_error(f'Unrecognized field "{key}"')
                raise json_body.located(unknown, self.text(), (key,))
        return body

    def text(self) -> str:
        """The body as text, to say where in it something is."""
        if self.parsed is None:
            return self.body.decode("utf-8", "replace")
        return json.dumps(self.parsed, separators=(",", ":"), ensure_ascii=False, default=float)

    def located(self, error: SalesforceError, *path: str | int) -> SalesforceError:
        """A refusal of a value, with its line and column if it can be told."""
        if error.at is None:
            return error
        return json_body.located(error, self.text(), (*path, error.at))

    def flag(self, header: str, name: str) -> bool | None:
        """A boolean option in a header such as ``allowSave=true``, or a bare ``TRUE``."""
        text = self.headers.get(header)
        if text is None:
            return None
        options = dict(
            part.strip().split("=", 1) for part in text.lower().split(";") if "=" in part
        )
        value = options.get(name.lower(), text.strip().lower() if not options else None)
        return None if value is None else value == "true"

    def header_time_ms(self, header: str) -> int | None:
        """An HTTP date in a header, in milliseconds; None if absent or no date."""
        text = self.headers.get(header)
        if text is None:
            return None
        try:
            return round(parsedate_to_datetime(text.strip('"')).timestamp() * 1000)
        except (TypeError, ValueError):
            return None

    def write_context(self) -> WriteContext:
        """Who writes and with which headers."""
        from .writes import WriteContext

        auto_assign = self.headers.get("sforce-auto-assign", "true").strip().lower() != "false"
        lock = self.faults.get("UNABLE_TO_LOCK_ROW")
        return WriteContext(
            user_id=self.user_id,
            auto_assign=auto_assign,
            allow_duplicates=bool(self.flag("sforce-duplicate-rule-header", "allowSave")),
            lock_all=lock is not None and lock.rows is None,
        )


@dataclass(slots=True)
class Response:
    """One answer. ``body`` is JSON-able, or bytes as they are, or None for no content."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json;charset=UTF-8"

    def payload(self) -> bytes:
        """The bytes of the body."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else _ENCODER.encode(self.body)

    def embedded(self) -> Any:
        """The body as a part of a composite's answer."""
        return msgspec.Raw(self.body) if isinstance(self.body, bytes) else self.body


Handler = Callable[..., Response]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path template (``/sobjects/{sobject}/{id}``) with who answers it.

    ``kind`` is how a call is metered; None leaves it to the method.
    """

    method: str
    segments: tuple[str, ...]
    handler: Handler
    kind: str | None = None

    @property
    def literals(self) -> int:
        """How many segments are fixed, by which routes are ranked."""
        return sum(not segment.startswith("{") for segment in self.segments)

    def match(self, segments: list[str]) -> dict[str, str] | None:
        """The parameters, if the path fits."""
        if len(segments) != len(self.segments):
            return None
        params: dict[str, str] = {}
        for template, actual in zip(self.segments, segments, strict=True):
            if template.startswith("{"):
                params[template[1:-1]] = unquote(actual)
            elif template.lower() != actual.lower():
                return None
        return params


class Router:
    """Routes by method and path."""

    def __init__(self) -> None:
        self._routes: dict[int, list[Route]] = {}

    def route(
        self, methods: str, template: str, kind: str | None = None
    ) -> Callable[[Handler], Handler]:
        """Register a handler for methods (``"GET"``, ``"POST PATCH"``) on a template."""

        def register(handler: Handler) -> Handler:
            for method in methods.split():
                self.add(Route(method, tuple(template.strip("/").split("/")), handler, kind))
            return handler

        return register

    def add(self, route: Route) -> None:
        """Register one route; those with more fixed segments are tried first."""
        routes = self._routes.setdefault(len(route.segments), [])
        routes.append(route)
        routes.sort(key=lambda each: -each.literals)

    def include(self, other: Router) -> None:
        """Take over every route of another router."""
        for routes in other._routes.values():
            for route in routes:
                self.add(route)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route and its parameters.

        Raises:
            SalesforceError: 404 for an unknown path, 405 for a known one with another method.
        """
        segments = [segment for segment in path.split("/") if segment]
        wanted = "GET" if method == "HEAD" else method
        fitting: list[tuple[Route, dict[str, str]]] = []
        for route in self._routes.get(len(segments), []):
            params = route.match(segments)
            if params is None:
                continue
            if fitting and route.literals < fitting[0][0].literals:
                break
            fitting.append((route, params))
        if not fitting:
            raise errors.not_found()
        for route, params in fitting:
            if route.method == wanted:
                return route, params
        raise errors.method_not_allowed(method, sorted({route.method for route, _ in fitting}))


def split_url(url: str) -> tuple[str, dict[str, str]]:
    """Path and query of a URL, the query decoded.

    Raises:
        SalesforceError: it is none.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise SalesforceError("INVALID_INPUT", f"The url is not valid: {url}") from None
    return parts.path, dict(parse_qsl(parts.query, keep_blank_values=True))


def switch(body: dict[str, Any], name: str) -> bool:
    """A boolean of a body that is off unless given.

    Raises:
        SalesforceError: it is something else.
    """
    value = body.get(name)
    if value is None or isinstance(value, bool):
        return bool(value)
    raise errors.json_parser_error(
        f"Cannot deserialize instance of boolean from {json_body.token_of(value)} value {value}"
    )


def http_date(milliseconds: int) -> str:
    """The ``Date`` header's form of a time."""
    return formatdate(milliseconds / 1000, usegmt=True)


def sobject_named(org: Org, request: Request, name: str) -> SObjectType:
    """The object of a path segment.

    Raises:
        SalesforceError: 404, as for any unknown path, if the user may not read the object.
    """
    found = org.schema.sobject(name)
    if found is None or not org.security.may(request.user_id, found.name, "read"):
        raise errors.not_found()
    return found


def error_response(error: SalesforceError) -> Response:
    """What a refused request is answered with."""
    return Response(error.rest_body(), error.status)
