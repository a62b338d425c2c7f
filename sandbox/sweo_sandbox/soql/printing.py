"""SQL that prints values and records as text: JSON as REST does, CSV as Bulk API 2.0 does.

SQLite does the printing, one text for each row, because that costs a fraction of what building
the same text in Python does.
"""

from __future__ import annotations

from collections.abc import Callable

from sweo_sandbox.salesforce.schema import SObjectType
from sweo_sandbox.soql.checked import (
    Children,
    Column,
    FieldRef,
    Kind,
    Output,
    Parent,
    TypeOf,
    Value,
)
from sweo_sandbox.soql.expressions import value_sql
from sweo_sandbox.soql.sources import Source, SqlText, balanced, name_sql, text_sql

ChildrenSql = Callable[[Source, Children], str]

_ADDRESS_KEYS = (
    *("city", "country", "countryCode", "geocodeAccuracy", "latitude", "longitude"),
    *("postalCode", "state", "stateCode", "street"),
)
_JSON_MOMENT = '"%Y-%m-%dT%H:%M:%f+0000"'
_QUOTE, _TWO_QUOTES = "'\"'", "'\"\"'"
_CSV_MOMENT = "%Y-%m-%dT%H:%M:%fZ"
_OPTIONAL_ADDRESS_KEYS = frozenset({"countryCode", "stateCode"})


class JsonPrinter:
    """Prints records with ``attributes`` whose urls name an API version such as ``62.0``."""

    def __init__(self, version: str, children_sql: ChildrenSql) -> None:
        self._version = version
        self._children_sql = children_sql

    def record_sql(self, source: Source, sobject: SObjectType, outputs: list[Output]) -> str:
        """The JSON object of a record of the statement's own object."""
        attributes = self._attributes(text_sql(sobject.name), sobject, source.column("Id"))
        return self._object(source, attributes, outputs)

    def group_sql(self, source: Source, outputs: list[Output]) -> str:
        """The JSON object of an AggregateResult."""
        return self._object(source, [text_sql('"attributes":{"type":"AggregateResult"}')], outputs)

    def _object(self, source: Source, attributes: list[str], outputs: list[Output]) -> str:
        terms = [text_sql("{"), *attributes]
        for output in outputs:
            terms.append(text_sql(f',"{output.key}":'))
            terms.append(self._output(source, output))
        terms.append(text_sql("}"))
        return f"({_concatenated(terms)})"

    def _output(self, source: Source, output: Output) -> str:
        if isinstance(output, Column):
            return _json_value(source, output.value)
        if isinstance(output, Children):
            return self._children_sql(source, output)
        if isinstance(output, Parent):
            return self._parent(source, output)
        return self._typeof(source, output)

    def _parent(self, source: Source, parent: Parent) -> str:
        step = parent.steps[-1]
        if step.is_polymorphic:
            record_id = source.lookup_sql(parent.steps)
            attributes = self._polymorphic_attributes(
                text_sql("Name"), source.type_sql(parent.steps), record_id
            )
        else:
            target = step.targets[0]
            record_id = f'{source.joined(parent.steps, target)}."Id"'
            attributes = self._attributes(text_sql(target.name), target, record_id)
        inner = self._object(source, attributes, parent.outputs)
        return f"CASE WHEN {record_id} IS NULL THEN 'null' ELSE {inner} END"

    def _typeof(self, source: Source, typeof: TypeOf) -> str:
        steps = (typeof.step,)
        record_id, type_name = source.lookup_sql(steps), source.type_sql(steps)
        whens = []
        for target, outputs in typeof.branches:
            attributes = self._attributes(text_sql(target.name), target, record_id)
            inner = self._object(source, attributes, outputs)
            whens.append(f"WHEN {text_sql(target.name)} THEN {inner}")
        otherwise = "'null'"
        if typeof.otherwise is not None:
            attributes = self._polymorphic_attributes(type_name, type_name, record_id)
            inner = self._object(source, attributes, typeof.otherwise)
            otherwise = f"CASE WHEN {record_id} IS NULL THEN 'null' ELSE {inner} END"
        return f"CASE {type_name} {' '.join(whens)} ELSE {otherwise} END"

    def _attributes(self, type_sql: str, sobject: SObjectType, record_id: str) -> list[str]:
        opening = f'"attributes":{{"type":"{sobject.name}","url":"{self._url}{sobject.name}/'
        return [text_sql(opening), record_id, text_sql('"}')]

    def _polymorphic_attributes(self, shown: str, type_name: str, record_id: str) -> list[str]:
        return [
            text_sql('"attributes":{"type":"'),
            shown,
            text_sql(f'","url":"{self._url}'),
            type_name,
            text_sql("/"),
            record_id,
            text_sql('"}'),
        ]

    @property
    def _url(self) -> str:
        return f"/services/data/v{self._version}/sobjects/"


def csv_line_sql(source: Source, columns: list[Column], delimiter: str, line_ending: str) -> str:
    """The CSV line of a record: every value in quotes, empty ones as ``""``."""
    terms: list[str] = []
    for column in columns:
        terms.append(text_sql(f'"{delimiter}"' if terms else '"'))
        terms.append(_csv_value(source, column.value))
    terms.append(text_sql(f'"{line_ending}'))
    return _concatenated(terms)


def _json_value(source: Source, value: Value) -> str:
    if value.kind in ("address", "location"):
        return _json_address(source, value.ref)
    plain = value_sql(source, value)
    if value.kind == "boolean":
        return f"CASE {plain} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE 'null' END"
    if value.kind in ("id", "date"):
        return f"coalesce('\"' || {plain} || '\"', 'null')"
    printed = {
        "int": plain,
        "double": _number_sql(plain),
        "datetime": _moment_sql(plain, _JSON_MOMENT),
    }.get(value.kind)
    # json_quote prints NULL as null by itself.
    return f"json_quote({plain})" if printed is None else f"coalesce({printed}, 'null')"


def _csv_value(source: Source, value: Value) -> str:
    plain = value_sql(source, value)
    if value.kind == "boolean":
        return f"CASE {plain} WHEN 1 THEN 'true' WHEN 0 THEN 'false' ELSE '' END"
    printed = {
        "id": plain,
        "int": plain,
        "date": plain,
        "double": _number_sql(plain),
        "datetime": _moment_sql(plain, _CSV_MOMENT),
    }.get(value.kind)
    return f"""coalesce({printed or f"replace({plain}, {_QUOTE}, {_TWO_QUOTES})"}, '')"""


def _moment_sql(plain: str, form: str) -> str:
    return f"strftime('{form}', {plain} / 1000.0, 'unixepoch')"


def _number_sql(plain: str) -> str:
    # SQLite prints 15 digits, which is not always enough to read the same number back.
    return (
        f"CASE WHEN CAST(CAST({plain} AS TEXT) AS REAL) = {plain} "
        f"THEN CAST({plain} AS TEXT) WHEN {plain} IS NULL THEN NULL "
        f"ELSE printf('%!.17g', {plain}) END"
    )


def _json_address(source: Source, ref: FieldRef) -> str:
    holder = ref.holders[0]
    suffix = "Address" if ref.field.type == "address" else ""
    prefix = ref.field.name.removesuffix(suffix)
    alias = source.joined(ref.steps, holder)
    parts: dict[str, Value] = {}
    for part in ref.field.compound_parts:
        field = holder.field_named(part)
        if field is not None and field.stored:
            key = part[len(prefix) :] if part.startswith(prefix) else part
            part_ref = FieldRef(ref.steps, ref.holders, field, field.name, ref.position)
            kind: Kind = "double" if field.type in ("double", "currency", "percent") else "text"
            parts[key[:1].lower() + key[1:]] = Value(part_ref, None, None, kind)
    terms: list[str] = []
    for key in _ADDRESS_KEYS:
        if key not in parts and key in _OPTIONAL_ADDRESS_KEYS:
            continue
        separator = "," if terms else "{"
        terms.append(text_sql(f'{separator}"{key}":'))
        terms.append(_json_value(source, parts[key]) if key in parts else text_sql("null"))
    columns = ", ".join(f"{alias}.{name_sql(value.ref.field.name)}" for value in parts.values())
    if not parts:
        return "'null'"
    return (
        f"CASE WHEN coalesce({columns}, NULL) IS NULL THEN 'null' "
        f"ELSE {_concatenated([*terms, text_sql('}')])} END"
    )


def _concatenated(terms: list[str]) -> str:
    """Joins terms with ``||``, neighbouring constants made one."""
    merged: list[str] = []
    for term in terms:
        if merged and isinstance(term, SqlText) and isinstance(merged[-1], SqlText):
            merged[-1] = merged[-1].joined(term)
        else:
            merged.append(term)
    return balanced(" || ", merged)
