"""Reads Singer messages as bytes: fast, with line numbers, and without content in any message."""

from __future__ import annotations

import os
import select
import sys
import typing as t
from collections import Counter

import msgspec
from crosswalk.errors import FatalError
from singer_sdk.singerlib.encoding.base import GenericSingerReader

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK_BYTES: t.Final = 1 << 20
IDLE_SECONDS: t.Final = 1.0

_decode = msgspec.json.Decoder(dict[str, t.Any]).decode


def read_lines(descriptor: int, on_pause: Callable[[], None] | None = None) -> Iterator[bytes]:
    """Yield complete lines as they come.

    ``on_pause`` is called when the writer has sent nothing for a second, so that what is
    buffered behind the last line does not wait for the next.
    """
    rest = b""
    while True:
        if on_pause is not None and not _readable(descriptor, IDLE_SECONDS):
            on_pause()
        chunk = os.read(descriptor, CHUNK_BYTES)
        if not chunk:
            break
        lines = (rest + chunk).split(b"\n")
        rest = lines.pop()
        yield from lines
    if rest.strip():
        yield rest


def _readable(descriptor: int, seconds: float) -> bool:
    return bool(select.select([descriptor], [], [], seconds)[0])


class LineReader(GenericSingerReader[bytes]):
    """The message reader of our mapper and targets.

    A line that is no Singer message ends the run with the line's number and the reason; the
    line itself is never shown, because it holds people's data.
    """

    def __init__(self) -> None:
        super().__init__()
        self.on_pause: Callable[[], None] | None = None

    @property
    def default_input(self) -> t.IO[bytes]:
        """Standard input."""
        return sys.stdin.buffer

    def deserialize_json(self, line: bytes) -> dict[str, t.Any]:
        """Decode one line; raises ``msgspec.DecodeError``, whose text names a byte, not content."""
        return _decode(line)

    def process_lines(
        self,
        file_input: t.IO[bytes] | None,
        callbacks: dict[str, t.Callable[[dict[str, t.Any]], None]],
    ) -> Counter[str]:
        """Hand each message to its callback.

        Raises:
            FatalError: with the number of the first line that is broken, and why.
        """
        counter: Counter[str] = Counter()
        decode = self.deserialize_json
        by_type = {getattr(name, "value", name): call for name, call in callbacks.items()}
        for number, line in enumerate(self._lines(file_input), start=1):
            try:
                message = decode(line)
            except msgspec.DecodeError as error:
                if not line.strip():
                    continue
                raise FatalError(
                    f"Line {number} of the input is not a JSON object: {error}."
                ) from None
            kind = message.get("type")
            callback = by_type.get(kind) if isinstance(kind, str) else None
            if callback is None:
                raise FatalError(f"Line {number} of the input has no Singer message type we know.")
            try:
                callback(message)
            except _BrokenMessageError as error:
                raise FatalError(f"Line {number} of the input: {error}.") from None
            counter[str(kind)] += 1
        return counter

    def _lines(self, file_input: t.IO[bytes] | None) -> Iterator[bytes]:
        if file_input is None or file_input in (sys.stdin, sys.stdin.buffer):
            try:
                descriptor = sys.stdin.fileno()
            except (OSError, ValueError, AttributeError):
                descriptor = -1
            if descriptor >= 0:
                yield from read_lines(descriptor, self.on_pause)
                return
        for line in file_input or sys.stdin:
            yield line.encode() if isinstance(line, str) else line


class _BrokenMessageError(Exception):
    """A message that lacks what its type needs; the reader adds the line's number."""


def require(message: dict[str, t.Any], *names: str) -> None:
    """Check that a message has these keys.

    Raises:
        FatalError: through the reader, which adds the line's number.
    """
    missing = [name for name in names if name not in message]
    if missing:
        kind = message.get("type")
        raise _BrokenMessageError(f"a {kind} message lacks {', '.join(missing)}")
