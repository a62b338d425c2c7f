"""Tells whether a condition is only a span of SystemModstamp, as an incremental read asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sweo_sandbox.soql.checked import All, Condition, SemiJoin, Test


@dataclass(frozen=True, slots=True)
class Stamped:
    """From ``start_ms`` on and before ``end_ms``; None is without a bound."""

    start_ms: int | None = None
    end_ms: int | None = None


def stamped(condition: Condition | None) -> Stamped | None:
    """The span that the condition is, or None if it asks for anything else."""
    if condition is None:
        return Stamped()
    tests = condition.conditions if isinstance(condition, All) else (condition,)
    span = Stamped()
    for test in tests:
        narrowed = _narrowed(span, test)
        if narrowed is None:
            return None
        span = narrowed
    return span


def _narrowed(span: Stamped, test: Condition) -> Stamped | None:
    if not isinstance(test, Test) or isinstance(test.operands, SemiJoin):
        return None
    value, operand = test.value, test.operands[0]
    plain = not value.ref.steps and value.function is None and value.aggregate is None
    if not plain or value.ref.field.name != "SystemModstamp" or not isinstance(operand, int):
        return None
    if test.operator in (">", ">="):
        start_ms = operand + (test.operator == ">")
        held = start_ms if span.start_ms is None else span.start_ms
        return replace(span, start_ms=max(start_ms, held))
    if test.operator in ("<", "<="):
        end_ms = operand + (test.operator == "<=")
        held = end_ms if span.end_ms is None else span.end_ms
        return replace(span, end_ms=min(end_ms, held))
    return None
