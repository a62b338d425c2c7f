"""Time as the ledger writes it: UTC, ISO 8601, of one length, so that text sorts as time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(timezone.utc)


def stamp(moment: datetime) -> str:
    """``2026-01-02T03:04:05.000006Z``."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_stamp(value: str) -> datetime:
    """Read any ISO 8601 time with an offset or a ``Z``."""
    return datetime.fromisoformat(value.replace("Z", "+00:00"))


def later(moment: datetime, seconds: float) -> str:
    """``moment`` plus some seconds, as text."""
    return stamp(moment + timedelta(seconds=seconds))


def seconds_of(value: str) -> float:
    """A time of text as seconds since 1970."""
    return parse_stamp(value).timestamp()
