"""How many calls were made."""

from __future__ import annotations

import threading


class CallMeter:
    """Counts every request that was sent, retries too. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reads = 0
        self._writes = 0

    def count(self, *, write: bool) -> None:
        """Note one request."""
        with self._lock:
            if write:
                self._writes += 1
            else:
                self._reads += 1

    @property
    def calls(self) -> int:
        """Reads and writes together."""
        return self._reads + self._writes

    @property
    def reads(self) -> int:
        """Requests that change nothing; searches are among them."""
        return self._reads

    @property
    def writes(self) -> int:
        """Requests that may change something."""
        return self._writes
