"""Singer lines as bytes: read in the chunks in which they come, numbered, never quoted.

A chunk ends where the pipe has nothing more at the moment; answering chunk by chunk, a mapper
holds back no record of a tap that is waiting for its API.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import IO, Any, Final

import msgspec
from crosswalk.errors import FatalError

_CHUNK_BYTES: Final = 1 << 20


class Message(msgspec.Struct):
    """The parts of a Singer message that a mapper looks at."""

    type: str
    stream: str | None = None
    record: dict[str, Any] | None = None
    schema: dict[str, Any] | None = None
    key_properties: list[str] | None = None
    time_extracted: str | None = None
    value: Any = None


_decode = msgspec.json.Decoder(Message).decode


def chunks(stream: IO[bytes]) -> Iterator[list[bytes]]:
    """Lists of whole lines without their ends, as they become readable."""
    read = stream.read1 if isinstance(stream, (io.BufferedReader, io.BytesIO)) else stream.read
    begun: list[bytes] = []
    while chunk := read(_CHUNK_BYTES):
        lines = chunk.split(b"\n")
        if len(lines) > 1:
            lines[0] = b"".join([*begun, lines[0]])
            begun = [lines.pop()]
            yield lines
        else:
            begun.append(chunk)
    last = b"".join(begun)
    if last:
        yield [last]


def message(line: bytes, number: int) -> Message:
    """The message on a line.

    Raises:
        FatalError: with the line's number and the reason, without anything of its content.
    """
    try:
        return _decode(line)
    except UnicodeDecodeError:
        reason = "it is not UTF-8 text"
    except msgspec.ValidationError:
        reason = "it is not a Singer message"
    except msgspec.DecodeError:
        reason = "it is not JSON"
    raise FatalError(f"Line {number} of the input cannot be read: {reason}.")
