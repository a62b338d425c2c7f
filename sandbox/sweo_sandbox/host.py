"""Runs the sides on an event loop of their own, in a thread or in the foreground."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

from sweo_sandbox.lock import DirectoryLock
from sweo_sandbox.pubsub.port import PubSubPort
from sweo_sandbox.server import PortServer
from sweo_sandbox.side import Side
from sweo_sandbox.tls import Authority


class Host:
    """The servers, their lock, and one certificate authority for all.

    ``sides`` pairs each side with its port (0: a free one); ``ports`` tells the ports by name.
    ``pubsub`` is served too, a moment later. ``certificates`` is the directory of the authority;
    sandboxes that share one are trusted with one bundle.

    Raises:
        OSError: a port is taken.
    """

    def __init__(
        self,
        sides: Sequence[tuple[Side, int]],
        certificates: Path,
        lock: DirectoryLock | None = None,
        pubsub: PubSubPort | None = None,
    ) -> None:
        self._lock = lock
        self.authority = Authority(certificates)
        context = self.authority.server_context()
        pubsub_port = None if pubsub is None else pubsub.port
        self._servers = [PortServer(side, port, context, pubsub_port) for side, port in sides]
        self.ports = {server.side.name: server.port for server in self._servers}
        self._pubsub = pubsub
        if pubsub_port is not None:
            self.ports["pubsub"] = pubsub_port
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def start_thread(self) -> None:
        """Serve in a daemon thread; returns when both ports answer."""
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._run(ready)), name="sweo-sandbox", daemon=True
        )
        self._thread.start()
        ready.wait()

    def run_until_signal(self, ready: threading.Event | None = None) -> None:
        """Serve in this thread until SIGTERM or SIGINT."""
        asyncio.run(self._run(ready, with_signals=True))

    async def _run(self, ready: threading.Event | None, *, with_signals: bool = False) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        if with_signals:
            for number in (signal.SIGTERM, signal.SIGINT):
                self._loop.add_signal_handler(number, self._stop.set)
        for server in self._servers:
            server.start()
        if self._pubsub is not None:
            self._pubsub.start(self.authority)
        if ready is not None:
            ready.set()
        await self._stop.wait()
        for server in self._servers:
            await server.stop()

    def close(self) -> None:
        """Stop serving and release files, lock and certificates."""
        if self._pubsub is not None:
            self._pubsub.close()
        if self._thread is not None and self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(timeout=10)
        for server in self._servers:
            server.side.close()
        if self._lock is not None:
            self._lock.release()
