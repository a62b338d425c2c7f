"""A server made of answers written down in advance, and retries that do not wait."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import stamina
import urllib3
from requests.adapters import HTTPAdapter
from sweo_client import SweoClient, SweoSettings

DATE = "Sun, 22 Nov 2026 10:00:05 GMT"
AT = 1795341605


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


@dataclass
class Scripted(HTTPAdapter):
    """Gives the next answer of ``script`` to each request: (status, body, headers) or an error."""

    script: list[Any] = field(default_factory=list)
    sent: list[requests.PreparedRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:  # type: ignore[override]
        self.sent.append(request)
        step = self.script.pop(0)
        if isinstance(step, Exception):
            raise step
        status, body, *more = step
        response = requests.Response()
        response.status_code = status
        response.request = request
        response.url = str(request.url)
        response.headers.update({"Date": DATE, **(more[0] if more else {})})
        response._content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return response

    def bodies(self) -> list[Any]:
        return [json.loads(r.body) if r.body else None for r in self.sent]


@pytest.fixture
def scripted() -> Callable[..., tuple[SweoClient, Scripted]]:
    def make(*script: Any, version: str = "2.16") -> tuple[SweoClient, Scripted]:
        adapter = Scripted(list(script))
        settings = SweoSettings("https://api.example.com", "secret-token", version)
        return SweoClient(settings, adapter=adapter), adapter

    return make


@pytest.fixture
def refused_connection() -> requests.ConnectionError:
    """No connection came about."""
    cause = urllib3.exceptions.NewConnectionError(None, "refused")  # type: ignore[arg-type]
    return requests.ConnectionError(
        urllib3.exceptions.MaxRetryError(None, "/", cause)  # type: ignore[arg-type]
    )


@pytest.fixture
def lost_answer() -> requests.ConnectionError:
    """The request was sent and the connection closed."""
    return requests.ConnectionError(urllib3.exceptions.ProtocolError("closed"))


def refusal(code: str, message: str = "no", **more: Any) -> dict[str, Any]:
    return {
        "type": "error.list",
        "request_id": "r1",
        "errors": [{"code": code, "message": message, **more}],
    }


@pytest.fixture
def error_body() -> Callable[..., dict[str, Any]]:
    return refusal
