"""What a row of FieldPermissions or ObjectPermissions must be like to be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .access import GOVERNED, is_permissionable
from .errors import SalesforceError
from .schema import SObjectType
from .store import Row

if TYPE_CHECKING:
    from .org import Org
    from .writes import WriteContext

_NEEDS = {
    "Create": ("Read",),
    "Edit": ("Read",),
    "Delete": ("Read", "Edit"),
    "ViewAllRecords": ("Read",),
    "ModifyAllRecords": ("Read", "Edit", "Delete", "ViewAllRecords"),
}
_SHOWN = {"ViewAllRecords": "View All", "ModifyAllRecords": "Modify All"}


def check(org: Org, sobject: SObjectType, row: Row, context: WriteContext) -> None:
    """Hold a permission that is about to be written against the schema and the others.

    Raises:
        SalesforceError: it is for what has no permissions, for what has one already, or it needs
            another permission that is not given.
    """
    if not context.enforce:
        return
    if sobject.name == "FieldPermissions":
        _check_field(org, row)
        _check_needs(row, {"Edit": ("Read",)}, str(row["Field"]))
        _check_single(org, sobject, row, ("ParentId", "SobjectType", "Field"))
    elif sobject.name == "ObjectPermissions":
        target = org.schema.sobject(str(row["SobjectType"]))
        if target is None or not (target.custom or target.name in GOVERNED):
            raise _no_choice("Object Type Name", row["SobjectType"], "SobjectType")
        _check_needs(row, _NEEDS, target.name)
        _check_single(org, sobject, row, ("ParentId", "SobjectType"))


def _check_field(org: Org, row: Row) -> None:
    object_name, _, name = str(row["Field"]).partition(".")
    target = org.schema.sobject(object_name)
    if target is None or target.name.lower() != str(row["SobjectType"]).lower():
        raise _no_choice("Object Type Name", row["SobjectType"], "SobjectType")
    field = target.field_named(name)
    if field is None or not is_permissionable(field):
        raise _no_choice("Field Name", row["Field"], "Field")


def _check_needs(row: Row, needs: dict[str, tuple[str, ...]], subject: str) -> None:
    for right, needed in needs.items():
        missing = [each for each in needed if not row[f"Permissions{each}"]]
        if row[f"Permissions{right}"] and missing:
            listed = ", ".join(f"{_SHOWN.get(each, each)} {subject}" for each in missing)
            raise SalesforceError(
                "FIELD_INTEGRITY_EXCEPTION",
                f"Permission {_SHOWN.get(right, right)} {subject} depends on permission(s): "
                f"{listed}",
                400,
                [],
            )


def _check_single(org: Org, sobject: SObjectType, row: Row, names: tuple[str, ...]) -> None:
    equal = {name: row[name] for name in names}
    others = [each["Id"] for each in org.rows(sobject.name, **equal)]
    if any(each != row.get("Id") for each in others):
        raise SalesforceError(
            "DUPLICATE_VALUE",
            "duplicate value found: <unknown> duplicates value on record with id: <unknown>",
            400,
            [],
        )


def _no_choice(label: str, value: object, field: str) -> SalesforceError:
    return SalesforceError(
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        f"{label}: bad value for restricted picklist field: {value}",
        400,
        [field],
    )
