"""Types the right-hand side of a comparison: a literal becomes a value as the store holds it."""

from __future__ import annotations

from sweo_sandbox.salesforce.ids import to_18
from sweo_sandbox.soql import dates
from sweo_sandbox.soql.checked import Kind, Operand, Value
from sweo_sandbox.soql.errors import (
    INVALID_FIELD,
    INVALID_QUERY_FILTER_OPERATOR,
    MALFORMED_QUERY,
    SoqlError,
    located,
    malformed,
    unexpected_token,
)
from sweo_sandbox.soql.tokens import like_pattern_of, text_of
from sweo_sandbox.soql.tree import Literal, LiteralKind

MAX_STRING_CHARACTERS = 4000

_ORDERED = frozenset({"<", "<=", ">", ">="})
_EQUALITY = frozenset({"=", "!=", "IN", "NOT IN"})
_ALLOWED: dict[Kind, frozenset[str]] = {
    "text": _EQUALITY | _ORDERED | {"LIKE"},
    "picklist": _EQUALITY | _ORDERED | {"LIKE"},
    "multipicklist": _EQUALITY | {"INCLUDES", "EXCLUDES"},
    "id": _EQUALITY | _ORDERED,
    "boolean": _EQUALITY,
    "int": _EQUALITY | _ORDERED,
    "double": _EQUALITY | _ORDERED,
    "date": _EQUALITY | _ORDERED,
    "datetime": _EQUALITY | _ORDERED,
    "time": _EQUALITY,
    "address": frozenset(),
    "location": frozenset(),
}
_VENDOR_TYPES: dict[Kind, str] = {
    "text": "string",
    "picklist": "string",
    "multipicklist": "string",
    "id": "ID",
    "datetime": "dateTime",
}
_QUOTED_KINDS = frozenset({"text", "picklist", "multipicklist", "id"})
_TAKEN_BY: dict[LiteralKind, frozenset[str]] = {
    "string": _QUOTED_KINDS,
    "number": frozenset({"int", "double"}),
    "boolean": frozenset({"boolean"}),
    "null": frozenset(),
    "date": frozenset({"date"}),
    "datetime": frozenset({"datetime"}),
    "range": frozenset({"date", "datetime"}),
    "name": frozenset(),
}


def check_operator(soql: str, value: Value, operator: str, position: int) -> None:
    """Refuses an operator that the value's type does not have.

    Raises:
        SoqlError: INVALID_QUERY_FILTER_OPERATOR, or INVALID_FIELD for a compound field.
    """
    if operator in _ALLOWED[value.kind]:
        return
    if value.kind in ("address", "location"):
        raise located(
            INVALID_FIELD,
            soql,
            position,
            f"{value.kind.title()} fields can only be filtered using Distance expressions",
        )
    if operator in ("INCLUDES", "EXCLUDES"):
        message = "includes or excludes operator only valid on multipicklist field"
    else:
        message = f"invalid operator on {value.ref.field.type} field"
    raise located(INVALID_QUERY_FILTER_OPERATOR, soql, position, message)


def operand_of(
    soql: str, value: Value, operator: str, literal: Literal, *, position: int, now_ms: int
) -> Operand:
    """A literal as the store holds such values; None is null.

    Raises:
        SoqlError: INVALID_FIELD for a literal of another type, INVALID_QUERY_FILTER_OPERATOR
            for text that is no id.
    """
    if literal.kind == "name":
        raise malformed(soql, literal.position, "Bind variables only allowed in Apex code")
    if literal.kind == "null" and operator in _EQUALITY:
        return None
    if literal.kind == "range" and operator in ("IN", "NOT IN"):
        raise unexpected_token(soql, literal.position, literal.text)
    if value.kind not in _TAKEN_BY[literal.kind]:
        raise _wrong_type(soql, value, position)
    if literal.kind == "string":
        return _text_operand(soql, value, operator, literal, position)
    try:
        return _plain_operand(literal, now_ms)
    except (ValueError, OverflowError):
        count = "" if literal.count is None else f":{literal.count}"
        raise malformed(soql, literal.position, f"Invalid date: {literal.text}{count}") from None


def _plain_operand(literal: Literal, now_ms: int) -> Operand:
    if literal.kind == "number":
        return _number(literal.text)
    if literal.kind == "boolean":
        return int(literal.text == "TRUE")
    if literal.kind == "date":
        return dates.date_text(literal.text)
    if literal.kind == "datetime":
        return dates.datetime_ms(literal.text)
    return dates.named_range(literal.text, literal.count, now_ms)


def _text_operand(
    soql: str, value: Value, operator: str, literal: Literal, position: int
) -> str | None:
    text = like_pattern_of(literal.text) if operator == "LIKE" else text_of(literal.text)
    if len(text) > MAX_STRING_CHARACTERS:
        raise SoqlError(
            MALFORMED_QUERY,
            f"Strings in a WHERE clause cannot be longer than {MAX_STRING_CHARACTERS} characters.",
        )
    # The store has no empty text: the vendor keeps it as null, and compares it as null.
    if not text and operator in _EQUALITY:
        return None
    if value.kind != "id":
        return text
    record_id = to_18(text)
    if record_id is None:
        raise located(INVALID_QUERY_FILTER_OPERATOR, soql, position, f"invalid ID field: {text}")
    return record_id


def _number(text: str) -> int | float:
    if len(text) <= 18 and text.lstrip("+-").isdigit():
        return int(text)
    return float(text)


def _wrong_type(soql: str, value: Value, position: int) -> SoqlError:
    name = value.ref.field.name
    wanted = _VENDOR_TYPES.get(value.kind, value.kind)
    quotes = "should be" if value.kind in _QUOTED_KINDS else "should not be"
    return located(
        INVALID_FIELD,
        soql,
        position,
        f"value of filter criterion for field '{name}' must be of type {wanted} and {quotes} "
        "enclosed in quotes",
    )
