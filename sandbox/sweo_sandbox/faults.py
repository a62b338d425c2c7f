"""The fault desk: makes chosen requests go wrong in the ways that real networks and vendors do.

A rule says which requests (side, method, path pattern, nth, probability), what happens, and how
often. :class:`FaultMiddleware` carries out the faults of the wire; the faults of the vendor's own
logic (``partial_success``, ``UNABLE_TO_LOCK_ROW``, ``REQUEST_LIMIT_EXCEEDED``) are put into the
ASGI scope under :data:`SCOPE_KEY` for the application to obey; those of webhooks are asked for by
topic when a notification is made.
"""

from __future__ import annotations

import asyncio
import fnmatch
import json
import random
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

FaultKind = Literal[
    "delay",
    "reset_before",
    "reset_after",
    "status",
    "truncate",
    "partial_success",
    "UNABLE_TO_LOCK_ROW",
    "REQUEST_LIMIT_EXCEEDED",
    "webhook_lost",
    "webhook_doubled",
    "webhook_out_of_order",
]
WEBHOOK_KINDS: frozenset[str] = frozenset(
    {"webhook_lost", "webhook_doubled", "webhook_out_of_order"}
)
VENDOR_KINDS: frozenset[str] = frozenset(
    {"partial_success", "UNABLE_TO_LOCK_ROW", "REQUEST_LIMIT_EXCEEDED"}
)
STATUSES = frozenset({400, 401, 403, 404, 409, 429, 500, 502, 503, 504})
SCOPE_KEY = "sweo_sandbox.faults"
ABORT_EXTENSION = "sweo_sandbox.abort"

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]
ErrorBody = Callable[[int], Any]
"""From a status to the JSON body that the vendor sends with it."""


class ConnectionLostError(ConnectionResetError):
    """The answer never arrives. Over a socket the server closes; in-process this is raised."""


@dataclass
class FaultRule:
    """One order to the desk.

    ``endpoint`` is a shell pattern on the path, optionally behind a method
    (``"PUT /contacts/*"``, ``"*/composite*"``); ``nth`` counts matching requests from 1 and picks
    that one only; ``probability`` is drawn per matching request from a generator of this rule's
    own ``seed``; after ``times`` faults the rule is spent (None: never).
    ``status`` and ``delay_seconds`` belong to the kinds of those names; ``rows`` are the indexes
    that ``partial_success`` and ``UNABLE_TO_LOCK_ROW`` hit in a collection (None: every second
    row for ``partial_success``, all for the other).
    """

    kind: FaultKind
    endpoint: str = "*"
    nth: int | None = None
    probability: float = 1.0
    seed: int = 0
    times: int | None = None
    status: int = 500
    delay_seconds: float = 0.0
    rows: list[int] | None = None
    id: int = 0
    seen: int = 0
    applied: int = 0
    _random: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Check the order.

        Raises:
            ValueError: it cannot be carried out; the message says why.
        """
        if self.kind not in get_args(FaultKind):
            raise ValueError(
                f"fault kind {self.kind!r} is none of {', '.join(get_args(FaultKind))}"
            )
        if self.kind == "status" and self.status not in STATUSES:
            raise ValueError(f"fault status {self.status} is none of {sorted(STATUSES)}")
        if not 0 <= self.probability <= 1:
            raise ValueError("fault probability is outside 0 to 1")
        if self.nth is not None and self.nth < 1:
            raise ValueError("fault nth counts from 1")
        self._random = random.Random(self.seed)  # noqa: S311 - a repeatable draw

    def matches(self, method: str, path: str) -> bool:
        """Whether the pattern covers this request."""
        wanted_method, _, pattern = self.endpoint.rpartition(" ")
        if wanted_method and wanted_method.upper() not in (method.upper(), "*"):
            return False
        return fnmatch.fnmatchcase(path.lower(), pattern.lower())

    def strikes(self) -> bool:
        """Count one matching request and say whether this one is hit."""
        if self.times is not None and self.applied >= self.times:
            return False
        self.seen += 1
        if self.nth is not None and self.seen != self.nth:
            return False
        if self.probability < 1 and self._random.random() >= self.probability:
            return False
        self.applied += 1
        return True

    def view(self) -> dict[str, Any]:
        """The rule as the control desk shows it, with how often it matched and struck."""
        return {
            "id": self.id,
            "kind": self.kind,
            "endpoint": self.endpoint,
            "nth": self.nth,
            "probability": self.probability,
            "seed": self.seed,
            "times": self.times,
            "status": self.status,
            "delay_seconds": self.delay_seconds,
            "rows": self.rows,
            "seen": self.seen,
            "applied": self.applied,
        }


_ORDER_KEYS = (
    "kind",
    "endpoint",
    "nth",
    "probability",
    "seed",
    "times",
    "status",
    "delay_seconds",
    "rows",
)


class FaultDesk:
    """The rules in force on one server. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[FaultRule] = []
        self._last_id = 0

    def add(self, kind: FaultKind, **order: Any) -> FaultRule:
        """Put a rule in force; the keywords are those of :class:`FaultRule`.

        Raises:
            ValueError: the order names an unknown key or a value that cannot be carried out.
        """
        unknown = [key for key in order if key not in _ORDER_KEYS]
        if unknown:
            raise ValueError(f"unknown fault settings: {', '.join(sorted(unknown))}")
        rule = FaultRule(kind=kind, **order)
        with self._lock:
            self._last_id += 1
            rule.id = self._last_id
            self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """Drop every rule."""
        with self._lock:
            self._rules.clear()

    def rules(self) -> list[dict[str, Any]]:
        """Every rule, spent ones too, with its counts."""
        with self._lock:
            return [rule.view() for rule in self._rules]

    def strike(self, method: str, path: str) -> list[FaultRule]:
        """The rules that hit this request, in the order in which they were given."""
        with self._lock:
            return [
                rule
                for rule in self._rules
                if rule.kind not in WEBHOOK_KINDS and rule.matches(method, path) and rule.strikes()
            ]

    def strike_webhook(self, topic: str) -> list[FaultRule]:
        """The rules that hit a notification; their ``endpoint`` is a pattern on its topic."""
        with self._lock:
            return [
                rule
                for rule in self._rules
                if rule.kind in WEBHOOK_KINDS and rule.matches("WEBHOOK", topic) and rule.strikes()
            ]


def struck(scope: Scope, kind: FaultKind) -> FaultRule | None:
    """The rule of a vendor kind that hit this request, for the application to obey."""
    rules: list[FaultRule] = scope.get(SCOPE_KEY, [])
    return next((rule for rule in rules if rule.kind == kind), None)


class FaultMiddleware:
    """Stands around an application and carries out the faults of the wire.

    ``error_body`` makes the vendor's JSON body for an injected status.
    """

    def __init__(self, app: AsgiApp, desk: FaultDesk, error_body: ErrorBody) -> None:
        self._app = app
        self._desk = desk
        self._error_body = error_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or have it go wrong."""
        if scope["type"] != "http" or scope["path"].startswith("/_sandbox"):
            await self._app(scope, receive, send)
            return
        rules = {rule.kind: rule for rule in self._desk.strike(scope["method"], scope["path"])}
        scope[SCOPE_KEY] = list(rules.values())
        if "delay" in rules:
            await asyncio.sleep(rules["delay"].delay_seconds)
        if "reset_before" in rules:
            raise _lost(scope)
        if "status" in rules:
            await _answer(send, rules["status"].status, self._error_body(rules["status"].status))
            return
        if "reset_after" in rules:
            await self._app(scope, receive, _swallow)
            raise _lost(scope)
        if "truncate" in rules:
            await self._truncated(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _truncated(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Announce the whole length, send half of it, close."""
        start: Message = {}
        body = bytearray()

        async def collect(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            else:
                body.extend(message.get("body", b""))

        await self._app(scope, receive, collect)
        await send(start)
        await send(
            {"type": "http.response.body", "body": bytes(body[: len(body) // 2]), "more_body": True}
        )
        raise _lost(scope, after_flush=True)


def _lost(scope: Scope, *, after_flush: bool = False) -> ConnectionLostError:
    abort = scope.get("extensions", {}).get(ABORT_EXTENSION)
    if abort is not None:
        abort(after_flush=after_flush)
    return ConnectionLostError("connection closed by the fault desk")


async def _swallow(message: Message) -> None:
    """An answer that nobody hears."""


async def _answer(send: Send, status: int, body: Any) -> None:
    payload = json.dumps(body).encode()
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"application/json;charset=UTF-8"),
                (b"content-length", str(len(payload)).encode()),
            ],
        }
    )
    await send({"type": "http.response.body", "body": payload})
