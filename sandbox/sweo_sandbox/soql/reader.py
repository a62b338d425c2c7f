"""Hands a query's tokens to the parser, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sweo_sandbox.soql.errors import MALFORMED_QUERY, SoqlError, unexpected_token
from sweo_sandbox.soql.tokens import Token, TokenKind, tokenize

MAX_NESTING = 60
_MAX_ROW_COUNT = 2**31 - 1


class TokenReader:
    """A place in a query's tokens. What does not fit raises MALFORMED_QUERY there."""

    def __init__(self, soql: str) -> None:
        self.soql = soql
        self._tokens = tokenize(soql)
        self._next = 0
        self._nesting = 0

    def peek(self, ahead: int = 0) -> Token:
        """The next token, or one further ahead, without taking it."""
        return self._tokens[min(self._next + ahead, len(self._tokens) - 1)]

    def take(self) -> Token:
        """The next token."""
        token = self.peek()
        self._next += 1
        return token

    def take_word(self, word: str) -> bool:
        """Takes the word if it is next; whether it was."""
        if self.peek().is_word(word):
            self._next += 1
            return True
        return False

    def take_symbol(self, symbol: str) -> bool:
        """Takes the symbol if it is next; whether it was."""
        if self.peek().is_symbol(symbol):
            self._next += 1
            return True
        return False

    def expect_word(self, word: str) -> Token:
        """The word, which must be next."""
        if not self.peek().is_word(word):
            raise self.unexpected()
        return self.take()

    def expect_symbol(self, symbol: str) -> None:
        """Takes the symbol, which must be next."""
        if not self.take_symbol(symbol):
            raise self.unexpected()

    def name(self) -> Token:
        """The next token, which must be a name."""
        if self.peek().kind is not TokenKind.NAME:
            raise self.unexpected()
        return self.take()

    def unexpected(self) -> SoqlError:
        """The refusal of the next token."""
        token = self.peek()
        return unexpected_token(self.soql, token.position, token.text)

    def row_count(self) -> int:
        """The next token, which must be a whole number that is not negative."""
        token = self.take()
        # A number of more digits is out of range whatever it is, and int() refuses very long ones.
        if token.kind is not TokenKind.NUMBER or not token.text.isdigit():
            raise unexpected_token(self.soql, token.position, token.text)
        if len(token.text) > 10 or int(token.text) > _MAX_ROW_COUNT:
            raise unexpected_token(self.soql, token.position, token.text)
        return int(token.text)

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """Counts one level of nesting; too many would exhaust the stack."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise SoqlError(MALFORMED_QUERY, "Query is too deeply nested.")
        yield
        self._nesting -= 1
