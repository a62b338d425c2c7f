"""A mapping as the org can take it: its fields, its key, or every mistake at once."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from dataclasses import dataclass
from typing import Final

from crosswalk.errors import FatalError
from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Create, Mapping, Side
from crosswalk.types import meets
from salesforce_client.currencies import lone_amounts
from salesforce_client.fields import Description, Resolved, resolve
from salesforce_client.person_names import NAME, writable_name

CONVERTED: Final = "IsConverted"


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of a mapping's object.

    ``types`` covers the incoming and the match fields, by the mapping's names. ``key`` is the
    external-id match field that makes creates repeatable, with its place among the match fields.
    ``parent_field`` is the lookup that a new record is given. ``is_convertible`` is true of leads:
    one that was converted is never written.
    """

    sobject: str
    types: MappingOf[str, FieldType]
    match_fields: tuple[str, ...]
    key: tuple[int, str] | None
    parent_field: str | None
    is_mergeable: bool
    is_convertible: bool
    only: tuple[str, ...]


def shape_of(
    mapping: Mapping, description: Description, incoming: MappingOf[str, FieldType]
) -> Shape:
    """Check a mapping against its object.

    Raises:
        FatalError: every mistake, one a line.
    """
    types, mistakes = _incoming_types(mapping, description, incoming)
    writes = any(field.direction.flows_to(Side.SALESFORCE) for field in mapping.fields)
    if writes and not description.updateable:
        mistakes.append(
            f"mapping {mapping.name}: the user lacks the permission Edit on {description.name}"
        )
    mistakes += [
        f"{_place(mapping, lone.field.salesforce)}: {lone.wrong}; {lone.right}"
        for lone in lone_amounts(mapping, Side.SALESFORCE, description, {})
    ]
    match_fields = tuple(match.salesforce for match in mapping.match)
    for name in match_fields:
        found = resolve(name, description, {})
        if not isinstance(found, Resolved):
            mistakes.append(f"{_place(mapping, name)}: {found}")
        elif name.lower() in description.encrypted:
            mistakes.append(
                f"{_place(mapping, name)}: {name} is encrypted, so no record can be matched by "
                "it; match by another field"
            )
        else:
            types.setdefault(name, found.type)
    key = next(
        ((i, name) for i, name in enumerate(match_fields) if name in types and types[name].key),
        None,
    )
    if mapping.create.get(Side.SALESFORCE, Create.NEVER) is not Create.NEVER:
        mistakes += _create_mistakes(mapping, description, key)
    if mistakes:
        raise FatalError("Salesforce cannot take the mapping:\n" + "\n".join(mistakes))
    return Shape(
        description.name,
        types,
        match_fields,
        key,
        mapping.parent.salesforce if mapping.parent else None,
        description.field("MasterRecordId") is not None,
        description.field(CONVERTED) is not None,
        _only(description),
    )


def _incoming_types(
    mapping: Mapping, description: Description, incoming: MappingOf[str, FieldType]
) -> tuple[dict[str, FieldType], list[str]]:
    """The types of the fields to write, and what is wrong with the others."""
    types: dict[str, FieldType] = {}
    mistakes: list[str] = []
    given = {
        field.salesforce
        for field in mapping.fields
        if field.at_create and not field.direction.flows_to(Side.SALESFORCE)
    }
    for name, source in incoming.items():
        place = _place(mapping, name)
        found = resolve(name, description, {})
        if not isinstance(found, Resolved):
            if name not in given:
                mistakes.append(f"{place}: {found}")
            continue
        own = writable_name(description, found.type)
        meeting = meets(source, own)
        if name in given:
            # A new record is given it where that can be done.
            if own.createable and meeting.ok:
                types[name] = own
            continue
        types[name] = own
        if not own.writable:
            # Where nothing may be edited, that is told once.
            if description.updateable or own.calculated:
                mistakes.append(f"{place}: {_unwritable(description, own)}")
        elif not meeting.ok:
            mistakes.append(f"{place}: types cannot meet, {meeting.why}")
    return types, mistakes


def _only(description: Description) -> tuple[str, ...]:
    """Conditions that leave out what is never written."""
    conditions = [
        f"{name} = false"
        for name in ("IsDeleted", "IsPersonAccount", CONVERTED)
        if description.field(name)
    ]
    return tuple(conditions)


def _create_mistakes(
    mapping: Mapping, description: Description, key: tuple[int, str] | None
) -> list[str]:
    mistakes = []
    place = f"mapping {mapping.name}"
    if key is None:
        mistakes.append(
            f"{place}: creating {mapping.salesforce} records needs a match field that is an "
            "external id and unique; add such a field, or leave salesforce out of create"
        )
    if not description.createable:
        mistakes.append(f"{place}: the user lacks the permission Create on {mapping.salesforce}")
    if mapping.parent and description.field(mapping.parent.salesforce) is None:
        mistakes.append(f"{place}: {mapping.salesforce} shows no field {mapping.parent.salesforce}")
    for name in mapping.constants:
        found = resolve(name, description, {})
        if not isinstance(found, Resolved):
            mistakes.append(f"{place}, set: {found}")
        elif not found.type.createable:
            mistakes.append(f"{place}, set: {name} cannot be given to a new record")
    return mistakes


def _unwritable(description: Description, own: FieldType) -> str:
    if own.calculated:
        return f"{own.name} is a formula"
    if own.name.lower() in description.encrypted:
        return f"{own.name} is encrypted, so it is only read"
    if own.name == NAME:
        return f"{own.name} cannot be written; map the fields it is made of"
    return f"{own.name} is read-only for this user; check field-level security"


def _place(mapping: Mapping, name: str) -> str:
    line = next((f.line for f in mapping.fields if f.salesforce == name), None)
    return f"mapping {mapping.name}, field {name}" + (f", line {line}" if line else "")
