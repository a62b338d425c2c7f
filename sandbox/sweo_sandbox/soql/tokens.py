r"""First stage: a query's text becomes tokens, each with its position.

String literals keep their raw text, because ``\%`` and ``\_`` mean something else to LIKE than
to ``=``; ``text_of`` and ``like_pattern_of`` read them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from sweo_sandbox.soql.errors import MALFORMED_QUERY, SoqlError, malformed

MAX_QUERY_CHARACTERS = 100_000


class TokenKind(Enum):
    """What a token is."""

    NAME = "name"
    STRING = "string"
    NUMBER = "number"
    DATE = "date"
    DATETIME = "datetime"
    SYMBOL = "symbol"
    END = "end"


@dataclass(slots=True, frozen=True)
class Token:
    """``text`` is as written, a string's without its quotes; ``position`` is 0-based."""

    kind: TokenKind
    text: str
    position: int

    def is_word(self, *words: str) -> bool:
        """Whether this is one of these words, in any case."""
        return self.kind is TokenKind.NAME and self.text.upper() in words

    def is_symbol(self, symbol: str) -> bool:
        """Whether this is that symbol, not a string of the same text."""
        return self.kind is TokenKind.SYMBOL and self.text == symbol


_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<datetime>\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d{0,6})?
      (?:[Zz]|[+-]\d{2}:?\d{2})(?!\w))
  | (?P<date>\d{4}-\d{2}-\d{2}(?!\w))
  | (?P<number>[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?!\w))
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<symbol><=|>=|!=|<>|[=<>(),.:])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_SIMPLE_ESCAPES = {
    "n": "\n",
    "N": "\n",
    "r": "\r",
    "R": "\r",
    "t": "\t",
    "T": "\t",
    "b": "\b",
    "B": "\b",
    "f": "\f",
    "F": "\f",
    '"': '"',
    "'": "'",
    "\\": "\\",
    "_": "_",
    "%": "%",
}


def tokenize(soql: str) -> list[Token]:
    """The tokens of a query, closed by one END token.

    Raises:
        SoqlError: MALFORMED_QUERY for a character that begins no token, an unclosed string, an
            unknown escape, or a query over 100,000 characters.
    """
    if len(soql) > MAX_QUERY_CHARACTERS:
        raise SoqlError(MALFORMED_QUERY, "SOQL statements cannot be longer than 100000 characters.")
    tokens: list[Token] = []
    position = 0
    while position < len(soql):
        match = _TOKEN.match(soql, position)
        if match is None:
            raise _no_token(soql, position)
        kind = match.lastgroup
        text = match.group()
        if kind == "string":
            _check_escapes(soql, position, text[1:-1])
            tokens.append(Token(TokenKind.STRING, text[1:-1], position))
        elif kind is not None and kind != "space":
            tokens.append(Token(TokenKind(kind), text, position))
        position = match.end()
    tokens.append(Token(TokenKind.END, "<EOF>", len(soql)))
    return tokens


def text_of(raw: str) -> str:
    """The value of a string literal, its escapes resolved."""
    text = _ESCAPE.sub(_unescaped, raw)
    return _joined_surrogates(text)


def like_pattern_of(raw: str) -> str:
    """A LIKE literal as an SQL pattern whose escape character is the backslash."""

    def part(match: re.Match[str]) -> str:
        escape = match.group(1)
        return match.group() if escape in ("%", "_", "\\") else _unescaped(match)

    return _joined_surrogates(_ESCAPE.sub(part, raw))


def quoted(text: str) -> str:
    """A SOQL string literal that reads back as ``text``."""
    escapes = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "'" + "".join(escapes.get(character, character) for character in text) + "'"


def _unescaped(match: re.Match[str]) -> str:
    escape = match.group(1)
    return chr(int(escape[1:], 16)) if len(escape) == 5 else _SIMPLE_ESCAPES[escape]


def _joined_surrogates(text: str) -> str:
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16")


def _check_escapes(soql: str, position: int, raw: str) -> None:
    for match in _ESCAPE.finditer(raw):
        escape = match.group(1)
        if len(escape) != 5 and escape not in _SIMPLE_ESCAPES:
            raise malformed(
                soql,
                position,
                f"Invalid string literal '{raw}'. Illegal character sequence '{match.group()}' "
                "in string literal.",
            )
    try:
        text_of(raw)
    except UnicodeDecodeError:
        raise malformed(
            soql, position, "Invalid string literal: a surrogate character stands alone."
        ) from None


def _no_token(soql: str, position: int) -> SoqlError:
    column = position - (soql.rfind("\n", 0, position) + 1)
    row = soql.count("\n", 0, position) + 1
    if soql[position] == "'":
        return malformed(
            soql, position, f"line {row}:{column} mismatched character '<EOF>' expecting '''"
        )
    character = soql[position].encode("utf-8", "replace").decode()
    return malformed(
        soql, position, f"line {row}:{column} no viable alternative at character '{character}'"
    )
