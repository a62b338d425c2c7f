"""The server's time, as far as the ``Date`` headers of its answers tell it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime


class ServerClock:
    """Estimates the server's time at a local moment, never ahead of it.

    ``Date`` is cut to whole seconds. Each answer bounds the difference of the two clocks from
    both sides; the lower bound is used. An answer that contradicts the bounds (the server's
    clock was set) starts them anew.
    """

    def __init__(self, local: Callable[[], float] = time.time) -> None:
        self._local = local
        self._lock = threading.Lock()
        self._least: float | None = None
        self._most = 0.0

    def local(self) -> float:
        """This machine's time in Unix seconds."""
        return self._local()

    def observe(self, date: str | None, started: float, ended: float) -> int | None:
        """Note one answer; return its ``Date`` in Unix seconds where it has one.

        ``started`` and ``ended`` are local times of the request.
        """
        if not date:
            return None
        try:
            told = int(parsedate_to_datetime(date).timestamp())
        except ValueError:
            return None
        least, most = told - ended, told + 1 - started
        with self._lock:
            if self._least is None or least > self._most or most < self._least:
                self._least, self._most = least, most
            else:
                self._least = max(self._least, least)
                self._most = min(self._most, most)
        return told

    def at(self, local: float) -> int:
        """The server's time in whole Unix seconds at a local moment."""
        with self._lock:
            return int(local + (self._least or 0.0))

    @property
    def skew_seconds(self) -> float:
        """How far the server's clock is ahead of this machine's, to about half a second.

        0 before the first answer.
        """
        with self._lock:
            return 0.0 if self._least is None else (self._least + self._most) / 2

    def now(self) -> int:
        """The server's time in whole Unix seconds."""
        return self.at(self._local())


def iso(unix_seconds: float) -> str:
    """``YYYY-MM-DDTHH:MM:SSZ``."""
    moment = datetime.fromtimestamp(int(unix_seconds), tz=timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def unix(moment: str) -> int:
    """Unix seconds of an ISO 8601 time in UTC that ends in ``Z``."""
    return int(datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp())
