"""Dates, times and the vendor's named date ranges.

Instants are milliseconds since 1970 UTC. The org's time zone is UTC, its weeks start on Sunday
(locale en_US) and its fiscal year on 1 January.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone

DAY_MS = 86_400_000

_DATETIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{0,6}))?([Zz]|[+-]\d{2}:?\d{2})"
)


@dataclass(slots=True, frozen=True)
class Range:
    """From ``start_ms`` up to, but without, ``end_ms``; both at midnight but for "until now"."""

    start_ms: int
    end_ms: int

    @property
    def start_date(self) -> str:
        """The first day, ``YYYY-MM-DD``."""
        return _date_text(self.start_ms)

    @property
    def end_date(self) -> str:
        """The day after the last day, ``YYYY-MM-DD``."""
        return _date_text(-(-self.end_ms // DAY_MS) * DAY_MS)


def datetime_ms(text: str) -> int:
    """The instant of a datetime literal with 0 to 6 fraction digits and any offset.

    Raises:
        ValueError: no such day or time.
    """
    match = _DATETIME.fullmatch(text)
    if match is None:
        raise ValueError(f"not a datetime: {text}")
    day, hour, minute, second, fraction, offset = match.groups()
    local = datetime.combine(date.fromisoformat(day), datetime.min.time(), timezone.utc)
    if int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        raise ValueError(f"not a time of day: {text}")
    ms = _ms(local) + (int(hour) * 3600 + int(minute) * 60 + int(second)) * 1000
    ms += int((fraction or "").ljust(6, "0")) // 1000
    return ms - _offset_ms(offset)


def date_text(text: str) -> str:
    """A date literal, checked against the calendar.

    Raises:
        ValueError: no such day.
    """
    return date.fromisoformat(text).isoformat()


def named_range(name: str, count: int | None, now_ms: int) -> Range:
    """The range that ``TODAY``, ``LAST_N_MONTHS:3`` … names at ``now_ms``.

    Raises:
        ValueError, OverflowError: the range leaves the calendar.
    """
    today = datetime.fromtimestamp(now_ms / 1000, timezone.utc).date()
    if count is None:
        return _uncounted(name, today, now_ms)
    return _counted(name, count, today, now_ms)


def _uncounted(name: str, today: date, now_ms: int) -> Range:
    if name == "LAST_90_DAYS":
        return Range(_midnight(today - timedelta(days=90)), _until_now(now_ms))
    if name == "NEXT_90_DAYS":
        return _days(today + timedelta(days=1), today + timedelta(days=91))
    if name in ("YESTERDAY", "TODAY", "TOMORROW"):
        first = today + timedelta(days=("YESTERDAY", "TODAY", "TOMORROW").index(name) - 1)
        return _days(first, first + timedelta(days=1))
    which, unit = name.replace("FISCAL_", "").split("_")
    shift = {"LAST": -1, "THIS": 0, "NEXT": 1}[which]
    start = _UNITS[unit]
    return _days(start(today, shift), start(today, shift + 1))


def _counted(name: str, count: int, today: date, now_ms: int) -> Range:
    name = name.replace("FISCAL_", "")
    if name == "LAST_N_DAYS":
        return Range(_midnight(today - timedelta(days=count)), _until_now(now_ms))
    ago = name.endswith("_AGO")
    start = _UNITS[name.split("_")[1 if ago else 2].removesuffix("S")]
    if ago:
        return _days(start(today, -count), start(today, 1 - count))
    if name.startswith("LAST_"):
        return _days(start(today, -count), start(today, 0))
    return _days(start(today, 1), start(today, count + 1))


def _start_of_day(today: date, shift: int) -> date:
    return today + timedelta(days=shift)


def _start_of_week(today: date, shift: int) -> date:
    return today - timedelta(days=today.isoweekday() % 7) + timedelta(weeks=shift)


def _start_of_month(today: date, shift: int) -> date:
    month = today.year * 12 + today.month - 1 + shift
    return date(month // 12, month % 12 + 1, 1)


def _start_of_quarter(today: date, shift: int) -> date:
    return _start_of_month(date(today.year, (today.month - 1) // 3 * 3 + 1, 1), shift * 3)


def _start_of_year(today: date, shift: int) -> date:
    return date(today.year + shift, 1, 1)


_UNITS: dict[str, Callable[[date, int], date]] = {
    "DAY": _start_of_day,
    "WEEK": _start_of_week,
    "MONTH": _start_of_month,
    "QUARTER": _start_of_quarter,
    "YEAR": _start_of_year,
}

_PERIODS = ("WEEK", "MONTH", "QUARTER", "YEAR", "FISCAL_QUARTER", "FISCAL_YEAR")
RANGES = frozenset(
    ["YESTERDAY", "TODAY", "TOMORROW", "LAST_90_DAYS", "NEXT_90_DAYS"]
    + [f"{which}_{period}" for which in ("LAST", "THIS", "NEXT") for period in _PERIODS]
)
COUNTED_RANGES = frozenset(
    pattern.format(period)
    for period in ("DAY", *_PERIODS)
    for pattern in ("LAST_N_{}S", "NEXT_N_{}S", "N_{}S_AGO")
)


def _days(first: date, after_last: date) -> Range:
    return Range(_midnight(first), _midnight(after_last))


def _midnight(day: date) -> int:
    return _ms(datetime(day.year, day.month, day.day, tzinfo=timezone.utc))


def _until_now(now_ms: int) -> int:
    return now_ms // 1000 * 1000 + 1000


def _ms(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(milliseconds=1)


def _date_text(ms: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=ms // DAY_MS)).isoformat()


def _offset_ms(offset: str) -> int:
    if offset in ("Z", "z"):
        return 0
    digits = offset[1:].replace(":", "")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    return (-minutes if offset[0] == "-" else minutes) * 60_000
