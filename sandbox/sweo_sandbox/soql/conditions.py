"""Second stage, its lower half: conditions, and the fields and literals that they compare."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import cast

from sweo_sandbox.soql import dates
from sweo_sandbox.soql.errors import malformed, unexpected_token
from sweo_sandbox.soql.reader import TokenReader
from sweo_sandbox.soql.tokens import Token, TokenKind
from sweo_sandbox.soql.tree import (
    And,
    Call,
    Comparison,
    Condition,
    FieldPath,
    Literal,
    LiteralKind,
    Not,
    Operand,
    Or,
    Query,
)

_NO_FIELDS = (
    *("SELECT", "FROM", "WHERE", "AND", "OR", "NOT", "IN", "LIKE", "INCLUDES", "EXCLUDES"),
    *("NULL", "TRUE", "FALSE", "HAVING", "LIMIT", "WITH", "USING"),
)
_SYMBOL_OPERATORS = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


class ConditionParser(TokenReader, ABC):
    """The rules below a clause."""

    @abstractmethod
    def nested_query(self) -> Query:
        """A query in parentheses, which are the caller's."""

    def condition(self) -> Condition:
        """A condition: comparisons joined by AND or by OR."""
        first = self._term()
        joiner = self.peek()
        if not joiner.is_word("AND", "OR"):
            return first
        word = joiner.text.upper()
        terms = [first]
        while self.take_word(word):
            terms.append(self._term())
        # AND beside OR without parentheses is refused by the vendor too.
        if self.peek().is_word("AND", "OR"):
            raise self.unexpected()
        return And(tuple(terms)) if word == "AND" else Or(tuple(terms))

    def _term(self) -> Condition:
        with self.deeper():
            if self.take_word("NOT"):
                return Not(self._term())
            if self.take_symbol("("):
                inner = self.condition()
                self.expect_symbol(")")
                return inner
            return self._comparison()

    def _comparison(self) -> Comparison:
        operand = self.operand()
        operator = self._operator()
        value: Literal | tuple[Literal, ...] | Query
        if operator in ("IN", "NOT IN") and self.peek(1).is_word("SELECT"):
            self.expect_symbol("(")
            value = self.nested_query()
            self.expect_symbol(")")
        elif operator in ("IN", "NOT IN", "INCLUDES", "EXCLUDES"):
            value = self._literals()
        else:
            value = self._literal()
        return Comparison(operand, operator, value, operand.position)

    def _operator(self) -> str:
        token = self.take()
        if token.kind is TokenKind.SYMBOL and token.text in _SYMBOL_OPERATORS:
            return _SYMBOL_OPERATORS[token.text]
        if token.is_word("LIKE", "IN", "INCLUDES", "EXCLUDES"):
            return token.text.upper()
        if token.is_word("NOT"):
            self.expect_word("IN")
            return "NOT IN"
        raise unexpected_token(self.soql, token.position, token.text)

    def _literals(self) -> tuple[Literal, ...]:
        self._refuse_bind_variable()
        self.expect_symbol("(")
        values = [self._literal()]
        while self.take_symbol(","):
            values.append(self._literal())
        self.expect_symbol(")")
        return tuple(values)

    def _literal(self) -> Literal:
        self._refuse_bind_variable()
        token = self.take()
        if token.kind is TokenKind.NAME:
            return self._word_literal(token)
        if token.kind in (
            TokenKind.STRING,
            TokenKind.NUMBER,
            TokenKind.DATE,
            TokenKind.DATETIME,
        ):
            return Literal(cast(LiteralKind, token.kind.value), token.text, token.position)
        raise unexpected_token(self.soql, token.position, token.text)

    def _word_literal(self, token: Token) -> Literal:
        word = token.text.upper()
        if word in ("TRUE", "FALSE"):
            return Literal("boolean", word, token.position)
        if word == "NULL":
            return Literal("null", word, token.position)
        if word in dates.COUNTED_RANGES:
            self.expect_symbol(":")
            return Literal("range", word, token.position, self.row_count())
        if word in dates.RANGES:
            return Literal("range", word, token.position)
        return Literal("name", token.text, token.position)

    def _refuse_bind_variable(self) -> None:
        if self.peek().is_symbol(":"):
            raise malformed(
                self.soql, self.peek().position, "Bind variables only allowed in Apex code"
            )

    def operand(self) -> Operand:
        """A path, or a function of one."""
        if not self.peek(1).is_symbol("("):
            return self.path()
        name = self.name()
        self.expect_symbol("(")
        with self.deeper():
            argument = None if self.peek().is_symbol(")") else self.operand()
        self.expect_symbol(")")
        return Call(name.text.upper(), argument, name.position)

    def path(self) -> FieldPath:
        """A dotted path."""
        # Some words name relationships too (Group.Name, Order.Name), so only before no dot.
        if self.peek().is_word(*_NO_FIELDS) and not self.peek(1).is_symbol("."):
            raise self.unexpected()
        first = self.name()
        parts = [first.text]
        while self.take_symbol("."):
            parts.append(self.name().text)
        return FieldPath(tuple(parts), first.position)
