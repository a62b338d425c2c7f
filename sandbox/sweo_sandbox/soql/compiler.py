"""Fourth stage: a checked query becomes SQL for SQLite."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from sweo_sandbox.salesforce.schema import Schema
from sweo_sandbox.soql.checked import CheckedQuery, Children, SemiJoin, TypeOf
from sweo_sandbox.soql.checker import check
from sweo_sandbox.soql.errors import SoqlError
from sweo_sandbox.soql.expressions import group_sql, sort_sql, value_sql
from sweo_sandbox.soql.filters import condition_sql, fold
from sweo_sandbox.soql.parser import parse
from sweo_sandbox.soql.printing import JsonPrinter, csv_line_sql
from sweo_sandbox.soql.sources import Bindings, Source, name_sql
from sweo_sandbox.soql.stamps import Stamped, stamped

_VERSION = re.compile(r"\d{1,3}\.\d")


def install_functions(connection: sqlite3.Connection) -> None:
    """Gives a connection the functions that compiled queries call. Once per connection."""
    connection.create_function("sf_fold", 1, fold, deterministic=True)


def compile_query(
    soql: str,
    schema: Schema,
    *,
    now_ms: int,
    user_id: str,
    include_deleted: bool = False,
    visible: Callable[[str, str], bool],
) -> CompiledQuery:
    """Reads, checks and compiles a query.

    Args:
        soql: The query as the client sent it.
        schema: The org's objects.
        now_ms: The org's time, milliseconds since 1970 UTC; date literals count from it.
        user_id: Who asks, 18 characters; ``USING SCOPE mine`` shows only this user's records.
        include_deleted: Whether records in the recycle bin and archived activities are seen
            (``queryAll``).
        visible: Whether the user may see a field, by the canonical names of object and field.
            An object whose ``Id`` is not visible does not exist for the user.

    Raises:
        SoqlError: the query is not one that the vendor would answer, or not one that is
            supported here.
    """
    checked = check(soql, parse(soql), schema, now_ms=now_ms, visible=visible)
    made = CompiledQuery(checked, schema, user_id, include_deleted or checked.all_rows)
    # All SQL but the JSON's version is made at once: what cannot be compiled is refused here.
    if not made.is_count:
        _check_size(made.json_sql("62.0"))
    _check_size(made.count_sql)
    return made


def _check_size(sql: str) -> None:
    # SQLite's parser has limits of its own (nesting, columns, parameters). An empty database
    # tells them from the tables that it misses.
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute(f"EXPLAIN {sql}")
    except sqlite3.Error as error:
        if not str(error).startswith("no such table"):
            raise SoqlError(
                "QUERY_TOO_COMPLICATED",
                "Query is either selecting too many fields or the filter conditions are too "
                "complicated.",
            ) from None
    finally:
        connection.close()


class CompiledQuery:
    """SQL for one query, and what a caller must know to answer with its rows.

    Every statement takes the same ``params``.
    """

    def __init__(
        self, checked: CheckedQuery, schema: Schema, user_id: str, include_deleted: bool
    ) -> None:
        self._checked = checked
        self._schema = schema
        self._user_id = user_id
        self._include_deleted = include_deleted
        self._json: dict[str, str] = {}
        self.params: dict[str, object] = {}
        self.sobject = checked.sobject.name
        self.is_count = checked.counts_rows
        self.is_aggregate = checked.is_aggregate
        self.uses_fields_function = checked.uses_fields_function
        self.limit = checked.limit
        self.offset = checked.offset
        self.for_clauses = checked.for_clauses
        columns = checked.columns
        self.columns = [column.name for column in columns]
        self.has_compound = any(c.value.kind in ("address", "location") for c in columns)
        self.has_child_queries = any(isinstance(output, Children) for output in checked.outputs)
        self.has_typeof = any(isinstance(output, TypeOf) for output in checked.outputs)

    def json_sql(self, version: str = "62.0") -> str:
        """Selects one text for each record: its JSON as REST prints it, child records included.

        ``version`` stands in the records' urls. Rows are in the query's order, its LIMIT and
        OFFSET applied; read them page by page from one open cursor.

        Raises:
            ValueError: a version not like ``62.0``, or ``SELECT COUNT()``, which has no records.
        """
        if not _VERSION.fullmatch(version) or self.is_count:
            raise ValueError(f"no records, or not an API version: {version}")
        if version not in self._json:
            printer = JsonPrinter(version, self._children_sql(version))
            source = self._source("j")
            if self.is_aggregate:
                printed = printer.group_sql(source, self._checked.outputs)
            else:
                printed = printer.record_sql(source, self._checked.sobject, self._checked.outputs)
            self._json[version] = self._statement(source, self._checked, printed)
        return self._json[version]

    def csv_sql(self, delimiter: str = ",", line_ending: str = "\n") -> str:
        """Selects one text for each record: its line in a Bulk API 2.0 result.

        Raises:
            ValueError: the query has compound fields, child records or TYPEOF, which CSV cannot
                show.
        """
        if self.has_compound or self.has_child_queries or self.has_typeof or self.is_count:
            raise ValueError("the query's result is no table of plain values")
        source = self._source("c")
        printed = csv_line_sql(source, self._checked.columns, delimiter, line_ending)
        return self._statement(source, self._checked, printed)

    def csv_header(self, delimiter: str = ",", line_ending: str = "\n") -> str:
        """The first line of a Bulk API 2.0 result."""
        return delimiter.join(f'"{name}"' for name in self.columns) + line_ending

    @cached_property
    def count_sql(self) -> str:
        """Selects one integer: how many records the query has, its LIMIT and OFFSET applied."""
        source = self._source("n")
        if self.is_aggregate:
            printed = ", ".join(value_sql(source, column.value) for column in self._checked.columns)
            groups = self._statement(source, self._checked, printed)
            return f"SELECT count(*) FROM ({groups})"  # noqa: S608
        where = self._where_sql(source, self._checked)
        if self.limit is None and self.offset is None:
            return f"SELECT count(*) {source.from_sql()}{where}"
        window = f"LIMIT {-1 if self.limit is None else self.limit} OFFSET {self.offset or 0}"
        return f"SELECT count(*) FROM (SELECT 1 {source.from_sql()}{where} {window})"  # noqa: S608

    @cached_property
    def stamped(self) -> Stamped | None:
        """Within which SystemModstamps all live records are what the query finds, if that is so."""
        query = self._checked
        narrowed = self._include_deleted or self.is_aggregate or query.only_mine
        if narrowed or self.limit is not None or self.offset is not None:
            return None
        # Archived records are left out of a query, and they are live.
        return None if query.sobject.field_named("IsArchived") else stamped(query.where)

    @staticmethod
    def record(row: Sequence[Any]) -> dict[str, Any]:
        """A row of ``json_sql`` as the record it prints."""
        record: dict[str, Any] = json.loads(row[0])
        return record

    def _source(self, prefix: str) -> Source:
        return Source(self._schema, self._checked.sobject, Bindings(prefix, self.params))

    def _statement(self, source: Source, query: CheckedQuery, printed: str, link: str = "") -> str:
        where = self._where_sql(source, query, link)
        tail = ""
        if query.group_by:
            tail += " GROUP BY " + ", ".join(group_sql(source, g) for g in query.group_by)
        if query.having is not None:
            tail += f" HAVING {condition_sql(source, query.having, self._no_semi_join)}"
        if query.order_by:
            terms = [term for sorting in query.order_by for term in sort_sql(source, sorting)]
            tail += f" ORDER BY {', '.join(terms)}"
        if query.limit is not None or query.offset is not None:
            tail += f" LIMIT {-1 if query.limit is None else query.limit}"
            tail += f" OFFSET {query.offset or 0}"
        return f"SELECT {printed} {source.from_sql()}{where}{tail}"

    def _where_sql(self, source: Source, query: CheckedQuery, link: str = "") -> str:
        conditions = [link] if link else []
        if not self._include_deleted and query.sobject.field_named("IsDeleted") is not None:
            conditions.append(f"{source.column('IsDeleted')} = 0")
        if not self._include_deleted and query.sobject.field_named("IsArchived") is not None:
            conditions.append(f"{source.column('IsArchived')} = 0")
        if query.only_mine:
            conditions.append(f"{source.column('OwnerId')} = {source.bindings.bind(self._user_id)}")
        if query.where is not None:

            def semi_join_sql(semi_join: SemiJoin) -> str:
                return self._semi_join_sql(source, semi_join)

            conditions.append(f"({condition_sql(source, query.where, semi_join_sql)})")
        return f" WHERE {' AND '.join(conditions)}" if conditions else ""

    def _semi_join_sql(self, outer: Source, semi_join: SemiJoin) -> str:
        source = Source(self._schema, semi_join.query.sobject, outer.bindings)
        selected = source.field_sql(semi_join.selected)
        return self._statement(source, semi_join.query, selected, f"{selected} IS NOT NULL")

    @staticmethod
    def _no_semi_join(semi_join: SemiJoin) -> str:
        raise AssertionError(f"a semi join in HAVING: {semi_join}")

    def _children_sql(self, version: str) -> Callable[[Source, Children], str]:
        def children_sql(outer: Source, children: Children) -> str:
            source = Source(self._schema, children.query.sobject, outer.bindings)
            printer = JsonPrinter(version, children_sql)
            printed = printer.record_sql(source, children.query.sobject, children.query.outputs)
            link = f"{source.alias}.{name_sql(children.link.name)} = {outer.column('Id')}"
            rows = self._statement(source, children.query, f"{printed} AS child", link)
            return (
                "(SELECT CASE count(*) WHEN 0 THEN 'null' ELSE '{\"totalSize\":' || count(*) || "  # noqa: S608
                "',\"done\":true,\"records\":[' || group_concat(child, ',') || ']}' END "
                f"FROM ({rows}))"
            )

        return children_sql
