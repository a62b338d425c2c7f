"""Obeys ``X-RateLimit-*``: slows down when a window runs low, and sits a full one out.

Limits are enforced in windows of ten seconds; ``X-RateLimit-Reset`` is in Unix seconds by the
server's clock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from sweo_client.clock import ServerClock

WINDOW_SECONDS = 10.0
LOW_SHARE = 0.2
LONGEST_PAUSE_SECONDS = 60.0


class Pace:
    """One rate limit, shared by every thread that calls."""

    def __init__(
        self,
        clock: ServerClock,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._limit = 0
        self._left: int | None = None
        self._window_ends = 0.0
        self._next_start = 0.0

    def wait(self) -> None:
        """Return when the next request may be sent."""
        with self._lock:
            now = self._monotonic()
            start = max(now, self._next_start)
            if self._left is not None:
                if start >= self._window_ends:
                    self._left = None
                else:
                    start += self._share_of_window(start)
            self._next_start = start
            pause = start - now
        if pause > 0:
            self._sleep(pause)

    def _share_of_window(self, start: float) -> float:
        assert self._left is not None  # noqa: S101
        remaining_seconds = self._window_ends - start
        self._left -= 1
        if self._left < 0:
            self._left = None
            return remaining_seconds
        if self._left >= self._limit * LOW_SHARE:
            return 0.0
        return remaining_seconds / (self._left + 1)

    def observe(self, headers: Mapping[str, str]) -> None:
        """Note what an answer says about the limit; answers without the headers say nothing."""
        try:
            limit = int(headers["X-RateLimit-Limit"])
            left = int(headers["X-RateLimit-Remaining"])
            reset = float(headers["X-RateLimit-Reset"])
        except (KeyError, ValueError):
            return
        seconds = min(max(reset - self._clock.now(), 0.0), LONGEST_PAUSE_SECONDS)
        with self._lock:
            ends = self._monotonic() + seconds
            same_window = self._left is not None and abs(ends - self._window_ends) < 2.0
            self._left = min(left, self._left) if same_window and self._left is not None else left
            self._limit = limit
            self._window_ends = ends

    def refused(self, headers: Mapping[str, str]) -> None:
        """Note a 429: nobody sends before the window is over."""
        try:
            seconds = float(headers["X-RateLimit-Reset"]) - self._clock.now()
        except (KeyError, ValueError):
            seconds = WINDOW_SECONDS
        seconds = min(max(seconds, 0.0), LONGEST_PAUSE_SECONDS)
        with self._lock:
            self._left = None
            self._next_start = max(self._next_start, self._monotonic() + seconds)
