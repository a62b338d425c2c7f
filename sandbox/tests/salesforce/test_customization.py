"""Objects and fields made through the Tooling API, used from end to end."""

from __future__ import annotations

import base64
import csv
import io
from typing import Any

import pytest

Client = Any


def make_field(client: Client, full_name: str, **metadata: Any) -> str:
    body = {"FullName": full_name, "Metadata": {"label": full_name.partition(".")[2], **metadata}}
    answer = client.post("/tooling/sobjects/CustomField", body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


def show(client: Client, sobject: str, *names: str) -> None:
    for name in names:
        permission = {
            "ParentId": client.org.store.meta("permission_set_id"),
            "SobjectType": sobject,
            "Field": f"{sobject}.{name}",
            "PermissionsRead": True,
            "PermissionsEdit": True,
        }
        answer = client.post("/sobjects/FieldPermissions", permission)
        assert answer.status_code == 201, answer.text


def make_object(client: Client, name: str, **metadata: Any) -> None:
    body = {"FullName": name, "Metadata": {"label": name, "pluralLabel": f"{name}s", **metadata}}
    assert client.post("/tooling/sobjects/CustomObject", body).status_code == 201


@pytest.fixture
def subscriptions(client: Client) -> Client:
    """An object as a customer would make it: a key, a lookup, an amount, a choice, a formula."""
    make_object(client, "Subscription__c", enableActivities=True)
    make_field(
        client, "Subscription__c.Key__c", type="Text", length=40, externalId=True, unique=True
    )
    make_field(
        client,
        "Subscription__c.Account__c",
        type="Lookup",
        referenceTo="Account",
        relationshipName="Subscriptions",
    )
    make_field(client, "Subscription__c.Amount__c", type="Currency", precision=16, scale=2)
    make_field(client, "Subscription__c.Ends__c", type="Date")
    make_field(
        client,
        "Subscription__c.Title__c",
        type="Text",
        formula='Account__r.Name & ": " & Name',
    )
    show(client, "Subscription__c", "Key__c", "Account__c", "Amount__c", "Ends__c", "Title__c")
    return client


def test_rows_of_a_custom_object_are_read_and_written_like_any(subscriptions: Client) -> None:
    client = subscriptions
    account = client.org.insert("Account", {"Name": "Acme", "Customer_Number__c": "7"})
    body = {"Name": "Gold", "Account__r": {"Customer_Number__c": "7"}, "Amount__c": 12.5}
    made = client.patch("/sobjects/Subscription__c/Key__c/k1", body)
    assert made.status_code == 201, made.text
    again = client.patch("/sobjects/subscription__C/key__c/k1", {"Ends__c": "2027-01-31"})
    assert (again.status_code, again.json()["id"]) == (200, made.json()["id"])
    (row,) = client.query(
        "SELECT Name, Key__c, Amount__c, Ends__c, Title__c, Account__r.Name, Owner.Name "
        "FROM Subscription__c WHERE Account__c != null AND Title__c LIKE 'acme%'"
    )
    assert (row["Amount__c"], row["Ends__c"], row["Title__c"]) == (12.5, "2027-01-31", "Acme: Gold")
    assert row["Account__r"]["Name"] == "Acme"
    (parent,) = client.query("SELECT Name, (SELECT Key__c FROM Subscriptions__r) FROM Account")
    assert [each["Key__c"] for each in parent["Subscriptions__r"]["records"]] == ["k1"]
    refused = client.patch("/sobjects/Subscription__c/Key__c/k1", {"Title__c": "x"})
    assert client.error(refused) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    assert client.org.rows("Subscription__c", Account__c=account)


def test_a_formula_does_not_move_the_stamp(subscriptions: Client) -> None:
    client = subscriptions
    account = client.org.insert("Account", {"Name": "Acme"})
    row = client.org.insert("Subscription__c", {"Name": "Gold", "Account__c": account})
    before = client.org.row("Subscription__c", row)
    client.sandbox.clock_salesforce.advance(60)
    client.org.update("Account", account, {"Name": "Beta"})
    assert client.org.row("Subscription__c", row) == before
    assert client.query("SELECT Title__c FROM Subscription__c")[0]["Title__c"] == "Beta: Gold"


def test_bulk_and_collections_know_a_custom_object(subscriptions: Client) -> None:
    client = subscriptions
    order = {"object": "Subscription__c", "operation": "upsert", "externalIdFieldName": "Key__c"}
    job = client.post("/jobs/ingest", order).json()["id"]
    rows = "Name,Key__c,Amount__c\n" + "".join(f"n{i},k{i},{i}.5\n" for i in range(5))
    headers = {"Content-Type": "text/csv"}
    assert client.call("PUT", f"/jobs/ingest/{job}/batches", data=rows, headers=headers).ok
    assert client.patch(f"/jobs/ingest/{job}", {"state": "UploadComplete"}).ok
    done = client.get(f"/jobs/ingest/{job}").json()
    assert (done["state"], done["numberRecordsFailed"]) == ("JobComplete", 0)
    soql = "SELECT Id, Key__c, Amount__c FROM Subscription__c"
    query = client.post("/jobs/query", {"operation": "query", "query": soql}).json()["id"]
    text = client.get(f"/jobs/query/{query}/results").text
    read = list(csv.DictReader(io.StringIO(text)))
    assert {row["Key__c"]: row["Amount__c"] for row in read} == {
        f"k{i}": f"{i}.5" for i in range(5)
    }
    records = [
        {"attributes": {"type": "Subscription__c"}, "id": row["Id"], "Name": "x"} for row in read
    ]
    changed = client.patch("/composite/sobjects", {"records": records}).json()
    assert all(each["success"] for each in changed)
    ids = [row["Id"] for row in read]
    seen = client.post("/composite/sobjects/Subscription__c", {"ids": ids, "fields": ["Name"]})
    assert {row["Name"] for row in seen.json()} == {"x"}
    assert client.call("DELETE", "/composite/sobjects", params={"ids": ",".join(ids)}).ok
    assert client.query("SELECT Id FROM Subscription__c") == []
    assert len(client.query("SELECT Id FROM Subscription__c", "queryAll")) == 5


def test_tasks_may_be_about_an_object_with_activities(subscriptions: Client) -> None:
    client = subscriptions
    row = client.org.insert("Subscription__c", {"Name": "Gold"})
    body = {"Subject": "s", "WhatId": row, "Status": "Completed", "ActivityDate": "2031-01-01"}
    assert client.post("/sobjects/Task", body).status_code == 201
    (task,) = client.query("SELECT What.Type, What.Name FROM Task")
    assert (task["What"]["Type"], task["What"]["Name"]) == ("Subscription__c", "Gold")
    assert client.org.row("Subscription__c", row)["LastActivityDate"] == "2031-01-01"


def test_numbers_count_by_themselves(client: Client) -> None:
    number = {"type": "AutoNumber", "label": "No.", "displayFormat": "S-{0000}"}
    make_object(client, "Invoice__c", nameField={**number, "startingNumber": 5})
    for _ in range(2):
        assert client.post("/sobjects/Invoice__c", {}).status_code == 201
    assert {row["Name"] for row in client.query("SELECT Name FROM Invoice__c")} == {
        "S-0005",
        "S-0006",
    }
    refused = client.post("/sobjects/Invoice__c", {"Name": "mine"})
    assert client.error(refused) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")


def test_details_need_a_master_and_go_with_it(client: Client) -> None:
    make_object(client, "Seat__c")
    make_field(
        client,
        "Seat__c.Account__c",
        type="MasterDetail",
        referenceTo="Account",
        relationshipName="Seats",
    )
    account = client.org.insert("Account", {"Name": "Acme"})
    refused = client.post("/sobjects/Seat__c", {"Name": "1"})
    assert client.error(refused) == (400, "REQUIRED_FIELD_MISSING")
    made = client.post("/sobjects/Seat__c", {"Name": "1", "Account__c": account})
    assert made.status_code == 201, made.text
    moved = client.patch(f"/sobjects/Seat__c/{made.json()['id']}", {"Account__c": account})
    assert client.error(moved) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")
    assert client.call("DELETE", f"/sobjects/Account/{account}").ok
    assert client.query("SELECT Id FROM Seat__c") == []


def test_fields_of_opportunity_and_case_are_made_the_same_way(client: Client) -> None:
    account = client.org.insert("Account", {"Name": "Acme"})
    for sobject, body in (
        ("Opportunity", {"Name": "o", "StageName": "Prospecting", "CloseDate": "2030-01-01"}),
        ("Case", {"Subject": "s"}),
    ):
        make_field(
            client, f"{sobject}.Sweo_Key__c", type="Text", length=20, externalId=True, unique=True
        )
        make_field(client, f"{sobject}.Score__c", type="Number", precision=5, scale=1)
        show(client, sobject, "Sweo_Key__c", "Score__c")
        values = {**body, "AccountId": account, "Score__c": 4.25}
        made = client.patch(f"/sobjects/{sobject}/Sweo_Key__c/a", values)
        assert made.status_code == 201, made.text
        (row,) = client.query(f"SELECT Score__c, Account.Name FROM {sobject}")
        assert (row["Score__c"], row["Account"]["Name"]) == (4.3, "Acme")


def test_a_required_field_needs_no_permission(client: Client) -> None:
    make_field(client, "Case.Area__c", type="Text", length=10, required=True)
    refused = client.post("/sobjects/Case", {"Subject": "s"})
    assert client.error(refused) == (400, "REQUIRED_FIELD_MISSING")
    assert client.post("/sobjects/Case", {"Subject": "s", "Area__c": "a"}).status_code == 201


def test_a_dependent_picklist_tells_which_values_go_with_which(client: Client) -> None:
    client.org.insert("Contact", {"LastName": "x"})
    values = [{"fullName": name, "label": name} for name in ("Basic", "Plus")]
    settings = [
        {"controllingFieldValue": ["Admin", "Viewer"], "valueName": "Basic"},
        {"controllingFieldValue": ["Member"], "valueName": "Plus"},
    ]
    value_set = {
        "controllingField": "Product_Role__c",
        "restricted": True,
        "valueSetDefinition": {"sorted": False, "value": values},
        "valueSettings": settings,
    }
    make_field(client, "Contact.Tier__c", type="Picklist", valueSet=value_set)
    show(client, "Contact", "Tier__c")
    described = client.get("/sobjects/Contact/describe").json()["fields"]
    field = next(each for each in described if each["name"] == "Tier__c")
    assert (field["dependentPicklist"], field["controllerName"]) == (True, "Product_Role__c")
    bits = {
        each["value"]: base64.b64decode(each["validFor"])[0] for each in field["picklistValues"]
    }
    assert bits == {"Basic": 0b10100000, "Plus": 0b01000000}
    # REST saves a combination that the browser would not offer.
    mixed = {"LastName": "x", "Product_Role__c": "Admin", "Tier__c": "Plus"}
    assert client.post("/sobjects/Contact", mixed).status_code == 201
    refused = client.post("/sobjects/Contact", {"LastName": "x", "Tier__c": "Gold"})
    assert client.error(refused) == (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")


def test_a_field_is_changed_and_taken_away(client: Client) -> None:
    field_id = make_field(client, "Contact.Note__c", type="Text", length=5)
    show(client, "Contact", "Note__c")
    contact = client.org.insert("Contact", {"LastName": "x", "Note__c": "abcde"})
    wider = {"Metadata": {"label": "Note", "type": "Text", "length": 50}}
    assert client.patch(f"/tooling/sobjects/CustomField/{field_id}", wider).status_code == 204
    assert client.patch(f"/sobjects/Contact/{contact}", {"Note__c": "longer now"}).ok
    other = {"Metadata": {"label": "Note", "type": "Date"}}
    refused = client.patch(f"/tooling/sobjects/CustomField/{field_id}", other)
    assert client.error(refused) == (400, "FIELD_INTEGRITY_EXCEPTION")
    assert client.call("DELETE", f"/tooling/sobjects/CustomField/{field_id}").status_code == 204
    gone = client.get("/query", params={"q": "SELECT Note__c FROM Contact"})
    assert client.error(gone) == (400, "INVALID_FIELD")
    make_field(client, "Contact.Note__c", type="Text", length=5)
    show(client, "Contact", "Note__c")
    assert client.query("SELECT Note__c FROM Contact")[0]["Note__c"] is None


@pytest.mark.parametrize(
    "metadata",
    [
        {"type": "Text", "formula": "IF(1, 2)"},
        {"type": "Text", "formula": 'Nope__c & "a"'},
        {"type": "Number", "precision": 5, "scale": 0, "formula": "Name & Fax"},
        {"type": "AutoNumber", "displayFormat": "A"},
        {"type": "Text", "length": 300},
        {"type": "Text", "length": 5, "lenght": 6},
        {"type": "Lookup", "referenceTo": "Nope", "relationshipName": "x"},
        {"type": "Summary"},
    ],
)
def test_what_cannot_be_made_is_refused(client: Client, metadata: dict[str, Any]) -> None:
    body = {"FullName": "Account.X__c", "Metadata": {"label": "X", **metadata}}
    assert client.post("/tooling/sobjects/CustomField", body).status_code == 400
    assert client.org.schema.sobject("Account").field_named("X__c") is None
