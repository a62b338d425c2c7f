from __future__ import annotations

from typing import Any

Client = Any


TYPE = {"attributes": {"type": "Account"}}


def test_rows_succeed_and_fail_on_their_own_in_order(client: Client) -> None:
    answer = client.post(
        "/composite/sobjects",
        {"records": [{**TYPE, "Name": "a"}, {**TYPE}, {**TYPE, "Nope": 1}, {**TYPE, "Name": "d"}]},
    ).json()
    assert [row["success"] for row in answer] == [True, False, False, True]
    assert answer[1]["errors"][0] == {
        "statusCode": "REQUIRED_FIELD_MISSING",
        "message": "Required fields are missing: [Name]",
        "fields": ["Name"],
    }
    assert answer[2]["errors"][0]["statusCode"] == "INVALID_FIELD"
    assert len(client.query("SELECT Id FROM Account")) == 2


def test_all_or_none_rolls_back_the_good_rows(client: Client) -> None:
    body = {"allOrNone": True, "records": [{**TYPE, "Name": "a"}, {**TYPE}]}
    answer = client.post("/composite/sobjects", body).json()
    assert answer[0]["errors"][0]["statusCode"] == "ALL_OR_NONE_OPERATION_ROLLED_BACK"
    assert answer[1]["errors"][0]["statusCode"] == "REQUIRED_FIELD_MISSING"
    assert client.query("SELECT Id FROM Account") == []


def test_updates(client: Client) -> None:
    one, two, gone = (client.org.insert("Account", {"Name": n}) for n in "abc")
    client.org.delete("Account", gone)
    client.org.lock_row(two)
    rows = [{**TYPE, "id": i, "Phone": "1"} for i in (one, two, gone, "001Dn0000099999")]
    answer = client.patch("/composite/sobjects", {"records": rows}).json()
    codes = [row["errors"][0]["statusCode"] if row["errors"] else None for row in answer]
    assert codes == [
        None,
        "UNABLE_TO_LOCK_ROW",
        "ENTITY_IS_DELETED",
        "INVALID_CROSS_REFERENCE_KEY",
    ]
    again = client.patch("/composite/sobjects", {"records": [{**TYPE, "id": two, "Phone": "1"}]})
    assert again.json()[0]["success"] is True
    twice = client.patch("/composite/sobjects", {"records": [rows[0], rows[0]]}).json()
    assert [row["success"] for row in twice] == [False, False]


def test_upserts_with_a_parent_by_external_id(client: Client) -> None:
    client.org.insert("Account", {"Name": "a", "Customer_Number__c": "C1"})

    def row(key: str, **more: Any) -> dict[str, Any]:
        return {"attributes": {"type": "Contact"}, "Sweo_Id__c": key, **more}

    rows = [
        row("s1", LastName="x", Account={"Customer_Number__c": "C1"}),
        row("s2", LastName="y", Account={"Customer_Number__c": "none"}),
        row("", LastName="z"),
    ]
    path = "/composite/sobjects/Contact/Sweo_Id__c"
    answer = client.patch(path, {"records": rows}).json()
    assert (answer[0]["success"], answer[0]["created"]) == (True, True)
    assert answer[1]["errors"][0]["message"].startswith("Foreign key external ID: none not found")
    assert answer[2]["errors"][0]["statusCode"] == "MISSING_ARGUMENT"
    assert client.query("SELECT Account.Name FROM Contact")[0]["Account"]["Name"] == "a"
    again = client.patch(path, {"records": rows[:1]}).json()
    assert again == [{"id": answer[0]["id"], "success": True, "errors": [], "created": False}]
    twice = client.patch(path, {"records": [row("s9", LastName="x"), row("S9", LastName="x")]})
    assert [each["success"] for each in twice.json()] == [False, False]


def test_retrieve_keeps_the_order_and_puts_null_for_what_is_not_there(client: Client) -> None:
    one, two, gone = (client.org.insert("Account", {"Name": n}) for n in "abc")
    client.org.delete("Account", gone)
    client.sandbox.reset_calls()
    body = {"ids": [two[:15], gone, one, "001Dn0000099999"], "fields": ["name", "Owner.Name"]}
    answer = client.post("/composite/sobjects/Account", body).json()
    assert [row and row["Name"] for row in answer] == ["b", None, "a", None]
    assert answer[0]["Owner"]["Name"] == "Ada Admin"
    assert client.sandbox.calls("salesforce")["reads"] == 1
    unreadable = client.post("/composite/sobjects/Account", {"ids": [one], "fields": ["Nope"]})
    assert client.error(unreadable) == (400, "INVALID_FIELD")
    many = {"ids": [one] * 2001, "fields": ["Id"]}
    assert client.error(client.post("/composite/sobjects/Account", many)) == (
        400,
        "EXCEEDED_ID_LIMIT",
    )


def test_deletes_and_limits(client: Client) -> None:
    one = client.org.insert("Account", {"Name": "a"})
    answer = client.call("DELETE", "/composite/sobjects", params={"ids": f"{one},nonsense"}).json()
    assert [row["success"] for row in answer] == [True, False]
    rows = [{**TYPE, "Name": str(i)} for i in range(201)]
    refused = client.post("/composite/sobjects", {"records": rows})
    assert client.error(refused) == (400, "EXCEEDED_ID_LIMIT")
    contact = {"attributes": {"type": "Contact"}, "LastName": "x"}
    mixed = [TYPE | {"Name": "x"} if i % 2 else contact for i in range(12)]
    assert client.post("/composite/sobjects", {"records": mixed}).status_code == 400


def test_faults_of_the_desk_reach_the_rows(client: Client) -> None:
    client.sandbox.fault("salesforce", "partial_success", endpoint="*/composite/sobjects", times=1)
    rows = {"records": [{**TYPE, "Name": str(i)} for i in range(4)]}
    answer = client.post("/composite/sobjects", rows).json()
    assert [row["success"] for row in answer] == [True, False, True, False]
    assert all(row["success"] for row in client.post("/composite/sobjects", rows).json())
    client.sandbox.fault("salesforce", "REQUEST_LIMIT_EXCEEDED", times=1)
    assert client.error(client.get("/limits")) == (403, "REQUEST_LIMIT_EXCEEDED")
