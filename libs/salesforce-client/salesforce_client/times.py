"""Times as Salesforce takes and gives them: whole seconds in UTC, several spellings."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime, parsedate_to_datetime
from typing import Final

_FORM: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:?\d\d)\Z")


def parse_time(text: str) -> datetime:
    """A moment from any ISO spelling Salesforce uses (``+0000``, ``Z``, 0 to 9 fraction digits).

    Raises:
        ValueError: the text is no such time.
    """
    form = _FORM.match(text)
    if not form:
        raise ValueError("not an ISO 8601 time with an offset")
    seconds, fraction, offset = form.groups()
    moment = datetime.strptime(seconds, "%Y-%m-%dT%H:%M:%S")
    moment += timedelta(microseconds=int((fraction or "0").ljust(6, "0")[:6]))
    shift = timedelta()
    if offset != "Z":
        digits = offset[1:].replace(":", "")
        shift = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        shift = -shift if offset[0] == "-" else shift
    return (moment - shift).replace(tzinfo=timezone.utc)


def iso_z(moment: datetime) -> str:
    """``2026-01-02T03:04:05Z``: the form of bookmarks, ``_source`` and SOQL literals."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def normalised(text: str) -> str:
    """A time in any of Salesforce's spellings, as ``…Z`` and cut to whole seconds."""
    if len(text) == 28 and text.endswith(".000+0000"):
        return text[:19] + "Z"
    return iso_z(parse_time(text))


def http_date(text: str) -> str:
    """An ISO time as ``If-Unmodified-Since`` wants it."""
    return format_datetime(parse_time(text), usegmt=True)


def from_http_date(text: str) -> datetime:
    """The moment a ``Date`` header names."""
    return parsedate_to_datetime(text).astimezone(timezone.utc)
