"""A clock that a test can stop, move and set apart from the other side's."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TypedDict


class ClockReading(TypedDict):
    """What ``GET /_sandbox/clock`` answers; ``now`` is in unix seconds with a fraction."""

    now: float
    offset_seconds: float
    frozen: bool


@dataclass(frozen=True)
class ClockState:
    """A moment of the clock that :meth:`Clock.restore` goes back to."""

    offset_ms: int
    frozen_at_ms: int | None


class Clock:
    """Milliseconds since 1970 UTC, real time plus an offset unless frozen.

    Each server has its own, so the two sides can be skewed against each other. Thread-safe.
    """

    def __init__(self, offset_seconds: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._offset_ms = round(offset_seconds * 1000)
        self._frozen_at_ms: int | None = None

    def now_ms(self) -> int:
        """The time to stamp on records, in milliseconds since 1970 UTC."""
        with self._lock:
            return self._now_ms()

    def now_seconds(self) -> int:
        """The time in whole seconds since 1970 UTC, rounded down."""
        return self.now_ms() // 1000

    def freeze(self, at_ms: int | None = None) -> None:
        """Stop at ``at_ms``, or at the present moment."""
        with self._lock:
            self._frozen_at_ms = self._now_ms() if at_ms is None else at_ms

    def unfreeze(self) -> None:
        """Go on from where the clock stands."""
        with self._lock:
            if self._frozen_at_ms is not None:
                self._offset_ms = self._frozen_at_ms - _real_ms()
                self._frozen_at_ms = None

    def advance(self, seconds: float) -> None:
        """Move forward (or back, when negative), frozen or not."""
        with self._lock:
            moved_ms = round(seconds * 1000)
            if self._frozen_at_ms is not None:
                self._frozen_at_ms += moved_ms
            else:
                self._offset_ms += moved_ms

    def set(self, at_ms: int) -> None:
        """Make it ``at_ms`` now; a frozen clock stays frozen there."""
        with self._lock:
            if self._frozen_at_ms is not None:
                self._frozen_at_ms = at_ms
            else:
                self._offset_ms = at_ms - _real_ms()

    def skew(self, seconds: float) -> None:
        """Set the offset from real time; this ends a freeze."""
        with self._lock:
            self._frozen_at_ms = None
            self._offset_ms = round(seconds * 1000)

    def reading(self) -> ClockReading:
        """The present state as the control desk shows it."""
        with self._lock:
            now_ms = self._now_ms()
            return {
                "now": now_ms / 1000,
                "offset_seconds": (now_ms - _real_ms()) / 1000,
                "frozen": self._frozen_at_ms is not None,
            }

    def state(self) -> ClockState:
        """What :meth:`restore` needs to come back to this setting."""
        with self._lock:
            return ClockState(self._offset_ms, self._frozen_at_ms)

    def restore(self, state: ClockState) -> None:
        """Go back to an earlier :meth:`state`; a running clock keeps its offset, not its time."""
        with self._lock:
            self._offset_ms = state.offset_ms
            self._frozen_at_ms = state.frozen_at_ms

    def _now_ms(self) -> int:
        if self._frozen_at_ms is not None:
            return self._frozen_at_ms
        return _real_ms() + self._offset_ms


def _real_ms() -> int:
    return time.time_ns() // 1_000_000
