"""SQL for a query's values: functions, aggregates, sort keys. Stored form in, stored form out."""

from __future__ import annotations

from sweo_sandbox.soql.checked import Sorting, Value, kind_of
from sweo_sandbox.soql.sources import Source, text_sql

_STRFTIME = {
    "CALENDAR_YEAR": "%Y",
    "FISCAL_YEAR": "%Y",
    "CALENDAR_MONTH": "%m",
    "FISCAL_MONTH": "%m",
    "DAY_IN_MONTH": "%d",
    "DAY_IN_YEAR": "%j",
    "HOUR_IN_DAY": "%H",
}
_TEXT_KINDS = frozenset({"text", "picklist", "multipicklist"})
_AFTER_ALL_LISTED = 1_000_000


def value_sql(source: Source, value: Value) -> str:
    """The value of a row, or of a group where it is an aggregate."""
    plain = source.field_sql(value.ref)
    if value.function == "TOLABEL":
        plain = _label_sql(value, plain)
    elif value.function is not None:
        plain = _date_function_sql(value.function, value.ref.field.type, plain)
    if value.aggregate is None:
        return plain
    text = _field_collation(value)
    if value.aggregate == "COUNT_DISTINCT":
        return f"count(DISTINCT {plain}{text})"
    if value.aggregate in ("MIN", "MAX"):
        return f"{value.aggregate.lower()}({plain}{text})"
    return f"{value.aggregate.lower()}({plain})"


def collation(value: Value) -> str:
    """What makes text compare without regard to case (ASCII letters), as the vendor does."""
    return _field_collation(value) if value.kind in _TEXT_KINDS else ""


def _field_collation(value: Value) -> str:
    field = value.ref.field
    return " COLLATE NOCASE" if kind_of(field) in _TEXT_KINDS and not field.case_sensitive else ""


def group_sql(source: Source, value: Value) -> str:
    """A term of GROUP BY."""
    return value_sql(source, value) + collation(value)


def sort_sql(source: Source, sorting: Sorting) -> list[str]:
    """A term of ORDER BY: one or two SQL terms, empty values first unless asked otherwise."""
    value = sorting.value
    plain = value_sql(source, value)
    direction = " DESC" if sorting.descending else ""
    # SQLite puts NULLs first when ascending and last when descending. Where a value is never
    # NULL nothing is said about them, so that an index can serve the order.
    nulls = ""
    if value.ref.field.nillable or value.ref.steps or value.aggregate:
        if sorting.nulls_last and not sorting.descending:
            nulls = " NULLS LAST"
        elif sorting.descending and not sorting.nulls_last:
            nulls = " NULLS FIRST"
    terms = []
    if value.kind == "picklist" and value.ref.field.picklist_values and value.aggregate is None:
        terms.append(_listed_order_sql(value, plain) + direction + nulls)
    terms.append(plain + collation(value) + direction + nulls)
    return terms


def _label_sql(value: Value, plain: str) -> str:
    whens = " ".join(
        f"WHEN {text_sql(entry.value)} THEN {text_sql(entry.label)}"
        for entry in value.ref.field.picklist_values
        if entry.label != entry.value
    )
    return f"CASE {plain} {whens} ELSE {plain} END" if whens else plain


def _listed_order_sql(value: Value, plain: str) -> str:
    # Picklists sort in the order in which setup lists their values.
    whens = " ".join(
        f"WHEN {text_sql(entry.value)} THEN {place}"
        for place, entry in enumerate(value.ref.field.picklist_values)
    )
    return (
        f"CASE {plain} COLLATE NOCASE {whens} "
        f"ELSE CASE WHEN {plain} IS NOT NULL THEN {_AFTER_ALL_LISTED} END END"
    )


def _date_function_sql(function: str, field_type: str, plain: str) -> str:
    moment = f"{plain} / 1000, 'unixepoch'" if field_type == "datetime" else plain

    def part(letter: str) -> str:
        return f"CAST(strftime('{letter}', {moment}) AS INTEGER)"

    if function in _STRFTIME:
        return part(_STRFTIME[function])
    if function == "DAY_ONLY":
        return f"date({moment})"
    if function in ("CALENDAR_QUARTER", "FISCAL_QUARTER"):
        return f"(({part('%m')} + 2) / 3)"
    if function == "DAY_IN_WEEK":
        return f"({part('%w')} + 1)"
    day = part("%d") if function == "WEEK_IN_MONTH" else part("%j")
    return f"(({day} + 6) / 7)"
