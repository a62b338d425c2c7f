"""Serves sides on loopback ports; each port tells TLS, CONNECT and plain HTTP apart itself."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from sweo_sandbox.faults import ABORT_EXTENSION, AsgiApp, ConnectionLostError, Receive, Scope, Send
from sweo_sandbox.side import Side

_TLS_HANDSHAKE = 0x16
_HEAD_LIMIT_BYTES = 65_536
_PUBSUB_HOSTS = ".pubsub.salesforce.com"
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class _ConnectionApp:
    """Gives each request a way to cut its own connection, for the fault desk."""

    def __init__(self, app: AsgiApp, transport: asyncio.Transport) -> None:
        self._app = app
        self._transport = transport

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        extensions = scope.setdefault("extensions", {})
        extensions[ABORT_EXTENSION] = self._cut
        try:
            await self._app(scope, receive, send)
        except ConnectionLostError:
            # The protocol answers 500 to an application that says nothing, unless it has
            # learned by then that the client is gone.
            for _ in range(3):
                await asyncio.sleep(0)

    def _cut(self, *, after_flush: bool) -> None:
        if after_flush:
            self._transport.close()
        else:
            self._transport.abort()


class _Protocol(H11Protocol):
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app = _ConnectionApp(self.config.loaded_app, transport)


class PortServer:
    """One side on one port. ``context`` is used for every TLS connection.

    A ``CONNECT`` to the Pub/Sub API's host, or to ``pubsub_port``, is passed on to that port.
    """

    def __init__(
        self, side: Side, port: int, context: ssl.SSLContext, pubsub_port: int | None = None
    ) -> None:
        self.side = side
        self._pubsub_port = pubsub_port
        self._context = context
        self._state = ServerState()
        self._config = Config(
            side.app,
            log_config=None,
            log_level="critical",
            access_log=False,
            lifespan="off",
            server_header=False,
            date_header=False,
            timeout_keep_alive=75,
            ws="none",
        )
        self._config.load()
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._tasks: set[asyncio.Task[None]] = set()
        self._accepting: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to accept; call it inside the running loop."""
        self._accepting = asyncio.get_running_loop().create_task(self._accept())

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(self._listener)
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = loop.create_task(self._serve(connection))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            first = await _peek(connection)
            if first == b"C" and await _is_connect(connection):
                head = await _read_head(connection)
                await loop.sock_sendall(connection, _ESTABLISHED)
                if self._pubsub_port is not None and _wants_pubsub(head, self._pubsub_port):
                    await _pass_on(connection, self._pubsub_port)
                    return
                first = await _peek(connection)
            if not first:
                connection.close()
                return
            tls = self._context if first[0] == _TLS_HANDSHAKE else None
            await loop.connect_accepted_socket(self._protocol, connection, ssl=tls)
        except (OSError, ssl.SSLError):
            connection.close()
        except asyncio.CancelledError:
            connection.close()
            raise

    def _protocol(self) -> asyncio.Protocol:
        return _Protocol(self._config, self._state, {}, _loop=asyncio.get_running_loop())

    async def stop(self) -> None:
        """Accept no more, finish what is being answered (two seconds at most), close all."""
        if self._accepting is not None:
            self._accepting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._accepting
        self._listener.close()
        for task in [*self._tasks]:
            task.cancel()
        if self._state.tasks:
            await asyncio.wait([*self._state.tasks], timeout=2)
        for protocol in [*self._state.connections]:
            protocol.transport.abort()
        await asyncio.sleep(0)


async def _readable(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def arrived() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(connection, arrived)
    try:
        await ready
    finally:
        loop.remove_reader(connection)


async def _peek(connection: socket.socket, size: int = 1) -> bytes:
    """The next bytes, left where they are; empty when the client has closed."""
    while True:
        try:
            return connection.recv(size, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            await _readable(connection)


async def _is_connect(connection: socket.socket) -> bool:
    wanted = b"CONNECT "
    for _ in range(100):
        seen = await _peek(connection, len(wanted))
        if len(seen) == len(wanted) or not wanted.startswith(seen):
            return seen == wanted
        await asyncio.sleep(0.01)
    return False


async def _read_head(connection: socket.socket) -> bytes:
    """Take the proxy request; the client sends nothing behind it until it is answered."""
    loop = asyncio.get_running_loop()
    head = b""
    while b"\r\n\r\n" not in head:
        chunk = await loop.sock_recv(connection, 4096)
        if not chunk or len(head) > _HEAD_LIMIT_BYTES:
            raise ConnectionError("the proxy request is incomplete")
        head += chunk
    return head


def _wants_pubsub(head: bytes, port: int) -> bool:
    target = head.split(b" ", 2)[1].decode("latin-1")
    host, _, given = target.rpartition(":")
    return host.lower().endswith(_PUBSUB_HOSTS) or given == str(port)


async def _pass_on(connection: socket.socket, port: int) -> None:
    """Carry bytes both ways until one side has closed."""
    loop = asyncio.get_running_loop()
    with connection, socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.setblocking(False)
        await loop.sock_connect(other, ("127.0.0.1", port))

        async def carry(source: socket.socket, sink: socket.socket) -> None:
            while chunk := await loop.sock_recv(source, 65_536):
                await loop.sock_sendall(sink, chunk)

        ways = [
            loop.create_task(carry(connection, other)),
            loop.create_task(carry(other, connection)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
