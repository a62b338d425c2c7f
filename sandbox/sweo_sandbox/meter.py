"""Counts API calls the way the vendor counts them."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Literal, TypedDict

CallKind = Literal["read", "write", "login"]


class CallCounts(TypedDict):
    """``total`` is reads and writes; logins stand apart, in ``logins`` and in ``by_endpoint``."""

    total: int
    reads: int
    writes: int
    logins: int
    by_endpoint: dict[str, int]


class CallMeter:
    """One server's call counter. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_kind: Counter[CallKind] = Counter()
        self._by_endpoint: Counter[str] = Counter()

    def count(self, endpoint: str, kind: CallKind, calls: int = 1) -> None:
        """Add ``calls`` under a name such as ``"GET /query"`` or ``"POST /composite"``."""
        with self._lock:
            self._by_kind[kind] += calls
            self._by_endpoint[endpoint] += calls

    def snapshot(self) -> CallCounts:
        """What was counted since the start or the last :meth:`reset`."""
        with self._lock:
            reads, writes = self._by_kind["read"], self._by_kind["write"]
            return {
                "total": reads + writes,
                "reads": reads,
                "writes": writes,
                "logins": self._by_kind["login"],
                "by_endpoint": dict(sorted(self._by_endpoint.items())),
            }

    def reset(self) -> None:
        """Start again from zero."""
        with self._lock:
            self._by_kind.clear()
            self._by_endpoint.clear()
