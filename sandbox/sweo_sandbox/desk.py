"""The control desk under ``/_sandbox``: clock, call meter, faults, reset, snapshots.

A side hands the desk its data as :class:`SandboxState`; paths under ``/_sandbox`` that the desk
does not know go on to the side's own application, so a side may add some of its own.
"""

from __future__ import annotations

import inspect
import ipaddress
import json
from collections.abc import Callable
from typing import Any, Protocol

from sweo_sandbox.clock import Clock
from sweo_sandbox.faults import AsgiApp, FaultDesk, Receive, Scope, Send
from sweo_sandbox.meter import CallMeter


class SandboxState(Protocol):
    """The data of one side. ``snapshot`` gives anything that ``restore`` takes back."""

    def reset(self) -> None:
        """Back to the state of a fresh start."""

    def snapshot(self) -> Any:
        """A copy of all data."""

    def restore(self, copy: Any) -> None:
        """Make the data what they were at a snapshot."""


class DeskError(ValueError):
    """An order that the desk cannot carry out; answered with 400."""


Order = Callable[[dict[str, Any]], Any]


class Desk:
    """One side's desk, usable in-process through its methods and over HTTP as middleware."""

    def __init__(
        self,
        side: str,
        app: AsgiApp,
        state: SandboxState,
        *,
        clock: Clock,
        meter: CallMeter,
        faults: FaultDesk,
    ) -> None:
        self.side = side
        self._app = app
        self._state = state
        self._clock = clock
        self._meter = meter
        self._faults = faults
        self._snapshots: dict[str, tuple[Any, Any]] = {}
        self._orders: dict[tuple[str, str], Order] = {
            ("GET", "health"): lambda _: {"status": "ok", "side": side},
            ("POST", "reset"): self._reset,
            ("GET", "calls"): lambda _: dict(meter.snapshot()),
            ("DELETE", "calls"): self._reset_calls,
            ("GET", "clock"): lambda _: dict(clock.reading()),
            ("POST", "clock"): self._set_clock,
            ("POST", "snapshot"): self._take_snapshot,
            ("POST", "restore"): self._restore,
            ("GET", "faults"): lambda _: {"faults": faults.rules()},
            ("POST", "faults"): self._add_faults,
            ("DELETE", "faults"): self._clear_faults,
        }

    def add_order(self, method: str, name: str, order: Order) -> None:
        """Serve one more path; ``order`` takes the JSON body and may be awaited."""
        self._orders[method, name] = order

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the desk's own paths, pass on all others."""
        if scope["type"] != "http" or not scope["path"].startswith("/_sandbox/"):
            await self._app(scope, receive, send)
            return
        if not _is_loopback(scope):
            await _answer(send, 403, {"error": "the control desk answers on loopback only"})
            return
        name = scope["path"].removeprefix("/_sandbox/").strip("/")
        order = self._orders.get((scope["method"], name))
        if order is None:
            if any(known == name for _, known in self._orders):
                await _answer(send, 405, {"error": f"{scope['method']} is not known here"})
            else:
                await self._app(scope, receive, send)
            return
        try:
            answer = order(_parse(await _body(receive)))
            if inspect.isawaitable(answer):
                answer = await answer
        except (DeskError, ValueError) as error:
            await _answer(send, 400, {"error": str(error)})
            return
        await _answer(send, 200, answer)

    def reset(self) -> None:
        """Data, clock, calls and faults as at a fresh start; snapshots are dropped."""
        # The clock first: a new org and workspace are stamped with their time of birth.
        self._clock.skew(0)
        self._state.reset()
        self._meter.reset()
        self._faults.clear()
        self._snapshots.clear()

    def _reset(self, _: dict[str, Any]) -> dict[str, Any]:
        self.reset()
        return {"reset": True}

    def _reset_calls(self, _: dict[str, Any]) -> dict[str, Any]:
        self._meter.reset()
        return dict(self._meter.snapshot())

    def _set_clock(self, order: dict[str, Any]) -> dict[str, Any]:
        known = {"freeze", "advance_seconds", "skew_seconds", "now"}
        if not order or not set(order) <= known:
            raise DeskError(f"a clock order has one or more of {', '.join(sorted(known))}")
        for name in ("advance_seconds", "skew_seconds", "now"):
            if name in order and (
                isinstance(order[name], bool) or not isinstance(order[name], int | float)
            ):
                raise DeskError(f"{name} is a number of seconds")
        if "skew_seconds" in order:
            self._clock.skew(order["skew_seconds"])
        if "now" in order:
            self._clock.set(round(order["now"] * 1000))
        if "freeze" in order:
            (self._clock.freeze if order["freeze"] else self._clock.unfreeze)()
        if "advance_seconds" in order:
            self._clock.advance(order["advance_seconds"])
        return dict(self._clock.reading())

    def _take_snapshot(self, order: dict[str, Any]) -> dict[str, Any]:
        name = str(order.get("name", "default"))
        self._snapshots[name] = (self._state.snapshot(), self._clock.state())
        return {"snapshot": name}

    def _restore(self, order: dict[str, Any]) -> dict[str, Any]:
        name = str(order.get("name", "default"))
        if name not in self._snapshots:
            raise DeskError(f"there is no snapshot named {name}")
        data, clock = self._snapshots[name]
        self._state.restore(data)
        self._clock.restore(clock)
        return {"restored": name}

    def _add_faults(self, order: dict[str, Any]) -> dict[str, Any]:
        rules = order.get("faults", [order])
        if not isinstance(rules, list) or not all(isinstance(r, dict) for r in rules):
            raise DeskError("faults is a list of objects")
        added = []
        for rule in rules:
            kind = rule.get("kind")
            if kind is None:
                raise DeskError("a fault needs a kind")
            added.append(
                self._faults.add(kind, **{k: v for k, v in rule.items() if k != "kind"}).view()
            )
        return {"faults": added}

    def _clear_faults(self, _: dict[str, Any]) -> dict[str, Any]:
        self._faults.clear()
        return {"faults": []}


def _is_loopback(scope: Scope) -> bool:
    client = scope.get("client")
    if client is None:
        return True
    try:
        return ipaddress.ip_address(client[0]).is_loopback
    except ValueError:
        # In-process transports name no address.
        return True


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


def _parse(raw: bytes) -> dict[str, Any]:
    if not raw.strip():
        return {}
    order = json.loads(raw)
    if not isinstance(order, dict):
        raise DeskError("an order is a JSON object")
    return order


async def _answer(send: Send, status: int, body: Any) -> None:
    payload = json.dumps(body).encode()
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [
                (b"content-type", b"application/json"),
                (b"content-length", str(len(payload)).encode()),
            ],
        }
    )
    await send({"type": "http.response.body", "body": payload})
