"""What an integration's user without an administrator's rights may see and do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

Client = Any


@pytest.fixture
def least(client: Client) -> Iterator[Client]:
    """The API as a user of the profile for integrations meets it, with an empty permission set."""
    order = {"username": "least@sandbox.example"}
    user = client.post("/_sandbox/org/add-user", order).json()["id"]
    permission_set = client.org.insert("PermissionSet", {"Name": "Least", "Label": "Least"})
    assignment = {"AssigneeId": user, "PermissionSetId": permission_set}
    client.org.insert("PermissionSetAssignment", assignment)
    token = client.post("/_sandbox/org/open-session", order).json()["access_token"]
    with requests.Session() as session:
        session.trust_env = False
        session.verify = client.session.verify
        session.headers["Authorization"] = f"Bearer {token}"
        other = type(client)(client.sandbox, session)
        other.admin, other.permission_set = client, permission_set
        yield other


def grant(least: Client, sobject: str, *rights: str) -> str:
    body = {"ParentId": least.permission_set, "SobjectType": sobject}
    body |= {f"Permissions{right}": True for right in rights}
    made = least.admin.post("/sobjects/ObjectPermissions", body)
    assert made.status_code == 201, made.text
    return str(made.json()["id"])


def show(least: Client, field: str, *, edit: bool = True) -> None:
    body = {"ParentId": least.permission_set, "SobjectType": field.partition(".")[0]}
    body |= {"Field": field, "PermissionsRead": True, "PermissionsEdit": edit}
    made = least.admin.post("/sobjects/FieldPermissions", body)
    assert made.status_code == 201, made.text


def test_an_object_without_read_is_not_there(least: Client) -> None:
    account = least.org.insert("Account", {"Name": "a"})
    assert least.error(least.get("/sobjects/Account/describe")) == (404, "NOT_FOUND")
    assert least.error(least.get(f"/sobjects/Account/{account}")) == (404, "NOT_FOUND")
    refused = least.get("/query", params={"q": "SELECT Id FROM Account"})
    assert least.error(refused) == (400, "INVALID_TYPE")
    named = {each["name"] for each in least.get("/sobjects").json()["sobjects"]}
    assert "Account" not in named
    assert "User" in named
    body = {"records": [{"attributes": {"type": "Account"}, "Name": "x"}]}
    (row,) = least.post("/composite/sobjects", body).json()
    assert row["errors"][0]["statusCode"] == "INVALID_TYPE"
    order = {"operation": "query", "query": "SELECT Id FROM Account"}
    assert least.error(least.post("/jobs/query", order)) == (400, "INVALID_TYPE")
    order = {"operation": "insert", "object": "Account"}
    assert least.error(least.post("/jobs/ingest", order)) == (400, "INVALIDENTITY")
    counted = least.get("/limits/recordCount", params={"sObjects": "Account,User"}).json()
    assert [each["name"] for each in counted["sObjects"]] == ["User"]


def test_each_right_is_needed_for_itself_and_shown_by_describe(least: Client) -> None:
    account = least.org.insert("Account", {"Name": "a"})
    permission = grant(least, "Account", "Read")
    path, code = f"/sobjects/Account/{account}", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    described = least.get("/sobjects/Account/describe").json()
    flags = [described[name] for name in ("queryable", "createable", "updateable", "deletable")]
    assert flags == [True, False, False, False]
    assert least.get(path).json()["Name"] == "a"
    refused = least.post("/sobjects/Account", {"Name": "x"})
    assert least.error(refused) == (400, code)
    assert refused.json()[0]["message"] == "entity type cannot be inserted: Account"
    refused = least.patch(path, {"Name": "b"})
    assert least.error(refused) == (400, code)
    assert refused.json()[0]["message"] == "entity type cannot be updated: Account"
    refused = least.call("DELETE", path)
    assert least.error(refused) == (400, "INSUFFICIENT_ACCESS_OR_READONLY")
    rights = {f"Permissions{right}": True for right in ("Create", "Edit", "Delete")}
    changed = least.admin.patch(f"/sobjects/ObjectPermissions/{permission}", rights)
    assert changed.status_code == 204
    assert least.post("/sobjects/Account", {"Name": "x"}).status_code == 201
    assert least.patch(path, {"Name": "b"}).status_code == 204
    assert least.call("DELETE", path).status_code == 204
    described = least.get("/sobjects/Account/describe").json()
    assert all(described[name] for name in ("createable", "updateable", "deletable"))


def test_fields_are_hidden_everywhere_until_they_are_shown(least: Client) -> None:
    values = {"Name": "a", "Phone": "1", "BillingCity": "Basel", "Customer_Number__c": "7"}
    account = least.org.insert("Account", values)
    contact = least.org.insert("Contact", {"LastName": "c", "AccountId": account})
    grant(least, "Account", "Read", "Edit")
    grant(least, "Contact", "Read")
    fields = {f["name"] for f in least.get("/sobjects/Account/describe").json()["fields"]}
    assert {"Id", "Name", "SystemModstamp", "OwnerId"} <= fields
    assert not fields & {"Phone", "BillingCity", "BillingAddress", "Customer_Number__c"}
    row = least.get(f"/sobjects/Account/{account}").json()
    assert not row.keys() & {"Phone", "BillingCity", "Customer_Number__c"}
    asked = least.get(f"/sobjects/Account/{account}", params={"fields": "Name,Phone"})
    assert least.error(asked) == (400, "INVALID_FIELD")
    for soql in (
        "SELECT Phone FROM Account",
        "SELECT Id FROM Account WHERE Phone = '1'",
        "SELECT Id FROM Account ORDER BY Phone",
        "SELECT Account.Phone FROM Contact",
        "SELECT COUNT(Id) FROM Account GROUP BY Phone",
    ):
        assert least.error(least.get("/query", params={"q": soql}))[1] == "INVALID_FIELD", soql
    retrieve = {"ids": [account], "fields": ["Name", "Phone"]}
    assert least.error(least.post("/composite/sobjects/Account", retrieve))[1] == "INVALID_FIELD"
    assert least.get("/sobjects/Account/Customer_Number__c/7").status_code == 404
    refused = least.patch(f"/sobjects/Account/{account}", {"Phone": "2"})
    assert least.error(refused) == (400, "INVALID_FIELD")
    show(least, "Account.Phone", edit=False)
    show(least, "Account.BillingAddress")
    row = least.get(f"/sobjects/Account/{account}").json()
    assert (row["Phone"], row["BillingCity"]) == ("1", "Basel")
    refused = least.patch(f"/sobjects/Account/{account}", {"Phone": "2"})
    assert least.error(refused) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    assert least.patch(f"/sobjects/Account/{account}", {"BillingCity": "Bern"}).ok
    asked = least.get("/query", params={"q": "SELECT Account.Phone FROM Contact"})
    assert least.error(asked)[1] == "INVALID_FIELD"
    show(least, "Contact.AccountId")
    (found,) = least.query(f"SELECT Account.Phone FROM Contact WHERE Id = '{contact}'")
    assert found["Account"]["Phone"] == "1"


def test_a_lookup_to_an_object_without_read_shows_nothing(least: Client) -> None:
    account = least.org.insert("Account", {"Name": "a"})
    least.org.insert("Contact", {"LastName": "c", "AccountId": account})
    grant(least, "Contact", "Read")
    show(least, "Contact.AccountId")
    assert least.query("SELECT AccountId FROM Contact")[0]["AccountId"] == account
    refused = least.get("/query", params={"q": "SELECT Account.Name FROM Contact"})
    assert least.error(refused) == (400, "INVALID_FIELD")


def test_view_all_data_reads_everything_and_writes_nothing(least: Client) -> None:
    values = {"PermissionsViewAllData": True}
    least.org.update("PermissionSet", least.permission_set, values)
    least.org.insert("Account", {"Name": "a"})
    assert [row["Name"] for row in least.query("SELECT Name FROM Account")] == ["a"]
    refused = least.post("/sobjects/Account", {"Name": "x"})
    assert least.error(refused)[1] == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"


def test_setting_up_needs_an_administrator(least: Client) -> None:
    body = {"FullName": "Account.X__c", "Metadata": {"label": "X", "type": "Date"}}
    refused = least.post("/tooling/sobjects/CustomField", body)
    assert least.error(refused) == (400, "INSUFFICIENT_ACCESS_OR_READONLY")
    permission = {"ParentId": least.permission_set, "SobjectType": "Account"}
    refused = least.post("/sobjects/ObjectPermissions", {**permission, "PermissionsRead": True})
    assert least.error(refused) == (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")


def test_a_custom_object_is_closed_to_all_but_administrators(least: Client) -> None:
    body = {"FullName": "Plan__c", "Metadata": {"label": "Plan", "pluralLabel": "Plans"}}
    assert least.admin.post("/tooling/sobjects/CustomObject", body).status_code == 201
    assert least.admin.post("/sobjects/Plan__c", {"Name": "a"}).status_code == 201
    refused = least.get("/query", params={"q": "SELECT Name FROM Plan__c"})
    assert least.error(refused) == (400, "INVALID_TYPE")
    grant(least, "Plan__c", "Read", "Create")
    assert least.query("SELECT Name FROM Plan__c")[0]["Name"] == "a"
    assert least.post("/sobjects/Plan__c", {"Name": "b"}).status_code == 201


@pytest.mark.parametrize(
    ("sobject", "values", "code"),
    [
        (
            "ObjectPermissions",
            {"SobjectType": "Account", "PermissionsEdit": True},
            "FIELD_INTEGRITY_EXCEPTION",
        ),
        (
            "ObjectPermissions",
            {"SobjectType": "User", "PermissionsRead": True},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        ),
        (
            "FieldPermissions",
            {"SobjectType": "Contact", "Field": "Contact.Nope__c", "PermissionsRead": True},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        ),
        (
            "FieldPermissions",
            {"SobjectType": "Contact", "Field": "Contact.LastName", "PermissionsRead": True},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
        ),
        (
            "FieldPermissions",
            {"SobjectType": "Contact", "Field": "Contact.Phone", "PermissionsEdit": True},
            "FIELD_INTEGRITY_EXCEPTION",
        ),
    ],
)
def test_permissions_that_cannot_be(
    least: Client, sobject: str, values: dict[str, Any], code: str
) -> None:
    refused = least.admin.post(f"/sobjects/{sobject}", {"ParentId": least.permission_set, **values})
    assert least.error(refused) == (400, code)


def test_a_permission_is_given_once(least: Client) -> None:
    grant(least, "Account", "Read")
    body = {"ParentId": least.permission_set, "SobjectType": "Account", "PermissionsRead": True}
    refused = least.admin.post("/sobjects/ObjectPermissions", body)
    assert least.error(refused) == (400, "DUPLICATE_VALUE")
