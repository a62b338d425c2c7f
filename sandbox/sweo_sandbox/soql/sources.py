"""The FROM part of one statement: its tables, its joins, its parameters, its column references."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sweo_sandbox.salesforce.schema import Schema, SObjectField, SObjectType
from sweo_sandbox.soql.checked import FieldRef, Step
from sweo_sandbox.soql.errors import MALFORMED_QUERY, SoqlError

# SQLite joins at most 64 tables; the vendor allows 55 parent relationships in a query.
MAX_JOINS = 55
_MAX_FORMULA_DEPTH = 10
_MOST_TERMS = 50
_FORMULA_PATH = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)


class Bindings:
    """The named parameters and table aliases of one statement, subqueries included."""

    def __init__(self, prefix: str, params: dict[str, object]) -> None:
        self._prefix = prefix
        self._params = params
        self._parameters = 0
        self._aliases = 0

    def bind(self, value: object) -> str:
        """A parameter that stands for the value."""
        self._parameters += 1
        name = f"{self._prefix}{self._parameters}"
        self._params[name] = value
        return f":{name}"

    def alias(self) -> str:
        """A table alias that the statement does not use yet."""
        self._aliases += 1
        return f"t{self._aliases}"


class Source:
    """One object of a statement and the parents that are joined to it as they are asked for."""

    def __init__(self, schema: Schema, sobject: SObjectType, bindings: Bindings) -> None:
        self._schema = schema
        self.sobject = sobject
        self.bindings = bindings
        self.alias = bindings.alias()
        self._aliases: dict[tuple[str, ...], str] = {}
        self._joins: list[str] = []

    def from_sql(self) -> str:
        """``FROM`` and the joins asked for so far: call it last."""
        return " ".join([f"FROM {name_sql(self.sobject.name)} AS {self.alias}", *self._joins])

    def column(self, name: str) -> str:
        """A column of the object itself."""
        return f"{self.alias}.{name_sql(name)}"

    def field_sql(self, ref: FieldRef) -> str:
        """An SQL expression with the field's stored value, NULL where a parent is missing."""
        if ref.field.name == "Type" and len(ref.holders) > 1:
            return self.type_sql(ref.steps)
        if len(ref.holders) > 1 and ref.field.name == "Id":
            return self.lookup_sql(ref.steps)
        terms = []
        for holder in ref.holders:
            field = holder.field_named(ref.field.name)
            if field is not None:
                alias = self.joined(ref.steps, holder)
                terms.append(self._stored_or_computed(alias, ref.steps, holder, field, 0))
        return terms[0] if len(terms) == 1 else f"coalesce({', '.join(terms)})"

    def lookup_sql(self, steps: Sequence[Step]) -> str:
        """The id that the last of these lookups holds."""
        *before, last = steps
        return f"{self.joined(before, last.holder)}.{name_sql(last.lookup.name)}"

    def type_sql(self, steps: Sequence[Step]) -> str:
        """The name of the object that the last of these lookups points to, by its key prefix."""
        whens = " ".join(
            f"WHEN {text_sql(target.key_prefix)} THEN {text_sql(target.name)}"
            for target in steps[-1].targets
        )
        return f"CASE substr({self.lookup_sql(steps)}, 1, 3) {whens} END"

    def joined(self, steps: Sequence[Step], holder: SObjectType) -> str:
        """The alias of the table at the end of a path, joined if it was not yet.

        Raises:
            SoqlError: MALFORMED_QUERY for more parents than the vendor joins.
        """
        if not steps:
            return self.alias
        key = (*(step.lookup.name.lower() for step in steps), holder.name)
        if key not in self._aliases:
            points_here = self.lookup_sql(steps)
            if len(self._joins) >= MAX_JOINS:
                raise SoqlError(
                    MALFORMED_QUERY,
                    f"Maximum {MAX_JOINS} parent relationships are allowed in a query",
                )
            alias = self.bindings.alias()
            self._joins.append(
                f'LEFT JOIN {name_sql(holder.name)} AS {alias} ON {alias}."Id" = {points_here}'
            )
            self._aliases[key] = alias
        return self._aliases[key]

    def _stored_or_computed(
        self,
        alias: str,
        steps: Sequence[Step],
        holder: SObjectType,
        field: SObjectField,
        depth: int,
    ) -> str:
        if field.stored:
            return f"{alias}.{name_sql(field.name)}"
        if field.formula is not None:
            return self._formula(steps, holder, field, depth)
        # Name compounds show no salutation.
        parts = [part for part in field.compound_parts if part.lower() != "salutation"]
        columns = [f"{alias}.{name_sql(part)}" for part in parts if holder.field_named(part)]
        spaced = " || ".join(f"coalesce({column} || ' ', '')" for column in columns)
        return f"nullif(rtrim({spaced}), '')"

    def _formula(
        self, steps: Sequence[Step], holder: SObjectType, field: SObjectField, depth: int
    ) -> str:
        terms = field.formula or []
        if depth > _MAX_FORMULA_DEPTH:
            raise SoqlError(MALFORMED_QUERY, f"formula field {field.name} refers to itself")
        sql = [self._formula_term(steps, holder, field, term, depth) for term in terms]
        if len(sql) == 1:
            return sql[0]
        texts = [f"coalesce({term}, '')" for term in sql]
        return f"nullif({balanced(' || ', texts)}, '')"

    def _formula_term(
        self,
        steps: Sequence[Step],
        holder: SObjectType,
        field: SObjectField,
        term: str,
        depth: int,
    ) -> str:
        if len(term) >= 2 and term[0] == term[-1] == "'":
            return text_sql(term[1:-1])
        path = list(steps)
        *relationships, name = term.split(".") if _FORMULA_PATH.fullmatch(term) else [""]
        for relationship in relationships:
            lookup = holder.relationship(relationship)
            target = self._first_target(lookup)
            if lookup is None or target is None:
                raise _unknown_formula(field, term)
            path.append(Step(lookup, holder, (target,)))
            holder = target
        inner = holder.field_named(name)
        if inner is None:
            raise _unknown_formula(field, term)
        return self._stored_or_computed(self.joined(path, holder), path, holder, inner, depth + 1)

    def _first_target(self, lookup: SObjectField | None) -> SObjectType | None:
        if lookup is None or not lookup.reference_to:
            return None
        return self._schema.sobject(lookup.reference_to[0])


def name_sql(name: str) -> str:
    """A table's or column's name, quoted."""
    return '"' + name.replace('"', '""') + '"'


class SqlText(str):
    """SQL that is one text constant."""

    __slots__ = ()

    def joined(self, other: SqlText) -> SqlText:
        """One constant for the two."""
        return SqlText(self[:-1] + other[1:])


def text_sql(text: str) -> SqlText:
    """A text constant. Only for names that the schema knows; what a query says is bound."""
    return SqlText("'" + text.replace("'", "''") + "'")


def balanced(operator: str, terms: Sequence[str]) -> str:
    """The terms joined as a shallow tree.

    SQLite refuses expressions 1,000 levels deep, and parentheses some 25 deep.
    """
    while len(terms) > _MOST_TERMS:
        groups = range(0, len(terms), _MOST_TERMS)
        terms = [f"({operator.join(terms[at : at + _MOST_TERMS])})" for at in groups]
    return operator.join(terms)


def _unknown_formula(field: SObjectField, term: str) -> SoqlError:
    return SoqlError(MALFORMED_QUERY, f"formula field {field.name} cannot be computed: {term}")
