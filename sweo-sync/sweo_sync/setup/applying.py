"""The same through the API: fields by the Tooling API, grants by rows of field-level security.

A new field is absent from everyone's describe until a permission set that is assigned to them
grants it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from crosswalk.errors import FatalError, UnknownOutcomeError
from salesforce_client.connection import Connection
from salesforce_client.errors import RequestRefusedError
from salesforce_client.settings import connection_from
from salesforce_client.soql import Select, literal

from sweo_sync.setup.project import PERMISSION_SET, PERMISSION_SET_LABEL
from sweo_sync.setup.rights import Rights
from sweo_sync.setup.wanted import WantedField

TOKEN_VARIABLE: Final = "SALESFORCE_SETUP_ACCESS_TOKEN"  # noqa: S105 - a name
_OBJECT_FLAGS: Final = (
    "PermissionsRead",
    "PermissionsCreate",
    "PermissionsEdit",
    "PermissionsDelete",
    "PermissionsViewAllRecords",
)
_EXISTS: Final = frozenset({"DUPLICATE_DEVELOPER_NAME", "DUPLICATE_VALUE"})


@dataclass(slots=True)
class Applied:
    """What was done; what stood already is in none of these."""

    made: list[str] = field(default_factory=list)
    granted: list[str] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)
    permission_set_made: bool = False
    assigned: bool = False


def setup_connection(environ: Mapping[str, str]) -> Connection:
    """A connection as the admin, whose token is used now and kept nowhere.

    Raises:
        FatalError: the token or the org's address is missing.
    """
    token, address = environ.get(TOKEN_VARIABLE), environ.get("SALESFORCE_INSTANCE_URL")
    if not (token and address):
        raise FatalError(
            f"Set {TOKEN_VARIABLE} (an admin's session, for example from `sf org display`) and "
            "SALESFORCE_INSTANCE_URL for this one command."
        )
    return connection_from({"access_token": token, "instance_url": address})


def apply(
    connection: Connection, fields: Sequence[WantedField], rights: Rights, assign_to: str | None
) -> Applied:
    """Make and grant what is missing. Safe to repeat, also after it broke off.

    ``rights`` are those to the objects and fields that are there already.

    Raises:
        FatalError: the admin lacks a permission, or there is no such user.
        RetryLaterError: Salesforce does not answer; run it again.
    """
    done = Applied()
    for each in fields:
        if not each.exists and _make(connection, each):
            done.made.append(each.full_name)
    permission_set = _permission_set(connection, done)
    _grant_objects(connection, permission_set, rights, done)
    edited = rights.fields | {each.permission: True for each in fields}
    _grant_fields(connection, permission_set, edited, done)
    if assign_to:
        _assign(connection, permission_set, assign_to, done)
    return done


def _make(connection: Connection, wanted: WantedField) -> bool:
    body = {"FullName": wanted.full_name, "Metadata": wanted.metadata}
    return _post(connection, "tooling/sobjects/CustomField", body) is not None


def _permission_set(connection: Connection, done: Applied) -> str:
    where = (f"Name = {literal(PERMISSION_SET)}",)
    columns = ("Id", "PermissionsApiEnabled")
    found = _rows(connection, Select("PermissionSet", columns, where))
    rights = {"PermissionsApiEnabled": True}
    if found:
        known = str(found[0]["Id"])
        if not found[0]["PermissionsApiEnabled"]:
            _send(connection, "PATCH", f"sobjects/PermissionSet/{known}", rights)
        return known
    body = {"Name": PERMISSION_SET, "Label": PERMISSION_SET_LABEL, **rights}
    made = _post(connection, "sobjects/PermissionSet", body)
    if made is None:
        raise FatalError(f"Somebody made the permission set {PERMISSION_SET} just now; run again.")
    done.permission_set_made = True
    return made


def _grant_objects(
    connection: Connection, permission_set: str, rights: Rights, done: Applied
) -> None:
    where = (f"ParentId = {literal(permission_set)}",)
    columns = ("Id", "SobjectType", *_OBJECT_FLAGS)
    held = {
        row["SobjectType"]: row
        for row in _rows(connection, Select("ObjectPermissions", columns, where))
    }
    for name, right in rights.objects.items():
        wanted = {
            "PermissionsRead": True,
            "PermissionsViewAllRecords": True,
            "PermissionsCreate": right.create,
            "PermissionsEdit": right.edit or right.delete,
            "PermissionsDelete": right.delete,
        }
        allowed = {flag: True for flag, needed in wanted.items() if needed}
        body = {"ParentId": permission_set, "SobjectType": name, **allowed}
        if _granted(connection, "ObjectPermissions", held.get(name), body, allowed):
            done.objects.append(name)


def _grant_fields(
    connection: Connection, permission_set: str, fields: Mapping[str, bool], done: Applied
) -> None:
    columns = ("Id", "Field", "PermissionsRead", "PermissionsEdit")
    where = (f"ParentId = {literal(permission_set)}",)
    held = {
        row["Field"]: row for row in _rows(connection, Select("FieldPermissions", columns, where))
    }
    for name, edit in fields.items():
        allowed = {"PermissionsRead": True} | ({"PermissionsEdit": True} if edit else {})
        sobject = name.partition(".")[0]
        body = {"ParentId": permission_set, "SobjectType": sobject, "Field": name, **allowed}
        if _granted(connection, "FieldPermissions", held.get(name), body, allowed):
            done.granted.append(name)


def _granted(
    connection: Connection,
    table: str,
    held: Mapping[str, Any] | None,
    body: Mapping[str, Any],
    allowed: Mapping[str, bool],
) -> bool:
    """Grant what the row lacks; whether that was anything."""
    if held is None:
        _post(connection, f"sobjects/{table}", body)
    elif any(not held[flag] for flag in allowed):
        _send(connection, "PATCH", f"sobjects/{table}/{held['Id']}", allowed)
    else:
        return False
    return True


def _assign(connection: Connection, permission_set: str, username: str, done: Applied) -> None:
    users = _rows(connection, Select("User", ("Id",), (f"Username = {literal(username)}",)))
    if not users:
        raise FatalError("Salesforce has no user of the name that --assign gives.")
    user = str(users[0]["Id"])
    where = (f"PermissionSetId = {literal(permission_set)}", f"AssigneeId = {literal(user)}")
    if not _rows(connection, Select("PermissionSetAssignment", ("Id",), where)):
        body = {"PermissionSetId": permission_set, "AssigneeId": user}
        done.assigned = _post(connection, "sobjects/PermissionSetAssignment", body) is not None


def _rows(connection: Connection, select: Select) -> list[dict[str, Any]]:
    try:
        body = connection.read("query", params={"q": select.text()}).body
        rows = list(body["records"])
        while body.get("nextRecordsUrl"):
            body = connection.read(body["nextRecordsUrl"]).body
            rows += body["records"]
    except RequestRefusedError as refusal:
        raise refusal.sorted() from None
    return rows


def _post(connection: Connection, path: str, body: object) -> str | None:
    """Make a row and return its id; None where it is there already."""
    answer = _send(connection, "POST", path, body)
    return str(answer["id"]) if answer else None


def _send(connection: Connection, method: str, path: str, body: object) -> dict[str, Any] | None:
    try:
        answer = connection.write(method, path, body=body)
    except UnknownOutcomeError:
        raise UnknownOutcomeError(
            "Salesforce's answer was lost; run the command again, it makes nothing twice."
        ) from None
    except RequestRefusedError as refusal:
        if refusal.code in _EXISTS:
            return None
        raise FatalError(
            f"{refusal} Making fields needs the permissions Customize Application and Manage "
            "Profiles and Permission Sets."
        ) from None
    return answer.body if isinstance(answer.body, dict) else {}
