"""Tasks and events as an integration writes them: by a key of their own, about a person."""

from __future__ import annotations

from typing import Any

import pytest

Client = Any
KEY = "Sweo_Event_Key__c"


@pytest.fixture
def keyed(client: Client) -> Client:
    metadata = {"label": "Key", "type": "Text", "length": 64, "externalId": True, "unique": True}
    field = {"FullName": f"Activity.{KEY}", "Metadata": metadata}
    assert client.post("/tooling/sobjects/CustomField", field).status_code == 201
    for sobject in ("Task", "Event"):
        permission = {
            "ParentId": client.org.store.meta("permission_set_id"),
            "SobjectType": sobject,
            "Field": f"{sobject}.{KEY}",
            "PermissionsRead": True,
            "PermissionsEdit": True,
        }
        assert client.post("/sobjects/FieldPermissions", permission).status_code == 201
    return client


def test_task_statuses_say_which_are_closed(client: Client) -> None:
    soql = (
        "SELECT MasterLabel, ApiName, IsClosed, IsDefault, SortOrder FROM TaskStatus "
        "ORDER BY SortOrder"
    )
    rows = client.query(soql)
    assert [row["MasterLabel"] for row in rows if row["IsClosed"]] == ["Completed"]
    assert [row["ApiName"] for row in rows if row["IsDefault"]] == ["Not Started"]
    assert [row["SortOrder"] for row in rows] == [1, 2, 3, 4, 5]
    refused = client.post("/sobjects/TaskStatus", {"MasterLabel": "x"})
    assert client.error(refused) == (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")


def test_a_status_of_the_orgs_own_closes_a_task(client: Client) -> None:
    values = {"MasterLabel": "Erledigt", "ApiName": "Erledigt", "IsClosed": True, "SortOrder": 6}
    client.org.insert("TaskStatus", values)
    described = client.get("/sobjects/Task/describe").json()["fields"]
    status = next(each for each in described if each["name"] == "Status")
    assert status["picklistValues"][-1]["value"] == "Erledigt"
    made = client.post("/sobjects/Task", {"Subject": "s", "Status": "Erledigt"}).json()["id"]
    assert client.org.row("Task", made)["IsClosed"] == 1


def test_other_statuses_are_records_too(client: Client) -> None:
    closed = client.query("SELECT ApiName FROM CaseStatus WHERE IsClosed = true")
    assert [row["ApiName"] for row in closed] == ["Closed"]
    converted = client.query("SELECT ApiName FROM LeadStatus WHERE IsConverted = true")
    assert [row["ApiName"] for row in converted] == ["Closed - Converted"]
    won = client.query(
        "SELECT ApiName, DefaultProbability FROM OpportunityStage WHERE IsWon = true"
    )
    assert (won[0]["ApiName"], won[0]["DefaultProbability"]) == ("Closed Won", 100.0)


def test_a_task_is_upserted_by_a_key_that_lives_on_activity(keyed: Client) -> None:
    contact = keyed.org.insert("Contact", {"LastName": "c"})
    body = {"Subject": "signed-in", "WhoId": contact, "Status": "Completed"}
    made = keyed.patch(f"/sobjects/Task/{KEY}/e1", body)
    assert (made.status_code, made.json()["created"]) == (201, True)
    again = keyed.patch(f"/sobjects/Task/{KEY}/e1", body)
    assert (again.status_code, again.json()["created"]) == (200, False)
    assert again.json()["id"] == made.json()["id"]
    records = [{"attributes": {"type": "Task"}, KEY: key, **body} for key in ("e1", "e2", "e3")]
    answer = keyed.patch(f"/composite/sobjects/Task/{KEY}", {"records": records})
    assert [row["created"] for row in answer.json()] == [False, True, True]
    assert keyed.query("SELECT COUNT(Id) n FROM Task")[0]["n"] == 3
    taken = keyed.post("/sobjects/Task", {**body, KEY: "e1"})
    assert keyed.error(taken) == (400, "DUPLICATE_VALUE")
    event = {"Subject": "e", "ActivityDateTime": "2026-01-01T10:00:00Z", "DurationInMinutes": 5}
    assert keyed.patch(f"/sobjects/Event/{KEY}/e1", event).status_code == 201


def test_who_and_what_may_be_of_several_types(client: Client) -> None:
    account = client.org.insert("Account", {"Name": "Acme"})
    contact = client.org.insert("Contact", {"LastName": "Con", "AccountId": account})
    lead = client.org.insert("Lead", {"LastName": "Lea", "Company": "L"})
    for who, what in ((contact, account), (lead, None)):
        body = {"Subject": "s", "WhoId": who, "WhatId": what}
        assert client.post("/sobjects/Task", body).status_code == 201
    rows = client.query(
        "SELECT Who.Type, Who.Name, What.Type, AccountId FROM Task ORDER BY Who.Type"
    )
    assert [(row["Who"]["Type"], row["Who"]["Name"]) for row in rows] == [
        ("Contact", "Con"),
        ("Lead", "Lea"),
    ]
    assert [row["AccountId"] for row in rows] == [account, None]
    refused = client.post("/sobjects/Task", {"WhoId": lead, "WhatId": account})
    assert client.error(refused) == (400, "FIELD_INTEGRITY_EXCEPTION")
    wrong = client.post("/sobjects/Task", {"WhoId": account})
    assert client.error(wrong) == (400, "MALFORMED_ID")


def test_an_activity_about_a_contact_moves_its_account_too(client: Client) -> None:
    account = client.org.insert("Account", {"Name": "Acme"})
    contact = client.org.insert("Contact", {"LastName": "Con", "AccountId": account})
    before = client.org.row("Account", account)
    client.sandbox.clock_salesforce.advance(60)
    body = {"Subject": "s", "WhoId": contact, "ActivityDate": "2031-01-01", "Status": "Completed"}
    assert client.post("/sobjects/Task", body).status_code == 201
    after = client.org.row("Account", account)
    assert after["LastActivityDate"] == "2031-01-01"
    assert after["SystemModstamp"] > before["SystemModstamp"]
    assert after["LastModifiedDate"] == before["LastModifiedDate"]
