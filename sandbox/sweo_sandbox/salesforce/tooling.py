"""The Tooling API's share: custom fields and objects are made, and listed.

A new field is invisible to everyone until ``FieldPermissions`` on an assigned permission set
shows it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from . import ids
from .errors import SalesforceError, json_parser_error
from .web import Request, Response, Router

if TYPE_CHECKING:
    from .org import Org

router = Router()
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)*__c$")
_LONGEST_NAME = 40 + len("__c")
_SOAP = {
    "boolean": "xsd:boolean",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "time": "xsd:time",
    "reference": "tns:ID",
}
_ACTIVITY = ("Task", "Event")
_SYSTEM = (
    ("Id", "id", "Record ID"),
    ("OwnerId", "reference", "Owner ID"),
    ("IsDeleted", "boolean", "Deleted"),
    ("Name", "string", "Name"),
    ("CreatedDate", "datetime", "Created Date"),
    ("CreatedById", "reference", "Created By ID"),
    ("LastModifiedDate", "datetime", "Last Modified Date"),
    ("LastModifiedById", "reference", "Last Modified By ID"),
    ("SystemModstamp", "datetime", "System Modstamp"),
)


@router.route("POST", "/tooling/sobjects/CustomField")
def create_field(org: Org, request: Request) -> Response:
    """Make a field: ``{"FullName": "Contact.X__c", "Metadata": {"label", "type", …}}``."""
    body = request.json_object()
    full_name, metadata = str(body.get("FullName", "")), body.get("Metadata")
    object_name, _, name = full_name.partition(".")
    if not isinstance(metadata, dict):
        raise SalesforceError("REQUIRED_FIELD_MISSING", "Required fields are missing: [Metadata]")
    targets = _ACTIVITY if object_name.lower() == "activity" else (object_name,)
    facts = _field_facts(org, name, metadata)
    with org.store.transaction():
        field_id = ids.make_id("00N", org.store.next_number("CustomField"))
        for index, target in enumerate(targets):
            sobject = org.schema.sobject(target)
            if sobject is None:
                raise SalesforceError(
                    "INVALID_CROSS_REFERENCE_KEY",
                    f"invalid object: {object_name}",
                    400,
                    ["FullName"],
                )
            if object_name.lower() in ("task", "event"):
                raise SalesforceError(
                    "FIELD_INTEGRITY_EXCEPTION",
                    "Custom fields of Task and Event are made on Activity",
                    400,
                    ["FullName"],
                )
            if sobject.field_named(name):
                raise SalesforceError(
                    "DUPLICATE_DEVELOPER_NAME",
                    f"There is already a field named {name.removesuffix('__c')} on "
                    f"{sobject.label}.",
                    400,
                    ["DeveloperName"],
                )
            org.store.writer.execute(
                "INSERT INTO _custom_field VALUES (?, ?, ?, ?)",
                (f"{field_id}{index or ''}", sobject.name, name, json.dumps(facts)),
            )
            org.schema_add_field(sobject.name, facts)
            org.store.create_table(sobject)
    org.schema_changed()
    return Response(
        {"id": field_id, "success": True, "errors": [], "warnings": [], "infos": []}, 201
    )


@router.route("POST", "/tooling/sobjects/CustomObject")
def create_object(org: Org, request: Request) -> Response:
    """Make an object: ``{"FullName": "Plan__c", "Metadata": {"label", "pluralLabel", …}}``."""
    body = request.json_object()
    name, metadata = str(body.get("FullName", "")), body.get("Metadata")
    if not isinstance(metadata, dict) or not metadata.get("label"):
        raise SalesforceError("REQUIRED_FIELD_MISSING", "Required fields are missing: [Metadata]")
    _check_name(name)
    if org.schema.sobject(name):
        raise SalesforceError(
            "DUPLICATE_DEVELOPER_NAME", f"There is already an object named {name}.", 400, []
        )
    with org.store.transaction():
        number = org.store.next_number("CustomObject")
        facts = {
            "name": name,
            "label": str(metadata["label"]),
            "labelPlural": str(metadata.get("pluralLabel") or metadata["label"]),
            "keyPrefix": ids.make_id("a00", number)[:1] + f"{number:02d}",
            "fields": _system_fields(metadata),
        }
        object_id = ids.make_id("01I", number)
        org.store.writer.execute(
            "INSERT INTO _custom_object VALUES (?, ?, ?)", (object_id, name, json.dumps(facts))
        )
        org.store.create_table(org.schema_add_object(facts))
    org.schema_changed()
    return Response(
        {"id": object_id, "success": True, "errors": [], "warnings": [], "infos": []}, 201
    )


@router.route("GET", "/tooling/sobjects/CustomField/{field_id}")
def read_field(org: Org, request: Request, field_id: str) -> Response:
    """A field that was made here."""
    found = org.store.writer.execute(
        "SELECT sobject, name, facts FROM _custom_field WHERE id = ?", (ids.to_18(field_id),)
    ).fetchone()
    if found is None:
        raise SalesforceError("NOT_FOUND", "The requested resource does not exist", 404)
    return Response(
        {
            "attributes": {
                "type": "CustomField",
                "url": f"/services/data/v{request.version}/tooling/sobjects/CustomField/{field_id}",
            },
            "Id": field_id,
            "FullName": f"{found[0]}.{found[1]}",
            "DeveloperName": found[1].removesuffix("__c"),
            "TableEnumOrId": found[0],
        }
    )


def _check_name(name: str) -> None:
    if not _NAME.match(name) or len(name) > _LONGEST_NAME:
        raise SalesforceError(
            "FIELD_INTEGRITY_EXCEPTION",
            "The name can only contain underscores and alphanumeric characters. It must be unique, "
            "begin with a letter, not include spaces, not end with an underscore, and not contain "
            "two consecutive underscores.",
            400,
            ["DeveloperName"],
        )


def _field_facts(org: Org, name: str, metadata: dict[str, Any]) -> dict[str, Any]:
    _check_name(name)
    kind, label = str(metadata.get("type", "")), metadata.get("label")
    if not label:
        raise SalesforceError("REQUIRED_FIELD_MISSING", "Required fields are missing: [label]")
    facts: dict[str, Any] = {
        "name": name,
        "label": str(label),
        "custom": True,
        "permissionable": True,
        "createable": True,
        "updateable": True,
        "nillable": not metadata.get("required", False),
        "externalId": bool(metadata.get("externalId", False)),
        "idLookup": bool(metadata.get("externalId", False)),
        "unique": bool(metadata.get("unique", False)),
        "caseSensitive": bool(metadata.get("caseSensitive", False)),
        "inlineHelpText": metadata.get("inlineHelpText"),
    }
    facts.update(_type_facts(org, kind, metadata))
    facts["soapType"] = _SOAP.get(facts["type"], "xsd:string")
    if facts.get("length"):
        facts["byteLength"] = facts["length"] * 3
    return facts


def _type_facts(  # noqa: PLR0911 - one return for each type
    org: Org, kind: str, metadata: dict[str, Any]
) -> dict[str, Any]:
    if kind in ("Text", "EncryptedText"):
        return {"type": "string", "length": _number(metadata, "length", 1, 255)}
    if kind == "TextArea":
        return {"type": "textarea", "length": 255, "extraTypeInfo": "plaintextarea"}
    if kind in ("LongTextArea", "Html"):
        unsearchable = {"filterable": False, "sortable": False, "groupable": False}
        length = _number(metadata, "length", 256, 131_072)
        return {"type": "textarea", "length": length, "aggregatable": False, **unsearchable}
    if kind in ("Number", "Currency", "Percent"):
        precision = _number(metadata, "precision", 1, 18)
        scale = _number(metadata, "scale", 0, precision)
        type_name = {"Number": "double", "Currency": "currency", "Percent": "percent"}[kind]
        return {"type": type_name, "precision": precision, "scale": scale, "groupable": False}
    if kind == "Checkbox":
        default = str(metadata.get("defaultValue", "false")).lower() == "true"
        return {
            "type": "boolean",
            "nillable": False,
            "defaultValue": default,
            "defaultedOnCreate": True,
            "aggregatable": False,
        }
    if kind in ("Picklist", "MultiselectPicklist"):
        return _picklist_facts(kind, metadata)
    if kind == "Lookup":
        parent = org.schema.sobject(str(metadata.get("referenceTo", "")))
        relationship = metadata.get("relationshipName")
        if parent is None or not relationship:
            raise SalesforceError(
                "FIELD_INTEGRITY_EXCEPTION",
                "referenceTo and relationshipName are required",
                400,
                [],
            )
        return {
            "type": "reference",
            "length": 18,
            "referenceTo": [parent.name],
            "relationshipName": f"{relationship}__r",
            "childRelationshipName": f"{relationship}__r",
        }
    plain: dict[str, dict[str, Any]] = {
        "Date": {"type": "date"},
        "DateTime": {"type": "datetime", "groupable": False},
        "Time": {"type": "time"},
        "Email": {"type": "email", "length": 80, "idLookup": True},
        "Phone": {"type": "phone", "length": 40},
        "Url": {"type": "url", "length": 255},
    }
    if kind not in plain:
        raise SalesforceError(
            "INVALID_FIELD",
            f"Field type {kind or 'null'} is not supported by this org",
            400,
            ["type"],
        )
    return dict(plain[kind])


def _picklist_facts(kind: str, metadata: dict[str, Any]) -> dict[str, Any]:
    value_set = _object(metadata, "valueSet")
    entries = _object(value_set, "valueSetDefinition").get("value", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise json_parser_error("value must be a list of objects")
    return {
        "type": "picklist" if kind == "Picklist" else "multipicklist",
        "length": 255 if kind == "Picklist" else 4099,
        "restrictedPicklist": bool(value_set.get("restricted", False)),
        "picklistValues": [
            {
                "value": str(entry.get("fullName") or entry.get("valueName")),
                "label": str(entry.get("label") or entry.get("fullName") or entry.get("valueName")),
                "defaultValue": bool(entry.get("default", False)),
            }
            for entry in entries
        ],
    }


def _object(metadata: dict[str, Any], name: str) -> dict[str, Any]:
    value = metadata.get(name) or {}
    if not isinstance(value, dict):
        raise json_parser_error(f"{name} must be an object")
    return value


def _number(metadata: dict[str, Any], name: str, least: int, most: int) -> int:
    value = metadata.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise SalesforceError(
            "FIELD_INTEGRITY_EXCEPTION", f"{name} must be between {least} and {most}", 400, [name]
        )
    return value


def _system_fields(metadata: dict[str, Any]) -> list[dict[str, Any]]:
    fields: list[dict[str, Any]] = []
    for name, kind, label in _SYSTEM:
        entry: dict[str, Any] = {"name": name, "type": kind, "label": label}
        entry["soapType"] = _SOAP.get(kind, "tns:ID" if kind == "id" else "xsd:string")
        entry["defaultedOnCreate"] = True
        if kind in ("id", "reference"):
            entry["length"] = 18
        if kind == "id":
            entry["idLookup"] = True
        if kind == "reference":
            entry.update(referenceTo=["User"], relationshipName=name.removesuffix("Id"))
        if name == "OwnerId":
            entry.update(createable=True, updateable=True)
        if name == "Name":
            name_field = _object(metadata, "nameField")
            entry.update(
                label=str(name_field.get("label", "Name")),
                length=80,
                nameField=True,
                createable=True,
                updateable=True,
                nillable=True,
                defaultedOnCreate=False,
            )
        fields.append(entry)
    return fields
