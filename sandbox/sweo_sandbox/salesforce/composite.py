"""``composite`` and ``composite/batch``: many requests in one call."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .errors import SalesforceError, json_parser_error
from .web import Request, Response, Router, split_url, switch

if TYPE_CHECKING:
    from .org import Org

router = Router()
MOST_SUBREQUESTS = 25
MOST_QUERIES = 5
_DATA_URL = re.compile(r"/services/data/v(\d+\.\d)(/.*)$", re.IGNORECASE)
_BATCH_URL = re.compile(r"/?(?:services/data/)?v(\d+\.\d)(/.*)$", re.IGNORECASE)
_REFERENCE = re.compile(r"@\{([^{}]+)\}")
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_FORBIDDEN_HEADERS = frozenset({"accept", "authorization", "content-type"})
_ALLOWED = ("sobjects", "query", "queryall", "composite/sobjects")
_ROLLED_BACK = (
    "The transaction was rolled back since another operation in the same transaction failed."
)


class _RolledBackError(Exception):
    """Undoes a composite's transaction; never leaves this module."""


def is_read(request: Request) -> bool:
    """Whether every subrequest only reads, for the meter."""
    try:
        body = request.json()
        subrequests = body.get("compositeRequest", body.get("batchRequests", []))
        return all(
            _reads(str(each.get("method", "")), str(each.get("url", ""))) for each in subrequests
        )
    except (SalesforceError, AttributeError, TypeError):
        # Not shaped as a composite: refused right after the meter.
        return True


def batch_size(request: Request) -> int:
    """How many calls a ``composite/batch`` costs: each subrequest is one."""
    try:
        return max(1, len(request.json()["batchRequests"]))
    except (SalesforceError, KeyError, TypeError):
        return 1


def _reads(method: str, url: str) -> bool:
    path = split_url(url)[0].lower()
    retrieve = method.upper() == "POST" and re.search(r"/composite/sobjects/[^/]+/?$", path)
    return method.upper() in ("GET", "HEAD") or bool(retrieve)


@router.route("POST", "/composite")
def composite(org: Org, request: Request) -> Response:
    """Subrequests in order, later ones may use earlier results as ``@{referenceId.field}``."""
    body = request.json_object({"allOrNone", "collateSubrequests", "compositeRequest"})
    subrequests = body.get("compositeRequest")
    if not isinstance(subrequests, list) or not all(isinstance(s, dict) for s in subrequests):
        raise json_parser_error("compositeRequest is required and must be a list of subrequests")
    _check_limits(subrequests)
    all_or_none = switch(body, "allOrNone")
    switch(body, "collateSubrequests")
    answers: list[dict[str, Any]] = []
    try:
        if all_or_none:
            with org.store.transaction():
                if not _run_all(org, request, subrequests, answers):
                    raise _RolledBackError
        else:
            _run_all(org, request, subrequests, answers)
    except _RolledBackError:
        _mark_rolled_back(subrequests, answers)
    return Response({"compositeResponse": answers})


def _check_limits(subrequests: list[dict[str, Any]]) -> None:
    if not subrequests:
        raise json_parser_error("compositeRequest must hold at least one subrequest")
    if len(subrequests) > MOST_SUBREQUESTS:
        raise SalesforceError(
            "LIMIT_EXCEEDED",
            f"The limit of {MOST_SUBREQUESTS} subrequests per composite request was exceeded: "
            f"{len(subrequests)}",
        )
    heavy = [s for s in subrequests if _is_heavy(str(s.get("url", "")))]
    if len(heavy) > MOST_QUERIES:
        raise SalesforceError(
            "LIMIT_EXCEEDED",
            f"The limit of {MOST_QUERIES} query, queryAll and collection subrequests per "
            f"composite request was exceeded: {len(heavy)}",
        )
    seen: set[str] = set()
    for each in subrequests:
        reference = each.get("referenceId")
        if not isinstance(reference, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", reference):
            raise SalesforceError(
                "INVALID_INPUT", f"Provided referenceId ('{reference}') is missing or invalid."
            )
        if reference in seen:
            raise SalesforceError(
                "INVALID_INPUT", f"Duplicate referenceId provided ('{reference}')."
            )
        seen.add(reference)


def _is_heavy(url: str) -> bool:
    found = _DATA_URL.match(split_url(url)[0])
    path = found[2].lower().strip("/") if found else ""
    return path.startswith(("query", "composite/sobjects"))


def _run_all(
    org: Org, request: Request, subrequests: list[dict[str, Any]], answers: list[dict[str, Any]]
) -> bool:
    results: dict[str, Any] = {}
    failed: set[str] = set()
    for each in subrequests:
        reference = each["referenceId"]
        response = _run(org, request, each, results, failed)
        body = response.embedded()
        if response.status < 300:
            results[reference] = _Result(response)
        else:
            failed.add(reference)
        answers.append(
            {
                "body": body,
                "httpHeaders": {
                    name: value
                    for name, value in response.headers.items()
                    if name in ("Location", "ETag", "Last-Modified")
                },
                "httpStatusCode": response.status,
                "referenceId": reference,
            }
        )
    return not failed


class _Result:
    """A subrequest's answer, read as JSON only if another refers to it."""

    def __init__(self, response: Response) -> None:
        self._response = response
        self._value: Any = None

    def value(self) -> Any:
        if self._value is None:
            payload = self._response.payload()
            self._value = json.loads(payload) if payload else {}
        return self._value


def _run(
    org: Org,
    request: Request,
    each: dict[str, Any],
    results: dict[str, _Result],
    failed: set[str],
) -> Response:
    from .app import dispatch

    def resolve(text: str) -> Any:
        return _resolve(text, results, failed)

    try:
        url = str(_substitute(str(each.get("url", "")), resolve))
        path, query = split_url(url)
        found = _DATA_URL.match(path)
        if not found or not found[2].lower().strip("/").startswith(_ALLOWED):
            raise SalesforceError(
                "INVALID_INPUT", f"The url is not supported in a composite request: {path}"
            )
        given_headers = each.get("httpHeaders") or {}
        if not isinstance(given_headers, dict):
            raise json_parser_error("httpHeaders must be an object")
        headers = {
            str(name).lower(): str(_substitute(str(value), resolve))
            for name, value in given_headers.items()
        }
        forbidden = _FORBIDDEN_HEADERS.intersection(headers)
        if forbidden:
            raise SalesforceError(
                "INVALID_INPUT",
                f"Header not allowed in a composite subrequest: {sorted(forbidden)[0]}",
            )
        inner = Request(
            method=str(each.get("method", "GET")).upper(),
            path=found[2],
            query=query,
            headers={**_inherited(request), **headers},
            parsed=_substitute(each["body"], resolve) if each.get("body") is not None else None,
            version=found[1],
            user_id=request.user_id,
            token=request.token,
            base_url=request.base_url,
            faults=request.faults,
        )
    except SalesforceError as error:
        return Response(error.rest_body(), error.status)
    return dispatch(org, inner)


def _inherited(request: Request) -> dict[str, str]:
    return {
        name: value
        for name, value in request.headers.items()
        if name in ("sforce-call-options", "sforce-query-options")
    }


def _substitute(value: Any, resolve: Callable[[str], Any]) -> Any:
    if isinstance(value, str):
        whole = _REFERENCE.fullmatch(value)
        if whole:
            return resolve(whole[1])
        return _REFERENCE.sub(lambda found: str(resolve(found[1])), value)
    if isinstance(value, dict):
        return {key: _substitute(each, resolve) for key, each in value.items()}
    if isinstance(value, list):
        return [_substitute(each, resolve) for each in value]
    return value


def _resolve(text: str, results: dict[str, _Result], failed: set[str]) -> Any:
    steps: list[Any] = [
        found[1] if found[1] is not None else int(found[2]) for found in _STEP.finditer(text)
    ]
    reference = str(steps[0]) if steps else ""
    if reference in failed:
        raise SalesforceError("PROCESSING_HALTED", _ROLLED_BACK)
    if reference not in results:
        raise SalesforceError(
            "PROCESSING_HALTED",
            f"Invalid reference specified. No value for {text} found in {reference}",
        )
    value = results[reference].value()
    try:
        for step in steps[1:]:
            # A number steps into a list, a name into an object; text must not be indexed.
            if not isinstance(value, list if isinstance(step, int) else dict):
                raise KeyError(step)
            value = value[step]
    except (KeyError, IndexError):
        raise SalesforceError(
            "PROCESSING_HALTED",
            f"Invalid reference specified. No value for {text} found in {reference}",
        ) from None
    return value


def _mark_rolled_back(subrequests: list[dict[str, Any]], answers: list[dict[str, Any]]) -> None:
    for answer in answers:
        if answer["httpStatusCode"] < 300:
            answer["body"] = [{"errorCode": "PROCESSING_HALTED", "message": _ROLLED_BACK}]
            answer["httpStatusCode"] = 400
            answer["httpHeaders"] = {}


@router.route("POST", "/composite/batch")
def batch(org: Org, request: Request) -> Response:
    """Independent subrequests; each is metered as a call of its own."""
    from .app import dispatch

    body = request.json_object({"batchRequests", "haltOnError"})
    subrequests = body.get("batchRequests")
    if not isinstance(subrequests, list) or not all(isinstance(s, dict) for s in subrequests):
        raise json_parser_error("batchRequests is required and must be a list of subrequests")
    if len(subrequests) > MOST_SUBREQUESTS:
        raise SalesforceError(
            "LIMIT_EXCEEDED",
            f"The limit of {MOST_SUBREQUESTS} subrequests per batch request was exceeded: "
            f"{len(subrequests)}",
        )
    halt = switch(body, "haltOnError")
    results: list[dict[str, Any]] = []
    has_errors = False
    for each in subrequests:
        if has_errors and halt:
            halted = [
                {
                    "errorCode": "BATCH_PROCESSING_HALTED",
                    "message": "Batch processing halted per request",
                }
            ]
            results.append({"statusCode": 412, "result": halted})
            continue
        path, query = split_url(str(each.get("url", "")))
        found = _BATCH_URL.match(path)
        if not found or found[2].lower().startswith("/composite"):
            response = Response(
                [{"errorCode": "INVALID_INPUT", "message": f"The url is not supported: {path}"}],
                400,
            )
        else:
            response = dispatch(
                org,
                Request(
                    method=str(each.get("method", "GET")).upper(),
                    path=found[2],
                    query=query,
                    headers=request.headers,
                    parsed=each.get("richInput"),
                    version=found[1],
                    user_id=request.user_id,
                    token=request.token,
                    base_url=request.base_url,
                    faults=request.faults,
                ),
            )
        has_errors = has_errors or response.status >= 400
        results.append({"statusCode": response.status, "result": response.embedded()})
    return Response({"hasErrors": has_errors, "results": results})
