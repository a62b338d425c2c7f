"""One workspace over HTTP: sessions, retries, pace, meter, clock. Knows no endpoint."""

from __future__ import annotations

import http.cookiejar
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

import msgspec
import requests
import stamina
import stamina.instrumentation
import urllib3.exceptions
from crosswalk.errors import FatalError, RetryLaterError, UnknownOutcomeError
from requests.adapters import HTTPAdapter

from sweo_client.auth import SweoSettings
from sweo_client.clock import ServerClock
from sweo_client.errors import Next, SweoRefusal, conflict_of, without_values
from sweo_client.meter import CallMeter
from sweo_client.pace import Pace

TIMEOUT_SECONDS: Final = (10.0, 120.0)
ATTEMPTS: Final = 8
FIRST_ATTEMPTS: Final = 4
"""Before anything has ever answered: a wrong address should be told within seconds."""
LONGEST_RETRY_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said. ``body`` is the decoded JSON object, empty where there was none.

    ``read_at`` is a moment by the server's clock, in Unix seconds, not later than the start of
    the request; ``answered_at`` the answer's ``Date``.
    """

    status: int
    body: dict[str, Any]
    read_at: int
    answered_at: int


# Where structlog is installed stamina would print its notes to stdout, which carries the records.
stamina.instrumentation.set_on_retry_hooks([stamina.instrumentation.LoggingOnRetryHook])


class SweoClient:
    """Calls the API as one app. Threads may share it.

    Reads are repeated after a lost answer, an outage or a full rate window. A write is repeated
    only where it was surely not applied: it never left, a 429, or a 503 that Sweo itself gave.
    """

    def __init__(
        self,
        settings: SweoSettings,
        *,
        max_concurrency: int = 10,
        clock: ServerClock | None = None,
        pace: Pace | None = None,
        adapter: HTTPAdapter | None = None,
    ) -> None:
        self.settings = settings
        self.meter = CallMeter()
        self.clock = clock or ServerClock()
        self._pace = pace or Pace(self.clock)
        self._ever_answered = False
        self._session = requests.Session()
        self._session.auth = _Bearer(settings.access_token)
        # One session serves many threads: it may keep nothing that an answer sets.
        self._session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update(
            {
                "Accept": "application/json",
                "Intercom-Version": settings.version,
                "User-Agent": "sweo-sync",
            }
        )
        pooled = adapter or HTTPAdapter(pool_maxsize=max(max_concurrency, 1))
        self._session.mount("https://", pooled)
        self._session.mount("http://", pooled)

    def close(self) -> None:
        """Let go of every connection."""
        self._session.close()

    def read(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: dict[str, Any] | None = None,
        repeatable: bool = True,
    ) -> Answer:
        """Ask for something. ``repeatable=False`` (a scroll's page) is not asked for again
        where the answer was lost; what was surely not served is repeated all the same.

        Raises:
            SweoRefusal: This request was refused (a 404 among others).
            FatalError: Credentials, permissions, an unreachable host.
            RetryLaterError: Limits or an outage that outlasted the retries.
            UnknownOutcomeError: Only with ``repeatable=False``: the answer was lost.
        """
        return self._call(method, path, params, body, write=False, blind=repeatable)

    def write(self, method: str, path: str, *, body: dict[str, Any] | None = None) -> Answer:
        """Change something, at most once.

        Raises:
            SweoRefusal: Refused, and surely not applied.
            UnknownOutcomeError: Sent, and the answer was lost.
            FatalError: As for ``read``.
            RetryLaterError: As for ``read``; surely not applied.
        """
        return self._call(method, path, None, body, write=True, blind=False)

    def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None,
        body: dict[str, Any] | None,
        *,
        write: bool,
        blind: bool,
    ) -> Answer:
        try:
            for attempt in stamina.retry_context(
                on=_TryAgain,
                attempts=ATTEMPTS if self._ever_answered else FIRST_ATTEMPTS,
                timeout=LONGEST_RETRY_SECONDS,
                wait_initial=0.1,
                wait_max=20.0,
                wait_jitter=0.5,
            ):
                with attempt:
                    return self._send(method, path, params, body, write=write, blind=blind)
        except _TryAgain as given_up:
            self._give_up(given_up)
        raise AssertionError("a retry ends with an answer or an error")

    def _give_up(self, last: _TryAgain) -> NoReturn:
        if not self._ever_answered:
            raise FatalError(
                f"Nothing answers at {self.settings.api_url}: check `api_url` (SWEO_API_URL) and "
                "the network."
            ) from last
        raise RetryLaterError(str(last)) from last

    def _send(
        self,
        method: str,
        path: str,
        params: Mapping[str, str | int] | None,
        body: dict[str, Any] | None,
        *,
        write: bool,
        blind: bool,
    ) -> Answer:
        self._pace.wait()
        self.meter.count(write=write)
        started = self.clock.local()
        try:
            response = self._session.request(
                method,
                self.settings.api_url + path,
                params=params,
                data=None if body is None else msgspec.json.encode(body),
                headers={} if body is None else {"Content-Type": "application/json"},
                timeout=TIMEOUT_SECONDS,
                allow_redirects=False,
            )
        except requests.exceptions.RequestException as error:
            if _is_distrust(error):
                raise FatalError(
                    f"{self.settings.api_url} shows a certificate that this machine does not "
                    "trust: check `api_url`, or set REQUESTS_CA_BUNDLE."
                ) from error
            never_left = _never_left(error)
            if never_left or blind:
                raise _TryAgain(_BROKEN) from error
            raise UnknownOutcomeError(
                f"Sweo's answer to {method} {_shape(path)} was lost."
            ) from error
        self._ever_answered = True
        ended = self.clock.local()
        answered_at = self.clock.observe(response.headers.get("Date"), started, ended)
        if answered_at is None:
            answered_at = self.clock.at(ended)
        read_at = min(self.clock.at(started), answered_at)
        self._pace.observe(response.headers)
        decoded = _object_in(response.content)
        succeeded = 200 <= response.status_code < 300
        if succeeded and (decoded is not None or not response.content):
            return Answer(response.status_code, decoded or {}, read_at, answered_at)
        if response.status_code < 400 and not succeeded:
            raise FatalError(
                f"{self.settings.api_url} sends calls elsewhere (HTTP {response.status_code}): set "
                "`api_url` (SWEO_API_URL) to the API of the workspace's region."
            )
        told = _first_error(decoded)
        if response.status_code == 429:
            self._pace.refused(response.headers)
            raise _TryAgain("Sweo's rate limit stayed exhausted; the next run goes on from here.")
        if response.status_code == 503 and told:
            raise _TryAgain(_UNAVAILABLE)
        if response.status_code >= 500 or succeeded:
            # A gateway's 5xx, or a success whose body broke off, says nothing about the work.
            if blind:
                raise _TryAgain(_UNAVAILABLE)
            raise UnknownOutcomeError(f"Sweo's answer to {method} {_shape(path)} was lost.")
        refusal = SweoRefusal(
            status=response.status_code,
            code=str(told.get("code") or f"http_{response.status_code}"),
            message=without_values(str(told.get("message") or ""), body),
            field=str(told["field"]) if told.get("field") else None,
            request_id=str((decoded or {}).get("request_id") or "") or None,
            conflict=conflict_of(str(told.get("message") or "")),
            survivor=response.links.get("canonical", {}).get("url"),
            read_at=read_at,
            answered_at=answered_at,
        )
        if refusal.verdict.next is Next.FATAL:
            raise FatalError(refusal.verdict.remedy) from refusal
        raise refusal


class _Bearer(requests.auth.AuthBase):
    """Set as the session's auth so that a .netrc of the user never replaces the token."""

    def __init__(self, access_token: str) -> None:
        self._access_token = access_token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._access_token}"
        return request


class _TryAgain(Exception):  # noqa: N818
    pass


_BROKEN: Final = "The connection to Sweo keeps breaking; the next run goes on from here."
_UNAVAILABLE: Final = "Sweo could not answer; the next run goes on from here."


def _first_error(decoded: dict[str, Any] | None) -> dict[str, Any]:
    errors = (decoded or {}).get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    return first if isinstance(first, dict) else {}


def _is_distrust(error: BaseException) -> bool:
    """Whether the server's certificate was not accepted; other TLS failures may pass."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return True
        reasons = [a for a in seen.args if isinstance(a, BaseException)]
        seen = getattr(seen, "reason", None) or (reasons[0] if reasons else seen.__cause__)
        if not isinstance(seen, BaseException):
            return False
    return False


def _never_left(error: requests.exceptions.RequestException) -> bool:
    """Whether no connection came about, so that the server cannot have seen the request."""
    if isinstance(error, (requests.exceptions.ConnectTimeout, requests.exceptions.ProxyError)):
        return True
    if not isinstance(error, requests.exceptions.ConnectionError) or not error.args:
        return False
    cause = error.args[0]
    reason = cause.reason if isinstance(cause, urllib3.exceptions.MaxRetryError) else cause
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _object_in(content: bytes) -> dict[str, Any] | None:
    try:
        decoded = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return decoded if isinstance(decoded, dict) else None


def _shape(path: str) -> str:
    """A path without the ids in it."""
    parts = path.strip("/").split("/")
    return "/" + "/".join(
        [parts[0], *("{…}" if any(map(str.isdigit, p)) else p for p in parts[1:])]
    )
