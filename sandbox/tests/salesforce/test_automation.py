from __future__ import annotations

from typing import Any

import pytest

Client = Any
FLOW = {
    "start": {"object": "Account", "triggerType": "RecordBeforeSave"},
    "assignments": [
        {
            "assignmentItems": [
                {
                    "assignToReference": "$Record.Industry",
                    "operator": "Assign",
                    "value": {"stringValue": "Media"},
                }
            ]
        }
    ],
}
AFTER = {
    "start": {"object": "Account", "triggerType": "RecordAfterSave"},
    "recordUpdates": [
        {
            "inputReference": "$Record",
            "inputAssignments": [{"field": "Seats__c", "value": {"numberValue": 3}}],
        }
    ],
}


def declare(client: Client, order: str, status: int = 200, **arguments: Any) -> None:
    answer = client.post(f"/_sandbox/org/{order}", arguments)
    assert answer.status_code == status, answer.text


def tooling(client: Client, soql: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = client.query(soql, "tooling/query")
    return rows


def test_a_flow_sets_its_literals_whoever_writes(client: Client) -> None:
    declare(client, "flow", name="Set_Industry", metadata=FLOW)
    declare(client, "flow", name="Set_Seats", metadata=AFTER)
    made = client.post("/sobjects/Account", {"Name": "Acme", "Industry": "Banking"}).json()["id"]
    row = client.org.row("Account", made)
    assert (row["Industry"], row["Seats__c"]) == ("Media", 3)
    client.org.update("Account", made, {"Industry": "Energy"})
    assert client.org.row("Account", made)["Industry"] == "Media"
    other = client.org.insert("Contact", {"LastName": "Ada"})
    assert client.org.row("Contact", other)["LastName"] == "Ada"


def test_what_a_flow_is_made_of_is_told_by_the_tooling_api(client: Client) -> None:
    declare(client, "flow", name="Set_Industry", metadata=FLOW)
    declare(client, "flow", name="Set_Seats", metadata=AFTER)
    (view,) = client.query(
        "SELECT ApiName, ActiveVersionId, TriggerType, TriggerObjectOrEventLabel "
        "FROM FlowDefinitionView WHERE ActiveVersionId != null AND "
        "TriggerType IN ('RecordBeforeSave')"
    )
    assert view["attributes"]["type"] == "FlowDefinitionView"
    assert (view["ApiName"], view["TriggerObjectOrEventLabel"]) == ("Set_Industry", "Account")
    one = f"SELECT Metadata FROM Flow WHERE Id = '{view['ActiveVersionId']}'"
    assert [row["Metadata"] for row in tooling(client, one)] == [FLOW]
    both = client.get("/tooling/query", params={"q": "SELECT Metadata FROM Flow"})
    assert client.error(both) == (400, "MALFORMED_QUERY")


def test_triggers_are_told_with_their_object(client: Client) -> None:
    declare(client, "trigger", name="Clean", sobject="account", body="trigger Clean on Account {}")
    soql = "SELECT Name, Body, EntityDefinition.QualifiedApiName FROM ApexTrigger"
    (row,) = tooling(client, f"{soql} WHERE Status = 'Active' LIMIT 5")
    assert row["EntityDefinition"]["QualifiedApiName"] == "Account"
    assert row["Body"].startswith("trigger Clean")
    assert tooling(client, f"{soql} WHERE Name = 'Other'") == []


@pytest.mark.parametrize(
    ("resource", "soql", "code"),
    [
        ("query", "SELECT Id FROM Flow", "INVALID_TYPE"),
        ("tooling/query", "SELECT Id FROM Account", "INVALID_TYPE"),
        ("tooling/query", "SELECT Nothing FROM ApexTrigger WHERE Nothing = 'x'", "INVALID_FIELD"),
        ("tooling/query", "SELECT Id FROM ApexTrigger ORDER", "MALFORMED_QUERY"),
        ("tooling/query", "SELECT Id FROM ApexTrigger WHERE Name LIKE 'a%'", "MALFORMED_QUERY"),
    ],
)
def test_other_questions_are_refused(client: Client, resource: str, soql: str, code: str) -> None:
    declare(client, "trigger", name="Clean", sobject="Account", body="")
    answer = client.get(f"/{resource}", params={"q": soql})
    assert client.error(answer) == (400, code)


def test_who_may_not_see_the_set_up_is_told_of_no_such_object(client: Client) -> None:
    user = client.post("/_sandbox/org/add-user", {"username": "least@sandbox.example"})
    assert user.status_code == 200
    token = client.post("/_sandbox/org/open-session", {"username": "least@sandbox.example"})
    headers = {"Authorization": f"Bearer {token.json()['access_token']}"}
    for resource, soql in (
        ("query", "SELECT ApiName FROM FlowDefinitionView"),
        ("tooling/query", "SELECT Name FROM ApexTrigger"),
    ):
        answer = client.get(f"/{resource}", params={"q": soql}, headers=headers)
        assert client.error(answer) == (400, "INVALID_TYPE")


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"start": {"object": "Nothing", "triggerType": "RecordBeforeSave"}},
        {**FLOW, "start": {"object": "Account", "triggerType": "Scheduled"}},
        {**AFTER, "recordUpdates": [{"object": "Contact", "inputAssignments": []}]},
    ],
)
def test_a_flow_that_the_sandbox_cannot_run_is_refused(
    client: Client, metadata: dict[str, Any]
) -> None:
    declare(client, "flow", 400, name="Other", metadata=metadata)


def test_an_object_takes_so_many_custom_fields_and_no_more(client: Client) -> None:
    soql = "SELECT Max, Remaining FROM EntityLimit WHERE EntityDefinition.QualifiedApiName = "
    (before,) = tooling(client, f"{soql}'Lead' AND Type = 'CustomFields'")
    settings = client.sandbox.org_settings
    former = settings.custom_fields_per_object
    settings.custom_fields_per_object = before["Max"] - before["Remaining"] + 1
    metadata = {"label": "One", "type": "Checkbox", "defaultValue": "false"}
    try:
        for status, name in ((201, "One__c"), (400, "Two__c")):
            body = {"FullName": f"Lead.{name}", "Metadata": metadata}
            answer = client.post("/tooling/sobjects/CustomField", body)
            assert answer.status_code == status, answer.text
        assert client.error(answer) == (400, "LIMIT_EXCEEDED")
        (after,) = tooling(client, f"{soql}'Lead'")
        assert after["Remaining"] == 0
    finally:
        settings.custom_fields_per_object = former
