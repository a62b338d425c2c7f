"""What the integration user may do: per object and per field, field-level security included."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crosswalk.fieldtype import FieldType
from crosswalk.mapping import Create, Field, Mapping, Side
from crosswalk.naming import is_made_for
from salesforce_client.fields import Description

from sweo_sync.doctor.finding import Finding, Level
from sweo_sync.doctor.visit import Visit

PERMISSIONS: Final = "permissions"


def look_at_permissions(visit: Visit, mapping: Mapping) -> Iterator[Finding]:
    """Read, edit and create on the object; read and edit on every mapped field."""
    org = visit.org
    description = org.description(mapping)
    if description is None:
        yield _failure(
            mapping,
            f"{org.missing[mapping.salesforce]}.",
            f"give the integration user Read on {mapping.salesforce} in its permission set",
        )
        return
    findings = [*_object(mapping, description), *_fields(visit, mapping, description)]
    yield from findings
    if not findings:
        yield Finding(
            PERMISSIONS,
            Level.OK,
            f"{mapping.salesforce}: every mapped field can be used as it is mapped.",
            mapping=mapping.name,
        )


def _object(mapping: Mapping, description: Description) -> Iterator[Finding]:
    if mapping.flowing_to(Side.SALESFORCE) and not description.updateable:
        yield _failure(
            mapping,
            f"The integration user lacks Edit on {mapping.salesforce}.",
            f"give it Edit on {mapping.salesforce} in its permission set",
        )
    if mapping.create[Side.SALESFORCE] is not Create.NEVER and not description.createable:
        yield _failure(
            mapping,
            f"The integration user lacks Create on {mapping.salesforce}.",
            f"give it Create on {mapping.salesforce}, or leave salesforce out of create",
        )


def _fields(visit: Visit, mapping: Mapping, description: Description) -> Iterator[Finding]:
    org = visit.org
    written = {field.salesforce: field for field in mapping.flowing_to(Side.SALESFORCE)}
    for name in dict.fromkeys([*mapping.read_from(Side.SALESFORCE), *written]):
        found = org.look_up(mapping, name)
        field = written.get(name)
        if isinstance(found, str):
            yield _unseen(mapping, name, field, found)
        elif field and description.updateable and not found.writable:
            yield _unwritable(mapping, found)


def _unseen(mapping: Mapping, name: str, field: Field | None, why: str) -> Finding:
    if field and is_made_for(field, mapping):
        return _failure(
            mapping,
            f"{mapping.salesforce} has no field {name}, or this user may not see it.",
            "run `sweo-sync setup`, which makes such fields",
        )
    return _failure(
        mapping, f"{why}.", f"give the integration user Read on {name}, or correct the name"
    )


def _unwritable(mapping: Mapping, found: FieldType) -> Finding:
    if found.calculated:
        return _failure(
            mapping,
            f"{mapping.salesforce}.{found.name} is a formula, which nobody can write.",
            "let it flow to_sweo, or map the field behind it",
        )
    return _failure(
        mapping,
        f"The integration user may not edit {mapping.salesforce}.{found.name}.",
        "give it Edit on the field (field-level security), or let it flow to_sweo",
    )


def _failure(mapping: Mapping, found: str, todo: str) -> Finding:
    return Finding(PERMISSIONS, Level.FAILURE, found, todo, mapping.name)
