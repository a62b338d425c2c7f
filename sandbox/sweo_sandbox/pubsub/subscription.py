"""One Subscribe stream: where it starts, what the client may still get, and when it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from . import errors
from .errors import PubSubError
from .journal import ChangeEvent, ChangeJournal
from .messages import CUSTOM, EARLIEST
from .topics import Topic

MOST_PENDING = 100
# How often a stream looks whether its session has ended.
_LOOK_EVERY_SECONDS = 1.0
_POSITION_BYTES = 8
_LONG_REPLAY_ID_BYTES = 10


@dataclass(frozen=True, slots=True)
class StreamTimes:
    """How long a stream waits: for events with a keepalive, for a request before it is closed."""

    keepalive_seconds: float = 270.0
    idle_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one FetchResponse tells; no events in a keepalive."""

    events: list[ChangeEvent]
    position: int
    pending: int


def replay_id(position: int) -> bytes:
    """A position as clients see it: eight bytes, the highest first, and two that are zero."""
    return position.to_bytes(_POSITION_BYTES, "big") + b"\0\0"


def starting_position(journal: ChangeJournal, request: Any) -> int:
    """Where the first request of a stream asks to start.

    Raises:
        PubSubError: its replay id is missing, bad or expired.
    """
    if request.replay_preset == EARLIEST:
        return journal.earliest_position()
    if request.replay_preset != CUSTOM:
        return journal.latest_position()
    given: bytes = request.replay_id
    if not given:
        raise errors.replay_id_refused("subscription.fetch.replayid.validation.failed")
    if len(given) not in (_POSITION_BYTES, _LONG_REPLAY_ID_BYTES) or any(given[_POSITION_BYTES:]):
        raise errors.replay_id_refused()
    position = int.from_bytes(given[:_POSITION_BYTES], "big")
    if position >= 1 << 63 or not journal.holds(position):
        raise errors.replay_id_refused()
    return position


class Subscription:
    """Delivers the events of a topic as the client's requests allow."""

    def __init__(
        self, journal: ChangeJournal, topic: Topic, first: Any, times: StreamTimes
    ) -> None:
        if first.num_requested <= 0:
            raise errors.nothing_requested()
        self._journal = journal
        self._topic = topic
        self._times = times
        self._bus = journal.bus
        self._position = starting_position(journal, first)
        self._pending = min(first.num_requested, MOST_PENDING)
        self._refusal: PubSubError | None = None
        self._client_done = False
        self._stirred = False

    def listen(self, requests: Iterator[Any], alive: Callable[[], bool]) -> None:
        """Take the further requests in a thread of their own."""

        def read() -> None:
            try:
                for request in requests:
                    self._take(request)
            except Exception:  # the stream is over; grpc tells no more
                if alive():
                    raise
            finally:
                with self._journal.news:
                    self._client_done = True
                self.stir()

        threading.Thread(target=read, name="pubsub-requests", daemon=True).start()

    def _take(self, request: Any) -> None:
        with self._journal.news:
            if request.topic_name and request.topic_name != self._topic.name:
                self._refusal = errors.topic_mismatch()
            elif request.num_requested <= 0:
                self._refusal = errors.nothing_requested()
            else:
                self._pending = min(self._pending + request.num_requested, MOST_PENDING)
        self.stir()

    def stir(self) -> None:
        """Make :meth:`deliveries` look up at once."""
        with self._journal.news:
            self._stirred = True
            self._journal.news.notify_all()

    def deliveries(
        self, authorize: Callable[[], object], alive: Callable[[], bool]
    ) -> Iterator[Delivery]:
        """What to send, as it becomes due, until the stream has nothing more to wait for.

        ``authorize`` is called before each look at the bus and raises when the session has ended.
        """
        quiet_since = time.monotonic()
        while alive():
            with self._journal.news:
                self._stirred = False
                commits, pending, refusal = self._journal.commits, self._pending, self._refusal
                client_done = self._client_done
            if refusal is not None:
                raise refusal
            authorize()
            quiet_seconds = time.monotonic() - quiet_since
            if pending:
                delivery = self._next(keepalive=quiet_seconds >= self._times.keepalive_seconds)
                if delivery is not None:
                    quiet_since = time.monotonic()
                    yield delivery
                    continue
                patience = self._times.keepalive_seconds - quiet_seconds
            else:
                patience = self._times.idle_seconds - quiet_seconds
                if client_done or patience <= 0:
                    return
            self._wait(commits, min(max(patience, 0.0), _LOOK_EVERY_SECONDS))

    def _wait(self, commits: int, seconds: float) -> None:
        with self._journal.news:
            self._journal.news.wait_for(
                lambda: self._stirred or self._journal.commits != commits, timeout=seconds
            )

    def _next(self, *, keepalive: bool) -> Delivery | None:
        with self._journal.news:
            most = self._pending
        self._bus, self._position, events = self._journal.read(
            self._bus, self._position, self._topic.sobject, most
        )
        if not events and not keepalive:
            return None
        with self._journal.news:
            self._pending -= len(events)
            return Delivery(events, self._position, self._pending)
