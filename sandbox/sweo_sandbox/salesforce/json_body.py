"""Reads JSON bodies, and says in the vendor's words what is wrong with one and where.

The vendor's parser is Jackson: a character that it cannot take is reported one column behind
itself, a value of the wrong type at its first character; columns count from 1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NoReturn

from .errors import SalesforceError, json_parser_error

_HALF_CHARACTER = re.compile(r"\\u[dD][89a-fA-F]")
_BLANK = re.compile(r"[ \t\n\r]*")
_WORD = re.compile(r"[A-Za-z_$][\w$]*")
_DECODER = json.JSONDecoder()
_EXPECTED = {
    "Expecting property name enclosed in double quotes": (
        "was expecting double-quote to start field name"
    ),
    "Illegal trailing comma before end of object": (
        "was expecting double-quote to start field name"
    ),
    "Expecting ':' delimiter": "was expecting a colon to separate field name and value",
    "Expecting ',' delimiter": "was expecting comma to separate OBJECT entries",
}
_VALUE = "expected a valid value (number, String, array, object, 'true', 'false' or 'null')"


def parse(body: bytes) -> Any:
    """The value; numbers with a point are Decimal.

    Raises:
        SalesforceError: JSON_PARSER_ERROR.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        column = len(body[: error.start].rpartition(b"\n")[2].decode("utf-8", "replace")) + 2
        line = body[: error.start].count(b"\n") + 1
        raise _refusal(f"Invalid UTF-8 start byte 0x{body[error.start]:x}", line, column) from None
    try:
        parsed = json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
        if _HALF_CHARACTER.search(text):
            # Half of a surrogate pair is no character; a whole pair was joined by now.
            json.dumps(parsed, ensure_ascii=False, default=str).encode("utf-8")
    except json.JSONDecodeError as error:
        if not text.strip():
            raise json_parser_error(
                "The HTTP entity body is required, but this request has no entity body."
            ) from None
        raise _syntax_error(text, error) from None
    except (UnicodeError, ValueError, RecursionError):
        raise json_parser_error("Invalid UTF-8 or JSON in the request body") from None
    return parsed


def located(error: SalesforceError, text: str, path: Sequence[str | int]) -> SalesforceError:
    """The same refusal with the line and column of the value that it is about."""
    place = _place_of(text, path)
    if place is None or " at [line:" in error.message:
        return error
    line, column = _line_and_column(text, place)
    return SalesforceError(
        error.code,
        f"{error.message} at [line:{line}, column:{column}]",
        error.status,
        error.fields,
        error.extra,
    )


def not_an_object(value: Any, text: str) -> SalesforceError:
    """A body of another kind where an object is needed."""
    line, column = _line_and_column(text, len(text) - len(text.lstrip()))
    token = "START_ARRAY" if isinstance(value, list) else token_of(value)
    return _refusal(f"Can not deserialize SObject out of {token} token", line, column)


def token_of(value: Any) -> str:
    """What the vendor's parser calls a value."""
    if isinstance(value, bool):
        return f"VALUE_{str(value).upper()}"
    if value is None:
        return "VALUE_NULL"
    if isinstance(value, str):
        return "VALUE_STRING"
    if isinstance(value, int):
        return "VALUE_NUMBER_INT"
    if isinstance(value, float | Decimal):
        return "VALUE_NUMBER_FLOAT"
    return "START_OBJECT" if isinstance(value, dict) else "START_ARRAY"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _syntax_error(text: str, error: json.JSONDecodeError) -> SalesforceError:
    at = error.pos
    if error.msg.startswith("Unterminated string") or at >= len(text):
        line, column = _line_and_column(text, len(text))
        closing = "was expecting closing quote for a string value"
        what = closing if error.msg.startswith("Unterminated") else "expected close marker"
        return _refusal(f"Unexpected end-of-input: {what}", line, column)
    line, column = _line_and_column(text, at)
    shown = f"('{text[at]}' (code {ord(text[at])}))"
    if error.msg.startswith("Invalid control character"):
        return _refusal(
            f"Illegal unquoted character ((CTRL-CHAR, code {ord(text[at])})): has to be escaped "
            "using backslash to be included in string value",
            line,
            column + 1,
        )
    if error.msg.startswith("Invalid \\"):
        escaped = text[at + 1 : at + 2] or text[at]
        return _refusal(
            f"Unrecognized character escape '{escaped}' (code {ord(escaped)})", line, column + 2
        )
    if text[at] == "-" and at + 1 < len(text):
        return _refusal(
            f"Unexpected character ('{text[at + 1]}' (code {ord(text[at + 1])})) in numeric value: "
            "expected digit (0-9) to follow minus sign, for valid numeric value",
            line,
            column + 2,
        )
    word = _WORD.match(text, at)
    if error.msg == "Expecting value" and word:
        end = column + len(word[0])
        expected = "was expecting ('true', 'false' or 'null')"
        return _refusal(f"Unrecognized token '{word[0]}': {expected}", line, end)
    expected = _EXPECTED.get(error.msg, _VALUE)
    return _refusal(f"Unexpected character {shown}: {expected}", line, column + 1)


def _refusal(message: str, line: int, column: int) -> SalesforceError:
    return json_parser_error(f"{message} at [line:{line}, column:{column}]")


def _line_and_column(text: str, at: int) -> tuple[int, int]:
    return text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)


def _place_of(text: str, path: Sequence[str | int]) -> int | None:
    """Where the value at a path begins in a text that is known to be JSON."""
    at = _skip(text, 0)
    for step in path:
        found = _entry(text, at, step)
        if found is None:
            return None
        at = found
    return at


def _entry(text: str, at: int, wanted: str | int) -> int | None:
    if text[at] not in "{[":
        return None
    in_object, found, index = text[at] == "{", None, 0
    at = _skip(text, at + 1)
    while text[at] not in "}]":
        key: str | int = index
        if in_object:
            key, at = _DECODER.raw_decode(text, at)
            at = _skip(text, _skip(text, at) + 1)
        if key == wanted or (isinstance(key, str) and key.lower() == str(wanted).lower()):
            found = at
        at = _skip(text, _DECODER.raw_decode(text, at)[1])
        if text[at] == ",":
            at = _skip(text, at + 1)
        index += 1
    return found


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at
