"""SQL for conditions.

A comparison is true or false to the vendor, never unknown: ``!=``, ``NOT IN``, ``EXCLUDES`` and
``NOT`` match empty values. NOT is carried down to the comparisons, so that those that stand
without it stay plain and an index can serve them.
"""

from __future__ import annotations

from collections.abc import Callable

from sweo_sandbox.soql.checked import (
    All,
    AnyOf,
    Condition,
    Operand,
    Opposite,
    SemiJoin,
    Test,
    Value,
)
from sweo_sandbox.soql.dates import Range
from sweo_sandbox.soql.expressions import collation, value_sql
from sweo_sandbox.soql.sources import Source, balanced

SemiJoinSql = Callable[[SemiJoin], str]

_TEXT_KINDS = frozenset({"text", "picklist", "multipicklist"})


def condition_sql(
    source: Source, condition: Condition, semi_join_sql: SemiJoinSql, *, negated: bool = False
) -> str:
    """SQL that is true where the condition holds, or with ``negated`` where it does not."""
    if isinstance(condition, Opposite):
        return condition_sql(source, condition.condition, semi_join_sql, negated=not negated)
    if isinstance(condition, (All, AnyOf)):
        parts = [
            f"({condition_sql(source, part, semi_join_sql, negated=negated)})"
            for part in condition.conditions
        ]
        return balanced(" AND " if isinstance(condition, All) != negated else " OR ", parts)
    return _test_sql(source, condition, semi_join_sql, negated)


def _test_sql(source: Source, test: Test, semi_join_sql: SemiJoinSql, negated: bool) -> str:
    plain = value_sql(source, test.value)
    if test.operator in ("!=", "NOT IN", "EXCLUDES"):
        negated = not negated
    if isinstance(test.operands, SemiJoin):
        positive = f"{plain} IN ({semi_join_sql(test.operands)})"
    elif test.operator in ("INCLUDES", "EXCLUDES"):
        positive = balanced(
            " OR ", [_includes_sql(source, plain, str(operand)) for operand in test.operands]
        )
    elif test.operator in ("IN", "NOT IN"):
        positive = _in_sql(source, test.value, plain, test.operands)
    else:
        operator = "=" if test.operator == "!=" else test.operator
        positive = _compare_sql(source, test.value, plain, operator, test.operands[0])
    return f"({positive}) IS NOT TRUE" if negated else positive


def _compare_sql(source: Source, value: Value, plain: str, operator: str, operand: Operand) -> str:
    if operand is None:
        return f"{plain} IS NULL"
    if isinstance(operand, Range):
        return _range_sql(source, value, plain, operator, operand)
    if value.kind == "boolean" and value.ref.steps:
        # Without a parent the parent's checkbox is not ticked.
        plain = f"coalesce({plain}, 0)"
    plain, bound = _folded(source, value, plain, operand)
    if operator == "LIKE":
        return f"{plain} LIKE {bound} ESCAPE '\\'"
    return f"{plain}{collation(value)} {operator} {bound}"


def _in_sql(source: Source, value: Value, plain: str, operands: tuple[Operand, ...]) -> str:
    parts = []
    simple = [
        operand
        for operand in operands
        if operand is not None and not (isinstance(operand, str) and not operand.isascii())
    ]
    if simple:
        subject = f"coalesce({plain}, 0)" if value.kind == "boolean" and value.ref.steps else plain
        bound = ", ".join(source.bindings.bind(operand) for operand in simple)
        parts.append(f"{subject}{collation(value)} IN ({bound})")
    parts.extend(
        _compare_sql(source, value, plain, "=", operand)
        for operand in operands
        if isinstance(operand, str) and not operand.isascii()
    )
    if None in operands:
        parts.append(f"{plain} IS NULL")
    return balanced(" OR ", parts)


def _range_sql(source: Source, value: Value, plain: str, operator: str, period: Range) -> str:
    if value.kind == "date":
        first, after_last = period.start_date, period.end_date
        start, end = source.bindings.bind(first), source.bindings.bind(after_last)
    else:
        start, end = source.bindings.bind(period.start_ms), source.bindings.bind(period.end_ms)
    return {
        "=": f"{plain} >= {start} AND {plain} < {end}",
        "<": f"{plain} < {start}",
        "<=": f"{plain} < {end}",
        ">": f"{plain} >= {end}",
        ">=": f"{plain} >= {start}",
    }[operator]


def _includes_sql(source: Source, plain: str, operand: str) -> str:
    # 'A;B' asks for both A and B.
    wanted = [part for part in operand.split(";") if part]
    if not wanted:
        return "FALSE"
    listed = f"sf_fold(';' || {plain} || ';')"
    return balanced(
        " AND ",
        [f"instr({listed}, {source.bindings.bind(fold(f';{part};'))}) > 0" for part in wanted],
    )


def _folded(source: Source, value: Value, plain: str, operand: Operand) -> tuple[str, str]:
    # NOCASE and LIKE know the case of ASCII letters only; other text is folded by a function.
    beyond_ascii = value.kind in _TEXT_KINDS and isinstance(operand, str) and not operand.isascii()
    if beyond_ascii and not value.ref.field.case_sensitive:
        return f"sf_fold({plain})", source.bindings.bind(fold(str(operand)))
    return plain, source.bindings.bind(operand)


def fold(text: str | None) -> str | None:
    """Text without case, in any script."""
    return None if text is None else text.casefold()
