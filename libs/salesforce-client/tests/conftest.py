"""A scripted server: answers what a test tells it, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import stamina
from salesforce_client.auth import Login, ReadyToken
from salesforce_client.connection import Connection

ORG_15 = "00D5f000000XYZa"


@dataclass
class Asked:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Reply:
    status: int = 200
    body: Any = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False


class ScriptedServer:
    """Takes replies off ``script`` in order; a callable makes its reply from the request."""

    def __init__(self) -> None:
        self.script: list[Reply | Callable[[Asked], Reply]] = []
        self.asked: list[Asked] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                asked = Asked(
                    self.command, self.path, dict(self.headers.items()), self.rfile.read(length)
                )
                outer.asked.append(asked)
                step = outer.script.pop(0)
                reply = step(asked) if callable(step) else step
                if reply.hang_up:
                    self.close_connection = True
                    self.connection.close()
                    return
                is_text = isinstance(reply.body, bytes | str)
                content = reply.body if is_text else json.dumps(reply.body)
                content = content.encode() if isinstance(content, str) else content
                if reply.status == 204:
                    content = b""
                self.send_response_only(reply.status)
                kind = "text/csv" if is_text else "application/json"
                self.send_header("Content-Type", reply.headers.pop("Content-Type", kind))
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Sforce-Limit-Info", "api-usage=7/15000")
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = do_PUT = _serve  # noqa: N815

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    running = ScriptedServer()
    yield running
    running.close()


@pytest.fixture
def reply() -> type[Reply]:
    return Reply


@pytest.fixture
def connection(server: ScriptedServer) -> Connection:
    return Connection(Login(ReadyToken(f"{ORG_15}!token", server.url), None))


@pytest.fixture(autouse=True)
def _no_pauses() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3, cap=True):
        yield
