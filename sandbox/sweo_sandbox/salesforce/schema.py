"""The shape of an org's data: objects, fields, relationships.

Storage follows from it: one SQLite table per object, named like the object, one column per
stored field, named like the field. Text-like types are TEXT, ``boolean`` INTEGER 0/1, ``int``
INTEGER, ``double``/``currency``/``percent`` REAL, ``date`` TEXT ``YYYY-MM-DD``, ``datetime``
INTEGER milliseconds since 1970 UTC, ``time`` TEXT, ``multipicklist`` TEXT joined by ``;``,
ids and references TEXT of 18 characters. Compound and formula fields have no column.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class PicklistValue:
    """One entry of a picklist."""

    value: str
    label: str
    active: bool = True
    default: bool = False
    valid_for: str | None = None


@dataclass(slots=True)
class SObjectField:
    """One field as describe tells it; ``extra`` holds describe keys that nothing computes with.

    ``formula`` is None for stored fields, else a small expression: a dotted path
    (``Account.Name``) or a list of paths and quoted literals to join.
    ``compound_parts`` names the columns of an Address or Name compound.
    """

    name: str
    type: str
    label: str = ""
    length: int = 0
    precision: int = 0
    scale: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    defaulted_on_create: bool = False
    default_value: Any = None
    unique: bool = False
    case_sensitive: bool = False
    external_id: bool = False
    id_lookup: bool = False
    filterable: bool = True
    sortable: bool = True
    groupable: bool = True
    custom: bool = False
    calculated: bool = False
    auto_number: bool = False
    restricted_picklist: bool = False
    dependent_picklist: bool = False
    controller_name: str | None = None
    picklist_values: list[PicklistValue] = field(default_factory=list)
    reference_to: list[str] = field(default_factory=list)
    relationship_name: str | None = None
    cascade_delete: bool = False
    name_field: bool = False
    compound_field_name: str | None = None
    compound_parts: list[str] = field(default_factory=list)
    formula: list[str] | None = None
    soap_type: str = "xsd:string"
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def stored(self) -> bool:
        """Whether the field has a column."""
        return self.formula is None and not self.compound_parts


@dataclass(slots=True)
class ChildRelationship:
    """A lookup on another object that points here."""

    child_sobject: str
    field: str
    relationship_name: str | None
    cascade_delete: bool = False


@dataclass(slots=True)
class SObjectType:
    """One object. ``fields`` is by lower-cased name, in describe order."""

    name: str
    label: str
    label_plural: str
    key_prefix: str
    fields: dict[str, SObjectField] = field(default_factory=dict)
    child_relationships: list[ChildRelationship] = field(default_factory=list)
    custom: bool = False
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    queryable: bool = True
    extra: dict[str, Any] = field(default_factory=dict)

    def field_named(self, name: str) -> SObjectField | None:
        """The field of that name in any case, or None."""
        return self.fields.get(name.lower())

    def relationship(self, name: str) -> SObjectField | None:
        """The lookup field whose relationship (``Owner``, ``Account``) has that name."""
        wanted = name.lower()
        for candidate in self.fields.values():
            if candidate.relationship_name and candidate.relationship_name.lower() == wanted:
                return candidate
        return None


@dataclass(slots=True)
class Schema:
    """Every object of the org, by lower-cased name."""

    sobjects: dict[str, SObjectType] = field(default_factory=dict)

    def sobject(self, name: str) -> SObjectType | None:
        """The object of that name in any case, or None."""
        return self.sobjects.get(name.lower())
