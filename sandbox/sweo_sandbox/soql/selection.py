"""Checks the SELECT list: which values a record shows, and how they nest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from sweo_sandbox.salesforce.schema import SObjectType
from sweo_sandbox.soql.checked import (
    Children,
    Column,
    FieldRef,
    Output,
    Parent,
    Step,
    TypeOf,
    Value,
    kind_of,
)
from sweo_sandbox.soql.errors import (
    MALFORMED_QUERY,
    SoqlError,
    malformed,
    no_such_sobject,
    unexpected_token,
)
from sweo_sandbox.soql.scope import Scope
from sweo_sandbox.soql.tree import (
    FieldPath,
    Query,
    SelectedChildren,
    SelectedField,
    SelectedFields,
    SelectedTypeOf,
    SelectItem,
)
from sweo_sandbox.soql.values import is_date_function, value_of

MAX_FIELDS_LIMIT = 200
MAX_CHILD_QUERIES = 20


@dataclass(slots=True)
class Selection:
    """Builds the outputs of a query without aggregates."""

    scope: Scope
    limit: int | None
    children: Callable[[SelectedChildren], Children]
    uses_fields_function: bool = False
    columns: list[Column] = field(default_factory=list)
    _outputs: list[Output] = field(default_factory=list)
    _names: set[str] = field(default_factory=set)
    _child_queries: int = 0

    def outputs_of(self, select: Iterable[SelectItem]) -> list[Output]:
        """The outputs of a SELECT list, in its order."""
        for item in select:
            if isinstance(item, SelectedField):
                self._add_field(item)
            elif isinstance(item, SelectedFields):
                self._add_fields(item)
            elif isinstance(item, SelectedTypeOf):
                self._add_typeof(item)
            else:
                self._add_children(item)
        return self._outputs

    def _add_field(self, item: SelectedField) -> None:
        soql = self.scope.soql
        value = value_of(self.scope, item.operand)
        if is_date_function(value):
            raise malformed(
                soql,
                item.position,
                f"Field must be grouped or aggregated: {value.function}({value.ref.name})",
            )
        if item.alias is not None and value.function is None:
            raise SoqlError(MALFORMED_QUERY, "only aggregate expressions use field aliasing")
        self._add(value, item.alias)

    def _add(self, value: Value, alias: str | None = None) -> None:
        ref = value.ref
        name = alias or ref.name
        self._claim(name)
        column = Column(alias or ref.field.name, name, value)
        self.columns.append(column)
        level = self._outputs
        if alias is None:
            for depth, step in enumerate(ref.steps):
                level = _parent(level, step, ref.steps[: depth + 1]).outputs
        level.append(column)

    def _claim(self, name: str) -> None:
        if name.lower() in self._names:
            raise SoqlError(MALFORMED_QUERY, f"duplicate field selected: {name}")
        self._names.add(name.lower())

    def _add_fields(self, item: SelectedFields) -> None:
        self.uses_fields_function = True
        if item.group != "STANDARD" and (self.limit is None or self.limit > MAX_FIELDS_LIMIT):
            raise SoqlError(
                MALFORMED_QUERY,
                f"The SOQL FIELDS function must have a LIMIT of at most {MAX_FIELDS_LIMIT}",
            )
        for made in self.scope.visible_fields():
            if item.group == "ALL" or made.custom == (item.group == "CUSTOM"):
                ref = FieldRef((), (self.scope.sobject,), made, made.name, item.position)
                self._add(Value(ref, None, None, kind_of(made)))
        if not self._outputs:
            raise malformed(
                self.scope.soql,
                item.position,
                f"The SOQL FIELDS function is not supported for {self.scope.sobject.name}: "
                "no such fields",
            )

    def _add_typeof(self, item: SelectedTypeOf) -> None:
        soql = self.scope.soql
        step = self.scope.lookup(item.relationship, item.position)
        name = step.lookup.relationship_name or item.relationship
        if not step.is_polymorphic:
            raise malformed(
                soql, item.position, f"TYPEOF is not supported for relationship '{name}'"
            )
        self._claim(name)
        branches: list[tuple[SObjectType, list[Output]]] = []
        for branch in item.branches:
            wanted = branch.sobject.lower()
            target = next((t for t in step.targets if t.name.lower() == wanted), None)
            if target is None:
                raise no_such_sobject(soql, branch.position, branch.sobject)
            if any(target is seen for seen, _ in branches):
                raise malformed(soql, branch.position, f"duplicate type in TYPEOF: {target.name}")
            branches.append((target, self._branch(step, (target,), branch.fields)))
        otherwise = None
        if item.otherwise:
            otherwise = self._branch(step, step.targets, item.otherwise)
        self._outputs.append(TypeOf(name, step, branches, otherwise))

    def _branch(
        self, step: Step, holders: tuple[SObjectType, ...], paths: Iterable[FieldPath]
    ) -> list[Output]:
        columns: list[Output] = []
        narrowed = Step(step.lookup, step.holder, holders)
        prefix = step.lookup.relationship_name or ""
        for path in paths:
            if len(path.parts) > 1:
                raise unexpected_token(self.scope.soql, path.position, ".".join(path.parts))
            ref = self.scope.resolve_on(narrowed, path)
            if any(isinstance(c, Column) and c.key == ref.field.name for c in columns):
                raise SoqlError(MALFORMED_QUERY, f"duplicate field selected: {ref.field.name}")
            value = Value(ref, None, None, kind_of(ref.field))
            columns.append(Column(ref.field.name, f"{prefix}.{ref.field.name}", value))
        return columns

    def _add_children(self, item: SelectedChildren) -> None:
        self._child_queries += 1
        if self._child_queries > MAX_CHILD_QUERIES:
            raise SoqlError(
                MALFORMED_QUERY, f"Maximum {MAX_CHILD_QUERIES} child subqueries are allowed"
            )
        made = self.children(item)
        self._claim(made.key)
        self._outputs.append(made)


def select_groups(scope: Scope, query: Query, group_by: tuple[Value, ...]) -> list[Column]:
    """The columns of a query with aggregates, under their aliases or ``expr0``, ``expr1``.

    Raises:
        SoqlError: a field neither grouped nor aggregated, or an alias used twice.
    """
    grouped = {value.identity for value in group_by}
    columns: list[Column] = []
    keys: set[str] = set()
    unnamed = 0
    for item in query.select:
        if not isinstance(item, SelectedField):
            raise malformed(scope.soql, item.position, "Grouped query cannot select this")
        value = value_of(scope, item.operand, aggregates=True)
        if value.aggregate is None and value.identity not in grouped:
            raise malformed(
                scope.soql, item.position, f"Field must be grouped or aggregated: {value.ref.name}"
            )
        key = item.alias or value.ref.field.name
        if item.alias is None and (value.aggregate or value.function):
            key = f"expr{unnamed}"
            unnamed += 1
        if key.lower() in keys:
            raise SoqlError(MALFORMED_QUERY, f"duplicate alias: {key}")
        keys.add(key.lower())
        columns.append(Column(key, key, value))
    return columns


def _parent(level: list[Output], step: Step, steps: tuple[Step, ...]) -> Parent:
    key = step.lookup.relationship_name or step.lookup.name
    for output in level:
        if isinstance(output, Parent) and output.key == key:
            return output
    made = Parent(key, steps, [])
    level.append(made)
    return made
