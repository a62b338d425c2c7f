"""The sandbox's apps inside this process: `requests` reaches them without a socket."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from sweo_sandbox.faults import ConnectionLostError
from sweo_sandbox.side import Side

Hook = Callable[[str, requests.PreparedRequest], None]
"""Called with the side's name before and after every request that reaches a side."""


class InProcess:
    """Routes requests by host to a side's ASGI app, on one event loop of its own."""

    def __init__(self, sides: dict[str, Side], before: Hook, after: Hook) -> None:
        self.sides = sides
        self.before = before
        self.after = after
        self.loop = asyncio.new_event_loop()

    def close(self) -> None:
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def send(
        self, adapter: HTTPAdapter, request: requests.PreparedRequest, **_: Any
    ) -> requests.Response:
        """Stands in for ``HTTPAdapter.send``."""
        host = urlsplit(request.url or "").hostname or ""
        name = host.split(".")[0]
        self.before(name, request)
        try:
            status, headers, body = self.loop.run_until_complete(self._ask(name, request))
        except ConnectionLostError as lost:
            raise requests.exceptions.ConnectionError(
                urllib3.exceptions.ProtocolError("Connection aborted.", lost)
            ) from lost
        finally:
            self.after(name, request)
        response = requests.Response()
        response.status_code = status
        response.headers = requests.structures.CaseInsensitiveDict(headers)
        response.url = request.url or ""
        response.request = request
        response.raw = urllib3.HTTPResponse(
            body=io.BytesIO(body), headers=headers, status=status, preload_content=False
        )
        response.connection = adapter  # type: ignore[attr-defined]
        return response

    async def _ask(
        self, name: str, request: requests.PreparedRequest
    ) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(request.url or "")
        body = request.body or b""
        payload = body.encode() if isinstance(body, str) else bytes(body)
        scope: dict[str, Any] = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": request.method,
            "scheme": "https",
            "path": unquote(parts.path),
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [
                (k.lower().encode(), v if isinstance(v, bytes) else v.encode())
                for k, v in (request.headers or {}).items()
            ]
            + [(b"host", parts.netloc.encode())],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 443),
            "extensions": {},
        }
        messages: list[dict[str, Any]] = []
        given = False

        async def receive() -> dict[str, Any]:
            nonlocal given
            if given:
                return {"type": "http.disconnect"}
            given = True
            return {"type": "http.request", "body": payload, "more_body": False}

        async def send(message: Any) -> None:
            messages.append(dict(message))

        await self.sides[name].app(scope, receive, send)
        start = next(m for m in messages if m["type"] == "http.response.start")
        content = b"".join(m.get("body", b"") for m in messages if "body" in m)
        headers = {k.decode(): v.decode() for k, v in start["headers"]}
        return start["status"], headers, content
