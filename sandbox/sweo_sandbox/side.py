"""One side of the sandbox, put together: application, faults, desk, and the clock's ``Date``."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path
from typing import Any

from sweo_sandbox.clock import Clock
from sweo_sandbox.desk import Desk, DeskError
from sweo_sandbox.faults import AsgiApp, FaultDesk, FaultMiddleware, Message, Receive, Scope, Send
from sweo_sandbox.meter import CallMeter
from sweo_sandbox.salesforce.app import create_app as create_salesforce_app
from sweo_sandbox.salesforce.org import Org
from sweo_sandbox.salesforce.settings import OrgSettings
from sweo_sandbox.seeding.plan import SeedPlan
from sweo_sandbox.sweo.app import create_app as create_sweo_app
from sweo_sandbox.sweo.errors import error_body as sweo_error_body
from sweo_sandbox.sweo.settings import WorkspaceSettings
from sweo_sandbox.sweo.workspace import Workspace


@dataclass
class Side:
    """What a server serves and what a test may reach; ``state`` is the side's own store."""

    name: str
    app: AsgiApp
    state: Any
    clock: Clock
    meter: CallMeter
    faults: FaultDesk
    desk: Desk

    def close(self) -> None:
        """Close the side's files."""
        self.state.close()


class _DateHeader:
    """Every answer tells the side's own time, as a client that measures skew expects."""

    def __init__(self, app: AsgiApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start":
                now = formatdate(self._clock.now_ms() / 1000, usegmt=True)
                message["headers"] = [*message.get("headers", []), (b"date", now.encode())]
            await send(message)

        await self._app(scope, receive, dated)


def sweo_side(settings: WorkspaceSettings, data_dir: Path | None) -> Side:
    """The workspace, in memory or in ``data_dir``."""
    clock, meter, faults = Clock(), CallMeter(), FaultDesk()
    app = create_sweo_app(settings, data_dir, clock, meter)
    workspace: Workspace = app.state.workspace
    guarded = FaultMiddleware(app, faults, sweo_error_body)
    desk = Desk("sweo", guarded, workspace, clock=clock, meter=meter, faults=faults)

    def switch(order: dict[str, Any]) -> dict[str, Any]:
        settings.switch(order)
        return settings.switches()

    def add_segment(order: dict[str, Any]) -> dict[str, Any]:
        return {"id": workspace.segments.add(**order)}

    def seed(order: dict[str, Any]) -> Awaitable[dict[str, int]]:
        from sweo_sandbox.seeding.sweo_rows import seed_workspace  # Faker is slow to import

        return asyncio.to_thread(seed_workspace, workspace, _seed_plan(order))

    desk.add_order("POST", "seed", seed)
    workspace.webhooks.faults = faults

    def subscribe(order: dict[str, Any]) -> dict[str, Any]:
        if "url" not in order or not set(order) <= {"url", "topics"}:
            raise DeskError("a webhook order has a url and, if wanted, topics")
        return {"id": workspace.webhooks.subscribe(order["url"], order.get("topics"))}

    def unsubscribe(order: dict[str, Any]) -> dict[str, Any]:
        return {"ended": workspace.webhooks.unsubscribe(order.get("id"))}

    desk.add_order("POST", "webhooks", subscribe)
    desk.add_order("DELETE", "webhooks", unsubscribe)
    desk.add_order("POST", "webhooks/ping", lambda _: {"owed": workspace.webhooks.ping()})
    desk.add_order(
        "GET",
        "webhooks",
        lambda _: {
            "subscriptions": workspace.webhooks.subscriptions(),
            "deliveries": workspace.webhooks.deliveries(),
        },
    )
    desk.add_order("GET", "settings", lambda _: settings.switches())
    desk.add_order("POST", "settings", switch)
    desk.add_order("POST", "segments", add_segment)
    return Side("sweo", _DateHeader(desk, clock), workspace, clock, meter, faults, desk)


def _seed_plan(order: dict[str, Any]) -> SeedPlan:
    known = {"accounts", "contacts", "random_seed"}
    if not set(order) <= known or not {"accounts", "contacts"} <= set(order):
        raise DeskError("a seed order has accounts, contacts and, if wanted, random_seed")
    if any(isinstance(v, bool) or not isinstance(v, int) or v < 0 for v in order.values()):
        raise DeskError("a seed order holds whole numbers from 0")
    return SeedPlan(**order)


class _OrgState:
    """The org's snapshots are files; the desk keeps them as temporary ones."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def reset(self) -> None:
        self._org.reset()

    def snapshot(self) -> tempfile.TemporaryDirectory[str]:
        directory = tempfile.TemporaryDirectory()
        self._org.snapshot(Path(directory.name) / "org.db")
        return directory

    def restore(self, copy: tempfile.TemporaryDirectory[str]) -> None:
        self._org.restore(Path(copy.name) / "org.db")


def salesforce_side(settings: OrgSettings, data_dir: Path | None) -> Side:
    """The org, in a temporary directory or in ``data_dir``."""
    clock, meter, faults = Clock(), CallMeter(), FaultDesk()
    app = create_salesforce_app(settings, data_dir, clock, meter)
    org: Org = app.state.org
    guarded = FaultMiddleware(app, faults, salesforce_error_body)
    desk = Desk("salesforce", guarded, _OrgState(org), clock=clock, meter=meter, faults=faults)

    def seed(order: dict[str, Any]) -> Awaitable[dict[str, int]]:
        from sweo_sandbox.seeding.salesforce_rows import seed_org  # Faker is slow to import

        return asyncio.to_thread(seed_org, org, _seed_plan(order))

    desk.add_order("POST", "seed", seed)
    return Side("salesforce", _DateHeader(desk, clock), org, clock, meter, faults, desk)


def salesforce_error_body(status: int) -> list[dict[str, str]]:
    """What Salesforce sends with a bare status."""
    code, message = {
        401: ("INVALID_SESSION_ID", "Session expired or invalid"),
        403: ("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
        404: ("NOT_FOUND", "The requested resource does not exist"),
        429: (
            "REQUEST_LIMIT_EXCEEDED",
            "ConcurrentRequests (Concurrent API Requests) Limit exceeded.",
        ),
        503: ("SERVER_UNAVAILABLE", "The server is temporarily unavailable"),
    }.get(status, ("UNKNOWN_EXCEPTION", "An unexpected error occurred."))
    return [{"message": message, "errorCode": code}]
