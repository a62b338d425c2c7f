"""Second stage: tokens become a tree, by recursive descent, one method a rule.

A token that no rule takes is refused, so nothing a query says is left out of its tree.
"""

from __future__ import annotations

from typing import Literal as OneOf, cast

from sweo_sandbox.soql.conditions import ConditionParser
from sweo_sandbox.soql.errors import (
    NUMBER_OUTSIDE_VALID_RANGE,
    SoqlError,
    malformed,
    unexpected_token,
)
from sweo_sandbox.soql.tokens import TokenKind
from sweo_sandbox.soql.tree import (
    Call,
    FieldPath,
    Operand,
    Ordering,
    Query,
    SelectedChildren,
    SelectedField,
    SelectedFields,
    SelectedTypeOf,
    SelectItem,
    TypeOfBranch,
)

MAX_OFFSET = 2000

_CLAUSES = (
    "USING",
    "WHERE",
    "WITH",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "FOR",
    "UPDATE",
)
_RESERVED = (
    *_CLAUSES,
    *("SELECT", "FROM", "AND", "OR", "NOT", "IN", "LIKE", "INCLUDES", "EXCLUDES", "NULL", "NULLS"),
    *("ASC", "DESC", "TRUE", "FALSE", "ALL", "AS", "TYPEOF", "WHEN", "THEN", "ELSE", "END"),
)


def parse(soql: str) -> Query:
    """The tree of a query.

    Raises:
        SoqlError: MALFORMED_QUERY at the token that fits no rule.
    """
    return _Parser(soql).whole_query()


class _Parser(ConditionParser):
    def whole_query(self) -> Query:
        query = self._query(is_root=True)
        if self.peek().kind is not TokenKind.END:
            raise self.unexpected()
        return query

    def _query(self, *, is_root: bool = False) -> Query:
        position = self.expect_word("SELECT").position
        select = self._select_list()
        counts_rows = any(_is_bare_count(item) for item in select)
        self.expect_word("FROM")
        source = self.name()
        if self.peek().is_symbol("."):
            raise self.unexpected()
        query_fields = {
            "select": () if counts_rows else select,
            "counts_rows": counts_rows,
            "source": source.text,
            "source_position": source.position,
            "alias": self._alias(),
            "position": position,
        }
        scope = self._scope()
        where = self.condition() if self.take_word("WHERE") else None
        if self.take_word("WITH"):
            self.expect_word("SECURITY_ENFORCED")
        group_by = self._group_by()
        having = self.condition() if self.take_word("HAVING") else None
        order_by = self._order_by()
        limit = self.row_count() if self.take_word("LIMIT") else None
        offset = self._offset()
        for_clauses = self._for_clauses() if is_root else ()
        all_rows = is_root and self._all_rows()
        if counts_rows and (group_by or having is not None):
            raise malformed(self.soql, position, "Grouped query cannot use COUNT()")
        return Query(
            **query_fields,  # type: ignore[arg-type]
            scope=scope,
            where=where,
            group_by=group_by,
            having=having,
            order_by=order_by,
            limit=limit,
            offset=offset,
            for_clauses=for_clauses,
            all_rows=all_rows,
        )

    # SELECT

    def _select_list(self) -> tuple[SelectItem, ...]:
        items = [self._select_item()]
        while self.take_symbol(","):
            items.append(self._select_item())
        if len(items) > 1:
            bare = next((item for item in items if _is_bare_count(item)), None)
            if bare is not None:
                raise unexpected_token(self.soql, bare.position, "COUNT")
        return tuple(items)

    def _select_item(self) -> SelectItem:
        token = self.peek()
        if self.take_symbol("("):
            with_query = SelectedChildren(self.nested_query(), token.position)
            self.expect_symbol(")")
            return with_query
        if token.is_word("TYPEOF"):
            return self._typeof()
        if token.is_word("FIELDS") and self.peek(1).is_symbol("("):
            return self._fields_function()
        operand = self.operand()
        return SelectedField(operand, self._alias(), operand.position)

    def _typeof(self) -> SelectedTypeOf:
        self.expect_word("TYPEOF")
        relationship = self.name()
        branches: list[TypeOfBranch] = []
        while self.peek().is_word("WHEN"):
            self.expect_word("WHEN")
            sobject = self.name()
            self.expect_word("THEN")
            branches.append(TypeOfBranch(sobject.text, self._paths(), sobject.position))
        if not branches:
            raise self.unexpected()
        otherwise = self._paths() if self.take_word("ELSE") else ()
        self.expect_word("END")
        return SelectedTypeOf(relationship.text, tuple(branches), otherwise, relationship.position)

    def _paths(self) -> tuple[FieldPath, ...]:
        paths = [self.path()]
        while self.take_symbol(","):
            paths.append(self.path())
        return tuple(paths)

    def _fields_function(self) -> SelectedFields:
        position = self.expect_word("FIELDS").position
        self.expect_symbol("(")
        group = self.name()
        if not group.is_word("ALL", "STANDARD", "CUSTOM"):
            raise unexpected_token(self.soql, group.position, group.text)
        self.expect_symbol(")")
        return SelectedFields(
            cast('OneOf["ALL", "STANDARD", "CUSTOM"]', group.text.upper()), position
        )

    # Clauses after FROM

    def _scope(self) -> str | None:
        if not self.take_word("USING"):
            return None
        self.expect_word("SCOPE")
        scope = self.name()
        if not scope.is_word("EVERYTHING", "MINE"):
            raise unexpected_token(self.soql, scope.position, scope.text)
        return scope.text.lower()

    def _group_by(self) -> tuple[Operand, ...]:
        if not self.take_word("GROUP"):
            return ()
        self.expect_word("BY")
        terms = [self.operand()]
        while self.take_symbol(","):
            terms.append(self.operand())
        return tuple(terms)

    def _order_by(self) -> tuple[Ordering, ...]:
        if not self.take_word("ORDER"):
            return ()
        self.expect_word("BY")
        terms = [self._ordering()]
        while self.take_symbol(","):
            terms.append(self._ordering())
        return tuple(terms)

    def _ordering(self) -> Ordering:
        operand = self.operand()
        descending = self.take_word("DESC")
        if not descending:
            self.take_word("ASC")
        nulls_last = False
        if self.take_word("NULLS"):
            nulls_last = self.take_word("LAST")
            if not nulls_last:
                self.expect_word("FIRST")
        return Ordering(operand, descending, nulls_last)

    def _offset(self) -> int | None:
        if not self.take_word("OFFSET"):
            return None
        offset = self.row_count()
        if offset > MAX_OFFSET:
            raise SoqlError(
                NUMBER_OUTSIDE_VALID_RANGE, f"Maximum SOQL offset allowed is {MAX_OFFSET}"
            )
        return offset

    def _for_clauses(self) -> tuple[str, ...]:
        clauses: list[str] = []
        while self.take_word("FOR"):
            word = self.name()
            if not word.is_word("VIEW", "REFERENCE", "UPDATE") or word.text.upper() in clauses:
                raise unexpected_token(self.soql, word.position, word.text)
            clauses.append(word.text.upper())
        return tuple(clauses)

    def _all_rows(self) -> bool:
        if not self.take_word("ALL"):
            return False
        self.expect_word("ROWS")
        return True

    def nested_query(self) -> Query:
        """A query in parentheses, which are the caller's."""
        with self.deeper():
            return self._query()

    def _alias(self) -> str | None:
        if self.take_word("AS"):
            alias = self.name()
        elif self.peek().kind is TokenKind.NAME and not self.peek().is_word(*_RESERVED):
            alias = self.take()
        else:
            return None
        if alias.is_word(*_RESERVED):
            raise unexpected_token(self.soql, alias.position, alias.text)
        return alias.text


def _is_bare_count(item: SelectItem) -> bool:
    return (
        isinstance(item, SelectedField)
        and isinstance(item.operand, Call)
        and item.operand.name == "COUNT"
        and item.operand.argument is None
    )
