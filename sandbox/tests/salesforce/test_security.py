from __future__ import annotations

from typing import Any

Client = Any
FIELD = {
    "FullName": "Contact.Tier__c",
    "Metadata": {"label": "Tier", "type": "Text", "length": 20, "externalId": True, "unique": True},
}


def names(client: Client, sobject: str) -> dict[str, Any]:
    fields = client.get(f"/sobjects/{sobject}/describe").json()["fields"]
    return {each["name"]: each for each in fields}


def test_a_new_field_is_invisible_until_a_permission_set_shows_it(client: Client) -> None:
    contact = client.org.insert("Contact", {"LastName": "x"})
    assert client.post("/tooling/sobjects/CustomField", FIELD).status_code == 201
    assert "Tier__c" not in names(client, "Contact")
    hidden = client.get("/query", params={"q": "SELECT Tier__c FROM Contact"})
    assert client.error(hidden) == (400, "INVALID_FIELD")
    refused = client.patch(f"/sobjects/Contact/{contact}", {"Tier__c": "a"})
    assert client.error(refused) == (400, "INVALID_FIELD")
    permission = {
        "ParentId": client.org.store.meta("permission_set_id"),
        "SobjectType": "Contact",
        "Field": "Contact.Tier__c",
        "PermissionsRead": True,
        "PermissionsEdit": False,
    }
    made = client.post("/sobjects/FieldPermissions", permission)
    assert made.status_code == 201
    seen = names(client, "Contact")["Tier__c"]
    assert (seen["updateable"], seen["externalId"], seen["length"]) == (False, True, 20)
    refused = client.patch(f"/sobjects/Contact/{contact}", {"Tier__c": "a"})
    assert client.error(refused) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    edit = {"PermissionsEdit": True}
    assert client.patch(f"/sobjects/FieldPermissions/{made.json()['id']}", edit).status_code == 204
    assert client.patch(f"/sobjects/Contact/{contact}", {"Tier__c": "a"}).status_code == 204
    assert client.query("SELECT Tier__c FROM Contact")[0]["Tier__c"] == "a"
    again = client.post("/tooling/sobjects/CustomField", FIELD)
    assert client.error(again) == (400, "DUPLICATE_DEVELOPER_NAME")


def test_a_field_can_be_hidden_and_shown_again(client: Client) -> None:
    client.org.insert("Account", {"Name": "x", "Industry": "Energy"})
    client.org.hide_field("Account", "industry")
    assert "Industry" not in names(client, "Account")
    client.org.hide_field("Account", "Industry", hidden=False)
    assert client.query("SELECT Industry FROM Account")[0]["Industry"] == "Energy"


def test_activity_fields_live_on_both_activities(client: Client) -> None:
    body = {"FullName": "Activity.Score__c", "Metadata": {"label": "S", "type": "Checkbox"}}
    assert client.post("/tooling/sobjects/CustomField", body).status_code == 201
    for sobject in ("Task", "Event"):
        assert client.org.schema.sobject(sobject).field_named("Score__c")
    body["FullName"] = "Task.Other__c"
    assert client.post("/tooling/sobjects/CustomField", body).status_code == 400


def test_a_custom_object_can_be_made_and_filled(client: Client) -> None:
    body = {"FullName": "Plan__c", "Metadata": {"label": "Plan", "pluralLabel": "Plans"}}
    assert client.post("/tooling/sobjects/CustomObject", body).status_code == 201
    lookup = {"label": "A", "type": "Lookup", "referenceTo": "Account", "relationshipName": "Plans"}
    field = {"FullName": "Plan__c.Account__c", "Metadata": lookup}
    assert client.post("/tooling/sobjects/CustomField", field).status_code == 201
    client.org.insert(
        "FieldPermissions",
        {
            "ParentId": client.org.store.meta("permission_set_id"),
            "SobjectType": "Plan__c",
            "Field": "Plan__c.Account__c",
            "PermissionsRead": True,
            "PermissionsEdit": True,
        },
    )
    account = client.org.insert("Account", {"Name": "acme"})
    made = client.post("/sobjects/Plan__c", {"Name": "gold", "Account__c": account})
    assert made.status_code == 201, made.text
    assert "Plan__c" in {each["name"] for each in client.get("/sobjects").json()["sobjects"]}


def test_a_describe_is_answered_only_if_it_changed(client: Client) -> None:
    first = client.get("/sobjects/Account/describe")
    since = {"If-Modified-Since": first.headers["Last-Modified"]}
    assert client.get("/sobjects/Account/describe", headers=since).status_code == 304
    client.sandbox.clock_salesforce.advance(10)
    body = {"FullName": "Account.N__c", "Metadata": {"label": "N", "type": "Date"}}
    assert client.post("/tooling/sobjects/CustomField", body).status_code == 201
    assert client.get("/sobjects/Account/describe", headers=since).status_code == 200


def test_declared_rules_refuse_records(client: Client) -> None:
    order = {"sobject": "Account", "field": "Phone", "pattern": "^0", "message": "No zeros."}
    assert client.post("/_sandbox/org/validation-rule", order).status_code == 200
    refused = client.post("/sobjects/Account", {"Name": "x", "Phone": "01"})
    assert refused.json()[0]["errorCode"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    assert refused.json()[0]["message"] == "No zeros."
    rule = {"sobject": "Contact", "fields": ["Email"]}
    assert client.post("/_sandbox/org/duplicate-rule", rule).status_code == 200
    body = {"LastName": "x", "Email": "a@b.co"}
    assert client.post("/sobjects/Contact", body).status_code == 201
    duplicate = client.post("/sobjects/Contact", body)
    assert duplicate.json()[0]["errorCode"] == "DUPLICATES_DETECTED"
    assert duplicate.json()[0]["duplicateResult"]["matchResults"][0]["size"] == 1
    allowed = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    assert client.post("/sobjects/Contact", body, headers=allowed).status_code == 201
