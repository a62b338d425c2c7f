"""The Tooling API's share: custom fields and objects are made, changed, taken away and read.

A new field is invisible to everyone until ``FieldPermissions`` on an assigned permission set
shows it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import ids
from .custom_metadata import field_facts, object_facts
from .errors import SalesforceError, not_found
from .schema import SObjectType
from .store import quoted
from .web import Request, Response, Router

if TYPE_CHECKING:
    from .org import Org

router = Router()
_ACTIVITY = ("Task", "Event")
_MADE = {"success": True, "errors": [], "warnings": [], "infos": []}


@router.route("POST", "/tooling/sobjects/CustomField")
def create_field(org: Org, request: Request) -> Response:
    """Make a field: ``{"FullName": "Contact.X__c", "Metadata": {"label", "type", …}}``."""
    full_name, metadata = _order(org, request)
    object_name, _, name = full_name.partition(".")
    with org.store.transaction():
        field_id = org.store.next_id("00N", "CustomField")
        for index, sobject in enumerate(_targets(org, object_name)):
            if sobject.field_named(name):
                raise SalesforceError(
                    "DUPLICATE_DEVELOPER_NAME",
                    f"There is already a field named {name.removesuffix('__c')} on "
                    f"{sobject.label}.",
                    400,
                    ["DeveloperName"],
                )
            most = org.settings.custom_fields_per_object
            if sum(each.custom for each in sobject.fields.values()) >= most:
                raise SalesforceError(
                    "LIMIT_EXCEEDED",
                    "You have reached the maximum number of custom fields for this object.",
                    400,
                    [],
                )
            facts = field_facts(org.schema, sobject, name, {**metadata, "fullName": name})
            org.store.writer.execute(
                "INSERT INTO _custom_field VALUES (?, ?, ?, ?)",
                (f"{field_id}{index or ''}", sobject.name, name, json.dumps(facts)),
            )
            org.schema_add_field(sobject.name, facts)
            org.store.create_table(sobject)
    org.schema_changed()
    return Response({"id": field_id, **_MADE}, 201)


@router.route("GET", "/tooling/sobjects/CustomField/{field_id}")
def read_field(org: Org, request: Request, field_id: str) -> Response:
    """A field that was made here."""
    sobject, name, _ = _made_field(org, field_id)[0]
    return Response(
        {
            "attributes": {
                "type": "CustomField",
                "url": f"/services/data/v{request.version}/tooling/sobjects/CustomField/{field_id}",
            },
            "Id": ids.to_18(field_id),
            "FullName": f"{sobject}.{name}",
            "DeveloperName": name.removesuffix("__c"),
            "TableEnumOrId": sobject,
        }
    )


@router.route("PATCH", "/tooling/sobjects/CustomField/{field_id}")
def change_field(org: Org, request: Request, field_id: str) -> Response:
    """Give a field other ``Metadata``; its type stays."""
    full_name, metadata = _order(org, request, named=False)
    made = _made_field(org, field_id)
    with org.store.transaction():
        for sobject_name, name, held in made:
            if full_name and full_name.partition(".")[2] != name:
                raise SalesforceError(
                    "FIELD_INTEGRITY_EXCEPTION", "A field keeps its name here", 400, ["FullName"]
                )
            sobject = org.schema.sobjects[sobject_name.lower()]
            facts = field_facts(org.schema, sobject, name, {**metadata, "fullName": name})
            if facts["type"] != json.loads(held)["type"]:
                raise SalesforceError(
                    "FIELD_INTEGRITY_EXCEPTION", "A field keeps its type here", 400, ["type"]
                )
            org.store.writer.execute(
                "UPDATE _custom_field SET facts = ? WHERE sobject = ? AND name = ?",
                (json.dumps(facts), sobject_name, name),
            )
            org.schema_remove_field(sobject_name, name)
            org.schema_add_field(sobject_name, facts)
            org.store.create_table(sobject)
    org.schema_changed()
    return Response(None, 204)


@router.route("DELETE", "/tooling/sobjects/CustomField/{field_id}")
def delete_field(org: Org, request: Request, field_id: str) -> Response:
    """Take a field away, its values and its permissions too."""
    _check_right(org, request)
    with org.store.transaction():
        for sobject_name, name, _ in _made_field(org, field_id):
            sobject = org.schema.sobjects[sobject_name.lower()]
            if sobject.fields[name.lower()].stored:
                org.store.writer.execute(
                    f"UPDATE {quoted(sobject_name)} SET {quoted(name)} = NULL"  # noqa: S608
                )
            org.store.writer.execute(
                "DELETE FROM _custom_field WHERE sobject = ? AND name = ?", (sobject_name, name)
            )
            org.store.writer.execute(
                'DELETE FROM "FieldPermissions" WHERE "Field" = ? COLLATE NOCASE',
                (f"{sobject_name}.{name}",),
            )
            org.schema_remove_field(sobject_name, name)
    org.schema_changed()
    return Response(None, 204)


@router.route("POST", "/tooling/sobjects/CustomObject")
def create_object(org: Org, request: Request) -> Response:
    """Make an object: ``{"FullName": "Plan__c", "Metadata": {"label", "pluralLabel", …}}``."""
    name, metadata = _order(org, request)
    if org.schema.sobject(name):
        raise SalesforceError(
            "DUPLICATE_DEVELOPER_NAME", f"There is already an object named {name}.", 400, []
        )
    with org.store.transaction():
        object_id = org.store.next_id("01I", "CustomObject")
        facts = object_facts(name, f"a{ids.number_of(object_id):02d}", metadata)
        org.store.writer.execute(
            "INSERT INTO _custom_object VALUES (?, ?, ?)", (object_id, name, json.dumps(facts))
        )
        org.store.create_table(org.schema_add_object(facts))
    org.schema_changed()
    return Response({"id": object_id, **_MADE}, 201)


def _check_right(org: Org, request: Request) -> None:
    if not org.security.may_customize(request.user_id):
        raise SalesforceError(
            "INSUFFICIENT_ACCESS_OR_READONLY", "insufficient access rights on object id", 400, []
        )


def _order(org: Org, request: Request, *, named: bool = True) -> tuple[str, dict[str, Any]]:
    _check_right(org, request)
    body = request.json_object()
    unknown = sorted(set(body) - {"FullName", "Metadata", "attributes"})
    if unknown:
        raise SalesforceError(
            "INVALID_FIELD", f"No such column '{unknown[0]}' on sobject of type CustomField"
        )
    full_name, metadata = body.get("FullName"), body.get("Metadata")
    if not isinstance(metadata, dict):
        raise SalesforceError("REQUIRED_FIELD_MISSING", "Required fields are missing: [Metadata]")
    if not isinstance(full_name, str) and (named or full_name is not None):
        raise SalesforceError("REQUIRED_FIELD_MISSING", "Required fields are missing: [FullName]")
    return full_name or "", metadata


def _targets(org: Org, object_name: str) -> list[SObjectType]:
    if object_name.lower() in ("task", "event"):
        raise SalesforceError(
            "FIELD_INTEGRITY_EXCEPTION",
            "Custom fields of Task and Event are made on Activity",
            400,
            ["FullName"],
        )
    names = _ACTIVITY if object_name.lower() == "activity" else (object_name,)
    found = [sobject for name in names if (sobject := org.schema.sobject(name)) is not None]
    if not found:
        raise SalesforceError(
            "INVALID_CROSS_REFERENCE_KEY", f"invalid object: {object_name}", 400, ["FullName"]
        )
    return found


def _made_field(org: Org, field_id: str) -> list[tuple[str, str, str]]:
    # A field of Activity is two, the second with a digit behind the id.
    found = org.store.writer.execute(
        "SELECT sobject, name, facts FROM _custom_field WHERE substr(id, 1, 18) = ? ORDER BY id",
        (ids.to_18(field_id),),
    ).fetchall()
    if not found:
        raise not_found()
    return found
