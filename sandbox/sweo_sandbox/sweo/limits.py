"""The rate limit: so many requests in each window of ten seconds."""

from __future__ import annotations

import math
import threading
import time
from dataclasses import dataclass

from sweo_sandbox.clock import Clock
from sweo_sandbox.sweo.settings import WorkspaceSettings

WINDOW_SECONDS = 10


@dataclass(frozen=True)
class Allowance:
    """What one request may know of the limit; ``reset_at`` is in unix seconds by our clock."""

    limit: int
    remaining: int
    reset_at: int
    exceeded: bool

    def headers(self) -> dict[str, str]:
        """The ``X-RateLimit-*`` headers."""
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset_at),
        }


class RateLimit:
    """Windows run in real time, also while the workspace's clock is frozen."""

    def __init__(self, settings: WorkspaceSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._window = -1
        self._used = 0

    def take(self) -> Allowance | None:
        """Count one request; None when no limit is set."""
        per_minute = self._settings.requests_per_minute
        if per_minute is None:
            return None
        limit = max(1, per_minute * WINDOW_SECONDS // 60)
        real_seconds = time.time()
        window = int(real_seconds // WINDOW_SECONDS)
        with self._lock:
            if window != self._window:
                self._window, self._used = window, 0
            self._used += 1
            used = self._used
        left_seconds = (window + 1) * WINDOW_SECONDS - real_seconds
        return Allowance(
            limit=limit,
            remaining=max(0, limit - used),
            reset_at=math.ceil(self._clock.now_ms() / 1000 + left_seconds),
            exceeded=used > limit,
        )
