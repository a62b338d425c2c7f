"""Looks names up: what a path of a query means on an object of the schema."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from sweo_sandbox.salesforce.schema import Schema, SObjectField, SObjectType
from sweo_sandbox.soql.checked import FieldRef, Step
from sweo_sandbox.soql.errors import (
    MALFORMED_QUERY,
    SoqlError,
    no_such_column,
    no_such_relationship,
    no_such_sobject,
)
from sweo_sandbox.soql.tree import FieldPath

MAX_PARENT_STEPS = 5

# A polymorphic lookup shows its record through the object "Name", which has these fields and
# these lookups, whatever the record's own object has besides.
_NAME_FIELDS = frozenset(
    {"alias", "email", "firstname", "id", "isactive", "lastname", "name", "phone", "profileid"}
    | {"title", "username", "userroleid"}
)
_NAME_LOOKUPS = frozenset({"profile", "userrole"})


@dataclass(slots=True, frozen=True)
class Scope:
    """One object as a query's clauses see it, with field-level security applied."""

    soql: str
    schema: Schema
    visible: Callable[[str, str], bool]
    sobject: SObjectType
    alias: str | None = None

    def within(self, sobject: SObjectType, alias: str | None = None) -> Scope:
        """The same query's scope for another object."""
        return replace(self, sobject=sobject, alias=alias)

    def visible_fields(self) -> list[SObjectField]:
        """The fields that the user may see, in describe order."""
        return [f for f in self.sobject.fields.values() if self.visible(self.sobject.name, f.name)]

    def resolve(self, path: FieldPath) -> FieldRef:
        """The field that a path names.

        Raises:
            SoqlError: INVALID_FIELD for an unknown or invisible relationship or field.
        """
        parts = self._without_own_name(path.parts)
        if len(parts) - 1 > MAX_PARENT_STEPS:
            raise SoqlError(
                MALFORMED_QUERY,
                f"SOQL statements cannot query more than {MAX_PARENT_STEPS} levels of parent "
                "relationships.",
            )
        steps: list[Step] = []
        holders: tuple[SObjectType, ...] = (self.sobject,)
        names: list[str] = []
        for part in parts[:-1]:
            step = self._step(holders, part, path.position)
            names.append(step.lookup.relationship_name or part)
            steps.append(step)
            holders = step.targets
        holders, field = self._field(holders, parts[-1], path.position)
        name = ".".join([*names, field.name])
        return FieldRef(tuple(steps), holders, field, name, path.position)

    def lookup(self, relationship: str, position: int) -> Step:
        """The lookup of that relationship's name on this object."""
        return self._step((self.sobject,), relationship, position)

    def resolve_on(self, step: Step, path: FieldPath) -> FieldRef:
        """A field of the record behind a lookup; ``step`` may name fewer targets than it has."""
        holders, field = self._field(step.targets, path.parts[-1], path.position)
        name = f"{step.lookup.relationship_name}.{field.name}"
        return FieldRef((step,), holders, field, name, path.position)

    def _without_own_name(self, parts: tuple[str, ...]) -> tuple[str, ...]:
        if len(parts) < 2:
            return parts
        first = parts[0].lower()
        if self.alias is not None and first == self.alias.lower():
            return parts[1:]
        if first == self.sobject.name.lower() and self.sobject.relationship(first) is None:
            return parts[1:]
        return parts

    def _step(self, holders: tuple[SObjectType, ...], name: str, position: int) -> Step:
        if len(holders) > 1 and name.lower() not in _NAME_LOOKUPS:
            raise no_such_relationship(self.soql, position, name)
        for holder in holders:
            lookup = holder.relationship(name)
            if lookup is None or not self.visible(holder.name, lookup.name):
                continue
            targets = [self.schema.sobject(target) for target in lookup.reference_to]
            seen = tuple(t for t in targets if t is not None and self.visible(t.name, "Id"))
            if seen:
                return Step(lookup, holder, seen)
        raise no_such_relationship(self.soql, position, name)

    def _field(
        self, holders: tuple[SObjectType, ...], name: str, position: int
    ) -> tuple[tuple[SObjectType, ...], SObjectField]:
        if len(holders) == 1:
            field = holders[0].field_named(name)
            if field is None or not self.visible(holders[0].name, field.name):
                raise no_such_column(self.soql, position, name, holders[0].name)
            return holders, field
        if name.lower() == "type":
            return holders, SObjectField("Type", "string")
        having = tuple(
            holder
            for holder in holders
            if (field := holder.field_named(name)) and self.visible(holder.name, field.name)
        )
        if not having or name.lower() not in _NAME_FIELDS:
            raise no_such_column(self.soql, position, name, "Name")
        field = having[0].field_named(name)
        if field is None:
            raise no_such_column(self.soql, position, name, "Name")
        return having, field


def sobject_named(
    soql: str,
    schema: Schema,
    visible: Callable[[str, str], bool],
    name: str,
    position: int,
) -> SObjectType:
    """The object that a query is from.

    Raises:
        SoqlError: INVALID_TYPE, or INVALID_TYPE_FOR_OPERATION for one that cannot be queried.
    """
    sobject = schema.sobject(name)
    if sobject is None or not visible(sobject.name, "Id"):
        raise no_such_sobject(soql, position, name)
    if not sobject.queryable:
        raise SoqlError(
            "INVALID_TYPE_FOR_OPERATION", f"entity type {sobject.name} does not support query"
        )
    return sobject
