"""One HTTP session: time limits, a call meter, the server's clock, the org's own usage count."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Final

import requests

from salesforce_client.times import from_http_date, iso_z

CONNECT_SECONDS: Final = 10.0
READ_SECONDS: Final = 120.0  # a query may take two minutes before Salesforce itself ends it
_USAGE: Final = re.compile(r"api-usage=(\d+)/(\d+)")


@dataclass(frozen=True, slots=True)
class ApiUsage:
    """The org's calls of the last 24 hours, every client's together, and its allotment."""

    used: int
    allowed: int


@dataclass(frozen=True, slots=True)
class ServerTimes:
    """When, by the server's clock, a request surely had not begun, and when it was answered."""

    started_at: str
    answered_at: str


class MeteredSession(requests.Session):
    """A ``requests.Session`` for simple-salesforce to use.

    ``skew_seconds`` is the server's clock minus ours, by the last answer, cut to whole seconds;
    ``knows_time`` says that there was one.
    ``calls`` counts answers of the data API; ``logins`` those of the token endpoint, which
    Salesforce does not meter. ``usage`` is what ``Sforce-Limit-Info`` said last.
    """

    def __init__(
        self, *, connect_seconds: float = CONNECT_SECONDS, read_seconds: float = READ_SECONDS
    ) -> None:
        super().__init__()
        self._limits = (connect_seconds, read_seconds)
        self.calls = 0
        self.logins = 0
        self.by_endpoint: Counter[str] = Counter()
        self.usage: ApiUsage | None = None
        self.skew_seconds = 0.0
        self.knows_time = False

    def request(
        self,
        method: str | bytes,
        url: str | bytes,
        *args: Any,
        **kwargs: Any,
    ) -> requests.Response:
        """Send one request; redirects are not followed, and nothing is sent twice."""
        kwargs.setdefault("timeout", self._limits)
        kwargs.setdefault("allow_redirects", False)
        headers: Mapping[str, str] = kwargs.get("headers") or {}
        # simple-salesforce always asks for indented JSON, which is a third more bytes.
        kwargs["headers"] = {k: v for k, v in headers.items() if k.lower() != "x-prettyprint"}
        response = super().request(method, url, *args, **kwargs)
        self._meter(response)
        return response

    def _note_skew(self, response: requests.Response) -> None:
        told = _date_of(response)
        if told is not None:
            self.skew_seconds = told.timestamp() - int(time.time())

    def learn_time(self, instance_url: str) -> None:
        """Ask the server for nothing but its clock, by what needs no session and is not metered."""
        self._note_skew(
            super().request("GET", f"{instance_url}/services/data", timeout=self._limits)
        )
        self.knows_time = True

    def server_now(self) -> datetime:
        """The server's time, as far as any answer has told it."""
        return _local_now() + timedelta(seconds=self.skew_seconds)

    def _meter(self, response: requests.Response) -> None:
        self._note_skew(response)
        self.knows_time = True
        path = response.request.path_url.partition("?")[0]
        if "/services/oauth2/" in path:
            self.logins += 1
            return
        self.calls += 1
        self.by_endpoint[f"{response.request.method} {_endpoint(path)}"] += 1
        usage = _USAGE.search(response.headers.get("Sforce-Limit-Info", ""))
        if usage:
            self.usage = ApiUsage(int(usage[1]), int(usage[2]))


def _date_of(response: requests.Response) -> datetime | None:
    header = response.headers.get("Date")
    try:
        return from_http_date(header) if header else None
    except (ValueError, TypeError):
        return None


def _endpoint(path: str) -> str:
    parts = path.strip("/").split("/")
    return "/" + "/".join(parts[3:5]) if parts[:2] == ["services", "data"] else path


def server_times(response: requests.Response) -> ServerTimes:
    """Read the server's clock off an answer.

    ``Date`` is a whole second somewhere between our start and our end, so the start lay at
    most ``elapsed`` before it; a server without ``Date`` is taken to share our clock.
    """
    elapsed = response.elapsed
    answered = _date_of(response) or _local_now()
    started = answered - elapsed
    # Date is floored already; a fraction of a second before it is the second before.
    return ServerTimes(iso_z(_floored(started)), iso_z(answered))


def _floored(moment: datetime) -> datetime:
    return moment - timedelta(microseconds=moment.microsecond)


def _local_now() -> datetime:
    return datetime.fromtimestamp(time.time(), timezone.utc)
