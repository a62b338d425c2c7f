from __future__ import annotations

import io
import os
import threading
from typing import Any

import pytest
from crosswalk.errors import FatalError
from singer_runtime.reader import LineReader, read_lines, require


def read(lines: bytes) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []
    LineReader().process_lines(io.BytesIO(lines), {"RECORD": seen.append, "STATE": seen.append})
    return seen


def test_messages_reach_their_callback_in_order() -> None:
    assert [m["type"] for m in read(b'{"type":"RECORD"}\n\n{"type":"STATE"}\n')] == [
        "RECORD",
        "STATE",
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"type":"RECORD", "secret', "Line 2 of the input is not a JSON object"),
        (b'["secret"]', "Line 2 of the input is not a JSON object"),
        (b'{"type":"SECRET"}', "Line 2 of the input has no Singer message type"),
        (b"\xff\xfe secret", "Line 2 of the input is not a JSON object"),
    ],
)
def test_a_broken_line_is_told_by_number_and_never_shown(line: bytes, reason: str) -> None:
    with pytest.raises(FatalError) as caught:
        read(b'{"type":"STATE"}\n' + line + b"\n")
    assert str(caught.value).startswith(reason)
    assert "secret" not in str(caught.value).lower()


def test_a_message_that_lacks_a_key_is_told_with_its_line() -> None:
    def needy(message: dict[str, Any]) -> None:
        require(message, "stream", "record")

    with pytest.raises(FatalError, match="Line 1 of the input: a RECORD message lacks stream"):
        LineReader().process_lines(
            io.BytesIO(b'{"type":"RECORD","record":{}}\n'), {"RECORD": needy}
        )


def test_a_pause_of_the_writer_is_noticed_and_no_line_is_cut() -> None:
    reading, writing = os.pipe()
    paused = threading.Event()
    seen: list[bytes] = []

    def write() -> None:
        os.write(writing, b"one\ntw")
        paused.wait(5)
        os.write(writing, b"o\nthree")
        os.close(writing)

    writer = threading.Thread(target=write)
    writer.start()
    seen.extend(read_lines(reading, paused.set))
    writer.join()
    os.close(reading)
    assert seen == [b"one", b"two", b"three"]
    assert paused.is_set()
