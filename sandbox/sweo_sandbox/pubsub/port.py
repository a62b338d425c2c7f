"""The Pub/Sub API's port, taken at once and served as soon as gRPC is loaded.

Loading gRPC takes longer than everything else that a start needs, so it happens in a thread.
"""

from __future__ import annotations

import importlib.util
import socket
import threading
from typing import TYPE_CHECKING

from .journal import ChangeJournal

if TYPE_CHECKING:
    import grpc  # type: ignore[import-untyped]

    from ..salesforce.org import Org
    from ..tls import Authority

_PACKAGES = ("grpc", "google.protobuf", "fastavro")


class PubSubMissingError(ImportError):
    """The packages of the extra ``pubsub`` are not installed."""


def is_installed() -> bool:
    """Whether the extra ``pubsub`` is installed; nothing is imported."""
    try:
        return all(importlib.util.find_spec(name) is not None for name in _PACKAGES)
    except ModuleNotFoundError:
        return False


class PubSubPort:
    """Records an org's changes from now on and, once started, serves them.

    ``port`` is fixed from the beginning; 0 takes a free one.

    Raises:
        PubSubMissingError: the extra is not installed.
        OSError: the port is taken.
    """

    def __init__(self, org: Org, port: int = 0) -> None:
        if not is_installed():
            raise PubSubMissingError(
                "change events need more packages: pip install sweo-sync-sandbox[pubsub]"
            )
        self._org = org
        self._held = _hold(port)
        self.port: int = self._held.getsockname()[1]
        self._journal = ChangeJournal(org)
        self._server: grpc.Server | None = None
        self._failure: BaseException | None = None
        self._ready = threading.Event()
        self._starting: threading.Thread | None = None

    def start(self, authority: Authority) -> None:
        """Begin to load gRPC and to serve; returns at once."""
        self._starting = threading.Thread(
            target=self._serve, args=(authority,), name="pubsub-start", daemon=True
        )
        self._starting.start()

    def _serve(self, authority: Authority) -> None:
        try:
            from .service import PubSubService, serve
            from .subscription import StreamTimes

            settings = self._org.settings
            times = StreamTimes(settings.pubsub_keepalive_seconds, settings.pubsub_idle_seconds)
            service = PubSubService(self._org, self._journal, times)
            key_pem, chain_pem = authority.server_pems()
            self._server = serve(service, self.port, key_pem, chain_pem)
        except BaseException as error:  # told to whoever waits
            self._failure = error
        finally:
            self._held.close()
            self._ready.set()

    def wait(self, timeout_seconds: float = 30.0) -> None:
        """Wait until calls are answered.

        Raises:
            TimeoutError: they are not, in that time.
        """
        if not self._ready.wait(timeout_seconds):
            raise TimeoutError("the Pub/Sub API did not start in time")
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Cut every stream and stop serving."""
        if self._starting is not None:
            self._starting.join(timeout=10)
        if self._server is not None:
            # Without a grace period stop() itself waits, and for ever: gRPC keeps count of a call
            # whose frames were no messages. With one, the waiting can be given up.
            self._server.stop(grace=0).wait(timeout=2)
        self._held.close()


def _hold(port: int) -> socket.socket:
    """Keep a port for gRPC, which shares it by SO_REUSEPORT; nothing listens on it yet."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # gRPC would share the port with any other server of this user that allows it.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        port = probe.getsockname()[1]
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind(("127.0.0.1", port))
    return held
