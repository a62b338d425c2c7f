"""Dates and times: text of either vendor to canonical text, and between the two kinds.

A date becomes a timestamp as noon of that day in the workspace's zone, and a timestamp a date
as the day that the clock there shows: noon survives any change of the zone's offset.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from functools import lru_cache
from zoneinfo import ZoneInfo

from crosswalk.errors import FatalError

_EPOCH = datetime(1970, 1, 1)
_LAST_SECOND = 253_402_300_799  # 9999-12-31T23:59:59Z
_FIRST_SECOND = -62_135_596_800  # 0001-01-01T00:00:00Z
_TWO = tuple(f"{number:02d}" for number in range(60))
_REST_DATETIME = 28  # the length of 2026-01-02T03:04:05.000+0000
_DATETIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2})(?:\.\d{1,9})?"
    r"(?:Z|([+-])([01]\d|2[0-3]):?([0-5]\d))",
    re.ASCII,
)
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)


def timestamp_from_text(text: str) -> str:
    """Canonical form of an ISO 8601 time with any offset; fractions of a second are cut.

    Raises:
        ValueError: it is not such a time.
    """
    # fromisoformat also reads week dates and times without colons, hence the look at every third.
    if len(text) == _REST_DATETIME and text[4:20:3] == "--T::." and text[20:] == "000+0000":
        second = text[:19]
        datetime.fromisoformat(second)
        return second + "Z"
    found = _DATETIME.fullmatch(text)
    if found is None:
        raise ValueError("not an ISO 8601 time with an offset")
    day, clock, sign, hours, minutes = found.groups()
    moment = datetime.fromisoformat(f"{day}T{clock}")
    if sign:
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        try:
            moment = moment - offset if sign == "+" else moment + offset
        except OverflowError:
            raise ValueError("outside the years 1 to 9999") from None
    return moment.isoformat() + "Z"


def timestamp_from_seconds(seconds: int) -> str:
    """Canonical form of seconds since 1970 UTC.

    Raises:
        ValueError: outside the years 1 to 9999.
    """
    if not _FIRST_SECOND <= seconds <= _LAST_SECOND:
        raise ValueError("outside the years 1 to 9999")
    days, second = divmod(seconds, 86_400)
    minute, second = divmod(second, 60)
    hour, minute = divmod(minute, 60)
    return f"{_day(days)}T{_TWO[hour]}:{_TWO[minute]}:{_TWO[second]}Z"


@lru_cache(maxsize=8192)
def _day(days: int) -> str:
    return (_EPOCH + timedelta(days=days)).date().isoformat()


def seconds_of(timestamp: str) -> int:
    """Seconds since 1970 UTC of a canonical timestamp."""
    since = datetime.fromisoformat(timestamp[:-1]) - _EPOCH
    return since.days * 86_400 + since.seconds


@lru_cache(maxsize=8192)
def date_from_text(text: str) -> str:
    """The same text, once it is a day of the calendar.

    Raises:
        ValueError: it is not ``YYYY-MM-DD``.
    """
    if len(text) != 10 or not _DATE.fullmatch(text):
        raise ValueError("not YYYY-MM-DD")
    date.fromisoformat(text)
    return text


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """The IANA time zone of that name.

    Raises:
        FatalError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise FatalError(
            f"The workspace's time zone {name!r} is not known here; see app.timezone of /me."
        ) from None


def noon(day: str, where: ZoneInfo) -> str:
    """The canonical timestamp of noon on a day.

    Raises:
        ValueError: noon lies outside the years 1 to 9999 in UTC.
    """
    year, month, of_month = int(day[:4]), int(day[5:7]), int(day[8:])
    moment = datetime(year, month, of_month, 12, tzinfo=where)
    try:
        return moment.astimezone(timezone.utc).replace(tzinfo=None).isoformat() + "Z"
    except OverflowError:
        raise ValueError("outside the years 1 to 9999") from None


def day_of(timestamp: str, where: ZoneInfo) -> str:
    """The day that a calendar there shows at that time.

    Raises:
        ValueError: it lies outside the years 1 to 9999 there.
    """
    moment = datetime.fromisoformat(timestamp[:-1]).replace(tzinfo=timezone.utc)
    try:
        return moment.astimezone(where).date().isoformat()
    except OverflowError:
        raise ValueError("outside the years 1 to 9999") from None
