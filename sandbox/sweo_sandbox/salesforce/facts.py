"""Loads the org's schema from the field facts in ``describes/``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from .formulas import terms_of
from .schema import ChildRelationship, PicklistValue, Schema, SObjectField, SObjectType

OBJECTS = (
    "Account",
    "Contact",
    "Lead",
    "Opportunity",
    "Case",
    "Campaign",
    "CampaignMember",
    "Task",
    "Event",
    "User",
    "Group",
    "Organization",
    "Profile",
    "RecordType",
    "PermissionSet",
    "PermissionSetAssignment",
    "FieldPermissions",
    "ObjectPermissions",
    "TaskStatus",
    "CaseStatus",
    "LeadStatus",
    "OpportunityStage",
)

_SNAKE = {
    "length": "length",
    "precision": "precision",
    "scale": "scale",
    "nillable": "nillable",
    "createable": "createable",
    "updateable": "updateable",
    "defaultedOnCreate": "defaulted_on_create",
    "defaultValue": "default_value",
    "unique": "unique",
    "caseSensitive": "case_sensitive",
    "externalId": "external_id",
    "idLookup": "id_lookup",
    "filterable": "filterable",
    "sortable": "sortable",
    "groupable": "groupable",
    "custom": "custom",
    "calculated": "calculated",
    "autoNumber": "auto_number",
    "restrictedPicklist": "restricted_picklist",
    "dependentPicklist": "dependent_picklist",
    "controllerName": "controller_name",
    "relationshipName": "relationship_name",
    "cascadeDelete": "cascade_delete",
    "nameField": "name_field",
    "compoundFieldName": "compound_field_name",
    "soapType": "soap_type",
}
_OFF_UNLESS_SAID = ("nillable", "createable", "updateable")
_ADDRESS_PARTS = (
    "Street",
    "City",
    "State",
    "PostalCode",
    "Country",
    "Latitude",
    "Longitude",
    "GeocodeAccuracy",
)


def field_of(facts: dict[str, Any]) -> SObjectField:
    """A field from describe keys, defaults left out."""
    made = SObjectField(facts["name"], facts["type"], facts.get("label", facts["name"]))
    for name in _OFF_UNLESS_SAID:
        setattr(made, name, False)
    for key, value in facts.items():
        if key in ("name", "type", "label"):
            continue
        if key == "picklistValues":
            made.picklist_values = [
                PicklistValue(
                    entry["value"],
                    entry.get("label", entry["value"]),
                    entry.get("active", True),
                    entry.get("defaultValue", False),
                    entry.get("validFor"),
                )
                for entry in value
            ]
        elif key == "referenceTo":
            made.reference_to = list(value)
        elif key in _SNAKE:
            setattr(made, _SNAKE[key], value)
        else:
            made.extra[key] = value
    if made.calculated and facts.get("calculatedFormula"):
        made.formula = terms_of(facts["calculatedFormula"])
    return made


def load_schema() -> Schema:
    """The org as it comes: standard objects and the declared custom fields. A fresh copy."""
    schema = Schema()
    custom: dict[str, list[dict[str, Any]]] = _read("custom_fields")
    relationships: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
    for name in OBJECTS:
        facts = _read(name)
        sobject = _sobject_of(facts, custom.get(name, []))
        schema.sobjects[name.lower()] = sobject
        relationships[name] = {
            (entry["childSObject"], entry["field"]): entry for entry in facts["childRelationships"]
        }
    link_children(schema, relationships)
    return schema


def load_object(name: str) -> SObjectType:
    """One object that an org has only with a feature that it may switch on. A fresh copy."""
    return _sobject_of(_read(name), [])


def _sobject_of(facts: dict[str, Any], custom: list[dict[str, Any]]) -> SObjectType:
    flags = facts["flags"]
    sobject = SObjectType(
        name=facts["name"],
        label=facts["label"],
        label_plural=facts["labelPlural"],
        key_prefix=facts["keyPrefix"],
        createable=flags.get("createable", True),
        updateable=flags.get("updateable", True),
        deletable=flags.get("deletable", True),
        queryable=flags.get("queryable", True),
        extra=dict(flags),
    )
    for entry in [*facts["fields"], *custom]:
        made = field_of(entry)
        sobject.fields[made.name.lower()] = made
    set_compounds(sobject)
    return sobject


def set_compounds(sobject: SObjectType) -> None:
    """Tell Address and person Name fields which columns they are made of."""
    for made in sobject.fields.values():
        if made.type == "address":
            prefix = made.name[: -len("Address")]
            made.compound_parts = [prefix + part for part in _ADDRESS_PARTS]
        elif made.name == "Name" and "firstname" in sobject.fields:
            made.compound_parts = ["FirstName", "LastName"]


def link_children(
    schema: Schema, relationships: dict[str, dict[tuple[str, str], dict[str, Any]]]
) -> None:
    """Fill in every object's child relationships from the lookups that point at it."""
    for child in schema.sobjects.values():
        for made in child.fields.values():
            link_field(schema, child, made, relationships)


def link_field(
    schema: Schema,
    child: SObjectType,
    made: SObjectField,
    relationships: Mapping[str, Mapping[tuple[str, str], dict[str, Any]]] | None = None,
) -> None:
    """Tell the objects that a lookup points at of their new child relationship."""
    for parent_name in made.reference_to:
        parent = schema.sobject(parent_name)
        if parent is None:
            continue
        known = (relationships or {}).get(parent.name, {})
        entry = known.get((child.name, made.name), {})
        parent.child_relationships.append(
            ChildRelationship(
                child.name,
                made.name,
                entry.get("relationshipName", made.extra.get("childRelationshipName")),
                entry.get("cascadeDelete", made.cascade_delete),
            )
        )


def add_activity_target(schema: Schema, sobject: SObjectType) -> None:
    """Let tasks and events be about the records of a custom object."""
    for name, relationship in (("task", "Tasks"), ("event", "Events")):
        activity = schema.sobjects[name]
        what = activity.fields["whatid"]
        what.reference_to = sorted({*what.reference_to, sobject.name})
        sobject.child_relationships.append(
            ChildRelationship(activity.name, what.name, relationship, cascade_delete=True)
        )


@cache
def _text(name: str) -> str:
    package = resources.files(__package__ or "sweo_sandbox.salesforce")
    return (package / "describes" / f"{name}.json").read_text(encoding="utf-8")


def _read(name: str) -> Any:
    return json.loads(_text(name))
