"""One clock and one source of randomness for everything that a run of the simulation touches."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import requests.sessions
import salesforce_client.auth
import salesforce_client.bulk
import salesforce_client.transport
import singer_runtime.target
import stamina
import sweo_client.query
import sweo_sandbox.sweo.limits
import tap_salesforce.streams
import tap_sweo.reading
import target_sweo.sinks
from crosswalk.ledger import Ledger, engine as ledger_engine, runs
from requests.adapters import HTTPAdapter
from sqlalchemy import Engine, create_engine
from sqlalchemy.dialects.sqlite.base import SQLiteDialect
from sweo_client.clock import ServerClock
from sweo_client.pace import Pace
from sweo_sandbox.sweo import ids


class InlineExecutor(Executor):
    """Runs what it is given at once, in the caller's thread: one order of calls, always."""

    def __init__(self, max_workers: int | None = None) -> None:
        del max_workers

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future


_TIMED = (
    salesforce_client.auth,
    salesforce_client.bulk,
    salesforce_client.transport,
    singer_runtime.target,
    sweo_sandbox.sweo.limits,
    tap_salesforce.streams,
    tap_sweo.reading,
)

BEGINNING = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc).timestamp()


class VirtualTime:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = BEGINNING

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += max(seconds, 0.0)

    def clock(self) -> datetime:
        return datetime.fromtimestamp(self.now, timezone.utc)


_statements: list[Any] = []


def _engine(url: Any, **kwargs: Any) -> Engine:
    """An engine that does not compile again what an earlier one of this process has compiled."""
    made = create_engine(url, **kwargs)
    if not _statements:
        _statements.append(made._compiled_cache)
    made._compiled_cache = _statements[0]
    return made


@contextmanager
def virtual(
    time: VirtualTime,
    chance: random.Random,
    send: Callable[..., Any],
    process: Callable[[], tuple[int, dict[int, int]]],
) -> Iterator[None]:
    """Put virtual time, seeded ids and the in-process transport under the real code.

    ``process`` tells who runs now: a process number, and the numbers of all living processes,
    so that the lease of a dead one is seen to be dead.
    """

    def started(pid: int) -> str:
        return str(process()[1].get(pid, 0))

    def seeded_uuid() -> uuid.UUID:
        return uuid.UUID(int=chance.getrandbits(128), version=4)

    def adapter_send(adapter: HTTPAdapter, request: Any, **kwargs: Any) -> Any:
        return send(adapter, request, **kwargs)

    with ExitStack() as stack:
        enter = stack.enter_context
        enter(patch.object(HTTPAdapter, "send", adapter_send))
        enter(patch.object(requests.sessions, "preferred_clock", time.time))
        enter(patch.object(ServerClock.__init__, "__defaults__", (time.time,)))
        defaults = Pace.__init__.__kwdefaults__ or {}
        if defaults:
            swapped = {**defaults, "sleep": time.sleep, "monotonic": time.time}
            enter(patch.object(Pace.__init__, "__kwdefaults__", swapped))
        else:
            count = len(Pace.__init__.__defaults__ or ())
            enter(patch.object(Pace.__init__, "__defaults__", (time.sleep, time.time)[-count:]))
        enter(patch.object(ledger_engine, "create_engine", _engine))
        # Compiled statements are kept by dialect, and every engine makes one of its own.
        enter(patch.object(SQLiteDialect, "__eq__", lambda a, b: type(a) is type(b)))
        enter(patch.object(SQLiteDialect, "__hash__", lambda a: hash(type(a))))
        for method in (Ledger.__init__, Ledger.open.__func__, Ledger.open_existing.__func__):  # type: ignore[attr-defined]
            enter(patch.object(method, "__defaults__", (time.clock,)))
        for module in (sweo_client.query, target_sweo.sinks):
            enter(patch.object(module, "ThreadPoolExecutor", InlineExecutor))
        enter(patch.object(runs, "_process_started", started))
        enter(patch.object(runs.os, "getpid", lambda: process()[0]))
        # Hearts beat as long as their process lives, whatever a slow call takes.
        enter(patch.object(runs.Lease, "_beat", lambda _: None))
        enter(patch.object(runs, "EXPIRES_SECONDS", 1e9))
        steady = SimpleNamespace(time=time.time, monotonic=time.time, sleep=time.sleep)
        for module in _TIMED:
            enter(patch.object(module, "time", steady))
        enter(patch.object(uuid, "uuid4", seeded_uuid))
        enter(
            patch.object(
                ids.secrets,
                "token_hex",
                lambda size: f"{chance.getrandbits(8 * size):0{2 * size}x}",
            )
        )
        stamina.set_testing(True, attempts=8, cap=True)
        try:
            yield
        finally:
            stamina.set_testing(False)
