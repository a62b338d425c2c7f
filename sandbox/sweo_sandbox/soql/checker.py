"""Third stage: every name is looked up in the schema, every value is typed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sweo_sandbox.salesforce.schema import Schema
from sweo_sandbox.soql.checked import (
    All,
    AnyOf,
    CheckedQuery,
    Children,
    Condition,
    Opposite,
    SemiJoin,
    Sorting,
    Test,
    Value,
)
from sweo_sandbox.soql.errors import (
    INVALID_FIELD,
    MALFORMED_QUERY,
    SoqlError,
    located,
    malformed,
    no_such_child_relationship,
    unexpected_token,
)
from sweo_sandbox.soql.operands import check_operator, operand_of
from sweo_sandbox.soql.scope import Scope, sobject_named
from sweo_sandbox.soql.selection import Selection, select_groups
from sweo_sandbox.soql.tree import (
    And,
    Comparison,
    Condition as WrittenCondition,
    Literal,
    Not,
    Operand,
    Or,
    Ordering,
    Query,
    SelectedChildren,
    SelectedField,
)
from sweo_sandbox.soql.values import is_aggregate, is_date_function, value_of

MAX_SEMI_JOINS = 2
MAX_CHILD_DEPTH = 5


def check(
    soql: str,
    query: Query,
    schema: Schema,
    *,
    now_ms: int,
    visible: Callable[[str, str], bool],
) -> CheckedQuery:
    """The query with its names looked up.

    Raises:
        SoqlError: as the vendor refuses it.
    """
    sobject = sobject_named(soql, schema, visible, query.source, query.source_position)
    scope = Scope(soql, schema, visible, sobject, query.alias)
    return _Checker(scope, now_ms, depth=0).checked(query)


@dataclass(slots=True)
class _Checker:
    scope: Scope
    now_ms: int
    depth: int
    semi_joins: int = 0
    in_semi_join: bool = False

    def checked(self, query: Query) -> CheckedQuery:
        grouped = bool(query.group_by) or any(
            isinstance(item, SelectedField) and is_aggregate(item.operand) for item in query.select
        )
        if grouped and (self.depth or self.in_semi_join):
            raise SoqlError(MALFORMED_QUERY, "only root queries support aggregate expressions")
        if query.counts_rows and (self.depth or self.in_semi_join):
            raise SoqlError(MALFORMED_QUERY, "only root queries support aggregate expressions")
        if query.having is not None and not query.group_by:
            raise unexpected_token(self.scope.soql, query.position, "HAVING")
        group_by = tuple(self._group_term(operand) for operand in query.group_by)
        made = CheckedQuery(
            sobject=self.scope.sobject,
            outputs=[],
            columns=[],
            counts_rows=query.counts_rows,
            is_aggregate=grouped,
            only_mine=self._only_mine(query),
            where=None if query.where is None else self._condition(query.where, top=True),
            group_by=group_by,
            limit=query.limit,
            offset=query.offset,
            for_clauses=query.for_clauses,
            all_rows=query.all_rows,
        )
        if grouped:
            made.columns = select_groups(self.scope, query, group_by)
            made.outputs.extend(made.columns)
        else:
            selection = Selection(self.scope, query.limit, self._children)
            made.outputs = selection.outputs_of(query.select)
            made.columns = selection.columns
            made.uses_fields_function = selection.uses_fields_function
        if query.having is not None:
            made.having = self._having(query.having, group_by)
        made.order_by = tuple(self._sorting(term, made) for term in query.order_by)
        if grouped and not group_by and query.limit is not None:
            raise SoqlError(
                MALFORMED_QUERY,
                "Non-grouped query that uses overall aggregate functions cannot also use LIMIT",
            )
        return made

    def _only_mine(self, query: Query) -> bool:
        if query.scope != "mine":
            return False
        if self.scope.sobject.field_named("OwnerId") is None:
            raise SoqlError(
                MALFORMED_QUERY, f"USING SCOPE mine is not supported for {self.scope.sobject.name}"
            )
        return True

    # Conditions

    def _condition(self, written: WrittenCondition, *, top: bool) -> Condition:
        if isinstance(written, And):
            return All(tuple(self._condition(part, top=top) for part in written.conditions))
        if isinstance(written, Or):
            return AnyOf(tuple(self._condition(part, top=False) for part in written.conditions))
        if isinstance(written, Not):
            return Opposite(self._condition(written.condition, top=False))
        value = value_of(self.scope, written.operand)
        self._check_filterable(value, written.position)
        return self._test(written, value, top=top)

    def _having(self, written: WrittenCondition, group_by: tuple[Value, ...]) -> Condition:
        if isinstance(written, And):
            return All(tuple(self._having(part, group_by) for part in written.conditions))
        if isinstance(written, Or):
            return AnyOf(tuple(self._having(part, group_by) for part in written.conditions))
        if isinstance(written, Not):
            return Opposite(self._having(written.condition, group_by))
        value = value_of(self.scope, written.operand, aggregates=True)
        self._check_grouped(value, group_by, "Having field must be grouped or aggregated")
        if isinstance(written.value, Query):
            raise unexpected_token(self.scope.soql, written.value.position, "SELECT")
        return self._test(written, value, top=False)

    def _test(self, written: Comparison, value: Value, *, top: bool) -> Test:
        soql = self.scope.soql
        if isinstance(written.value, Query):
            if not top:
                raise SoqlError(
                    MALFORMED_QUERY,
                    "Semi join sub-selects are only allowed at the top level WHERE expressions.",
                )
            return Test(value, written.operator, self._semi_join(value, written.value))
        check_operator(soql, value, written.operator, written.position)
        literals = (written.value,) if isinstance(written.value, Literal) else written.value
        operands = tuple(
            operand_of(
                soql,
                value,
                written.operator,
                literal,
                position=written.position,
                now_ms=self.now_ms,
            )
            for literal in literals
        )
        if written.operator in ("INCLUDES", "EXCLUDES") and None in operands:
            raise unexpected_token(soql, written.position, "null")
        return Test(value, written.operator, operands)

    def _check_filterable(self, value: Value, position: int) -> None:
        if not value.ref.field.filterable and value.kind not in ("address", "location"):
            raise located(
                INVALID_FIELD,
                self.scope.soql,
                position,
                f"field '{value.ref.field.name}' can not be filtered in a query call",
            )

    def _semi_join(self, value: Value, query: Query) -> SemiJoin:
        soql = self.scope.soql
        self.semi_joins += 1
        if self.in_semi_join:
            raise SoqlError(MALFORMED_QUERY, "Nesting of semi join sub-selects is not supported")
        if self.semi_joins > MAX_SEMI_JOINS:
            raise SoqlError(
                MALFORMED_QUERY, f"Maximum {MAX_SEMI_JOINS} semi join sub-selects are allowed"
            )
        scope = self.scope
        sobject = sobject_named(
            soql, scope.schema, scope.visible, query.source, query.source_position
        )
        if sobject.name == scope.sobject.name:
            raise malformed(
                soql,
                query.source_position,
                "The inner and outer selects should not be on the same object type",
            )
        if query.order_by or query.limit is not None or query.offset is not None:
            raise SoqlError(
                MALFORMED_QUERY,
                "Semi join sub-selects cannot use ORDER BY, LIMIT or OFFSET.",
            )
        inner = _Checker(
            scope.within(sobject, query.alias), self.now_ms, depth=0, in_semi_join=True
        )
        checked = inner.checked(query)
        selected = _only_column(checked)
        if value.kind != "id" or value.function or value.ref.steps:
            raise malformed(
                soql,
                value.ref.position,
                f"The left operand '{value.ref.name}' of a semi join must be an Id or reference "
                "field of the queried object",
            )
        if selected is None or selected.kind != "id":
            raise malformed(
                soql, query.position, "Semi join sub-selects must select one Id or reference field"
            )
        return SemiJoin(checked, selected.ref)

    # GROUP BY and ORDER BY

    def _group_term(self, operand: Operand) -> Value:
        value = value_of(self.scope, operand)
        if value.function == "TOLABEL" or (
            value.function is None
            and (not value.ref.field.groupable or value.kind in ("address", "location", "datetime"))
        ):
            raise malformed(
                self.scope.soql,
                value.ref.position,
                f"field '{value.ref.name}' can not be grouped in a query call",
            )
        return value

    def _sorting(self, term: Ordering, query: CheckedQuery) -> Sorting:
        value = value_of(self.scope, term.operand, aggregates=query.is_aggregate)
        if query.is_aggregate:
            self._check_grouped(
                value, query.group_by, "Ordered field must be grouped or aggregated"
            )
        elif is_date_function(value):
            raise unexpected_token(self.scope.soql, term.operand.position, value.function or "")
        if not value.ref.field.sortable or value.kind in ("address", "location", "multipicklist"):
            raise malformed(
                self.scope.soql,
                value.ref.position,
                f"field '{value.ref.name}' can not be sorted in a query call",
            )
        return Sorting(value, term.descending, term.nulls_last)

    def _check_grouped(self, value: Value, group_by: tuple[Value, ...], complaint: str) -> None:
        if value.aggregate is None and value.identity not in {g.identity for g in group_by}:
            raise malformed(self.scope.soql, value.ref.position, f"{complaint}: {value.ref.name}")

    # Subqueries over child relationships

    def _children(self, item: SelectedChildren) -> Children:
        scope, query = self.scope, item.query
        if self.in_semi_join:
            raise unexpected_token(scope.soql, item.position, "(")
        if self.depth + 1 >= MAX_CHILD_DEPTH:
            raise SoqlError(
                MALFORMED_QUERY,
                f"SOQL statements cannot query aggregate relationships more than "
                f"{MAX_CHILD_DEPTH - 1} level(s) away from the root entity object.",
            )
        wanted = query.source.lower()
        for child in scope.sobject.child_relationships:
            if (child.relationship_name or "").lower() != wanted:
                continue
            sobject = scope.schema.sobject(child.child_sobject)
            link = None if sobject is None else sobject.field_named(child.field)
            if sobject is None or link is None or not scope.visible(sobject.name, link.name):
                continue
            inner = _Checker(scope.within(sobject, query.alias), self.now_ms, self.depth + 1)
            return Children(child.relationship_name or query.source, inner.checked(query), link)
        raise no_such_child_relationship(scope.soql, query.source_position, query.source)


def _only_column(query: CheckedQuery) -> Value | None:
    if len(query.outputs) != 1 or len(query.columns) != 1:
        return None
    value = query.columns[0].value
    return value if value.function is None else None
