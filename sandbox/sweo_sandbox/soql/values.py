"""Checks what a query computes: fields, functions of them, aggregates."""

from __future__ import annotations

from sweo_sandbox.soql.checked import FieldRef, Kind, Value, kind_of
from sweo_sandbox.soql.errors import MALFORMED_QUERY, SoqlError, malformed, unexpected_token
from sweo_sandbox.soql.scope import Scope
from sweo_sandbox.soql.tree import Call, FieldPath, Operand

AGGREGATES = frozenset({"COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX"})

_CALENDAR: frozenset[Kind] = frozenset({"date", "datetime"})
_DATETIME: frozenset[Kind] = frozenset({"datetime"})
_DATE_FUNCTIONS: dict[str, tuple[Kind, frozenset[Kind]]] = {
    "CALENDAR_MONTH": ("int", _CALENDAR),
    "CALENDAR_QUARTER": ("int", _CALENDAR),
    "CALENDAR_YEAR": ("int", _CALENDAR),
    "DAY_IN_MONTH": ("int", _CALENDAR),
    "DAY_IN_WEEK": ("int", _CALENDAR),
    "DAY_IN_YEAR": ("int", _CALENDAR),
    "DAY_ONLY": ("date", _DATETIME),
    "FISCAL_MONTH": ("int", _CALENDAR),
    "FISCAL_QUARTER": ("int", _CALENDAR),
    "FISCAL_YEAR": ("int", _CALENDAR),
    "HOUR_IN_DAY": ("int", _DATETIME),
    "WEEK_IN_MONTH": ("int", _CALENDAR),
    "WEEK_IN_YEAR": ("int", _CALENDAR),
}
_NOT_COMPARABLE = frozenset({"boolean", "multipicklist", "address", "location"})


def is_aggregate(operand: Operand) -> bool:
    """Whether this is a call of an aggregate function."""
    return isinstance(operand, Call) and operand.name in AGGREGATES


def is_date_function(value: Value) -> bool:
    """Whether this is a date function of a field."""
    return value.function in _DATE_FUNCTIONS


def value_of(scope: Scope, operand: Operand, *, aggregates: bool = False) -> Value:
    """The checked value of a field or function.

    Args:
        scope: Where its names are looked up.
        operand: As written.
        aggregates: Whether an aggregate function may stand here.

    Raises:
        SoqlError: unknown field or function, or a function of a field that it does not take.
    """
    if isinstance(operand, FieldPath):
        ref = scope.resolve(operand)
        return Value(ref, None, None, kind_of(ref.field))
    if operand.name in AGGREGATES:
        if not aggregates:
            raise unexpected_token(scope.soql, operand.position, operand.name)
        return _aggregate(scope, operand)
    return _function(scope, operand)


def _function(scope: Scope, call: Call) -> Value:
    argument = call.argument
    if call.name == "TOLABEL" and isinstance(argument, FieldPath):
        ref = scope.resolve(argument)
        if ref.field.type not in ("picklist", "multipicklist"):
            raise malformed(scope.soql, call.position, f"field {ref.name} does not support toLabel")
        if ref.field.type == "multipicklist":
            raise unexpected_token(scope.soql, call.position, "toLabel")
        return Value(ref, "TOLABEL", None, "text")
    if call.name not in _DATE_FUNCTIONS or argument is None:
        raise unexpected_token(scope.soql, call.position, call.name)
    result, accepted = _DATE_FUNCTIONS[call.name]
    if isinstance(argument, Call):
        # The user's time zone is UTC, so this conversion changes nothing.
        if argument.name != "CONVERTTIMEZONE" or not isinstance(argument.argument, FieldPath):
            raise unexpected_token(scope.soql, argument.position, argument.name)
        argument = argument.argument
        accepted = _DATETIME
    ref = scope.resolve(argument)
    if kind_of(ref.field) not in accepted:
        raise malformed(scope.soql, call.position, f"field {ref.name} does not support {call.name}")
    return Value(ref, call.name, None, result)


def _aggregate(scope: Scope, call: Call) -> Value:
    if call.argument is None:
        raise unexpected_token(scope.soql, call.position, call.name)
    inner = value_of(scope, call.argument)
    if inner.function is not None:
        raise unexpected_token(scope.soql, call.position, call.name)
    if not _aggregatable(inner.ref, inner.kind, call.name):
        raise SoqlError(
            MALFORMED_QUERY,
            f"field {inner.ref.name} does not support aggregate operator {call.name}",
        )
    kind: Kind = inner.kind
    if call.name in ("COUNT", "COUNT_DISTINCT"):
        kind = "int"
    elif call.name == "AVG":
        kind = "double"
    return Value(inner.ref, None, call.name, kind)


def _aggregatable(ref: FieldRef, kind: Kind, function: str) -> bool:
    if not ref.field.extra.get("aggregatable", True):
        return False
    if function in ("SUM", "AVG"):
        return kind in ("int", "double")
    if function in ("MIN", "MAX"):
        return kind not in _NOT_COMPARABLE
    return kind not in ("address", "location")
