from __future__ import annotations

from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from typing import Any

import pytest

Client = Any


def http_date(milliseconds: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=milliseconds)
    return format_datetime(moment, usegmt=True)


def test_create_read_update_delete(client: Client) -> None:
    created = client.post("/sobjects/account/", {"name": " Acme ", "customer_number__c": "C1"})
    assert created.status_code == 201
    record_id = created.json()["id"]
    assert created.json() == {"id": record_id, "success": True, "errors": []}
    read = client.get(f"/sobjects/Account/{record_id[:15]}").json()
    assert (read["Name"], read["Customer_Number__c"], read["Id"]) == ("Acme", "C1", record_id)
    assert read["CreatedById"] == client.org.integration_user_id
    assert read["SystemModstamp"] == read["LastModifiedDate"]
    client.sandbox.clock_salesforce.advance(60)
    changed = client.patch(f"/sobjects/Account/{record_id}", {"Phone": "1", "Name": "B"})
    assert (changed.status_code, changed.content) == (204, b"")
    assert (
        client.get(f"/sobjects/Account/{record_id}").json()["LastModifiedDate"]
        > (read["LastModifiedDate"])
    )
    assert client.call("DELETE", f"/sobjects/Account/{record_id}").status_code == 204
    gone = client.get(f"/sobjects/Account/{record_id}")
    assert client.error(gone) == (404, "ENTITY_IS_DELETED")
    assert client.error(client.get("/sobjects/Account/001Dn0000009999")) == (404, "NOT_FOUND")


def test_every_answer_says_how_many_calls_are_used(client: Client) -> None:
    first = client.get("/limits").headers["Sforce-Limit-Info"]
    failed = client.get("/sobjects/Nope/describe").headers["Sforce-Limit-Info"]
    assert (first, failed) == ("api-usage=1/100000", "api-usage=2/100000")
    client.org.settings.daily_calls = 2
    assert client.error(client.get("/limits")) == (403, "REQUEST_LIMIT_EXCEEDED")


@pytest.mark.parametrize(
    ("sobject", "body", "code", "fields"),
    [
        ("Account", {}, "REQUIRED_FIELD_MISSING", ["Name"]),
        ("Lead", {"LastName": "x"}, "REQUIRED_FIELD_MISSING", ["Company"]),
        ("Account", {"Name": "x", "Nope": 1}, "INVALID_FIELD", None),
        ("Contact", {"LastName": "x", "Name": "y"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["Name"]),
        (
            "Account",
            {"Name": "x", "SystemModstamp": "2026-01-01T00:00:00Z"},
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            ["SystemModstamp"],
        ),
        (
            "Contact",
            {"LastName": "x", "AccountId": "003Dn0000000001"},
            "MALFORMED_ID",
            ["AccountId"],
        ),
        (
            "Contact",
            {"LastName": "x", "AccountId": "001Dn0000099999"},
            "INVALID_CROSS_REFERENCE_KEY",
            ["AccountId"],
        ),
    ],
)
def test_a_bad_row_is_refused(
    client: Client, sobject: str, body: dict[str, Any], code: str, fields: list[str] | None
) -> None:
    answer = client.post(f"/sobjects/{sobject}", body)
    assert client.error(answer) == (400, code)
    assert answer.json()[0].get("fields") == fields
    assert client.query(f"SELECT Id FROM {sobject}") == []


def test_a_unique_value_is_held_once(client: Client) -> None:
    first = client.post("/sobjects/Account", {"Name": "a", "Customer_Number__c": "k"}).json()["id"]
    second = client.post("/sobjects/Account", {"Name": "b", "Customer_Number__c": "K"})
    assert client.error(second) == (400, "DUPLICATE_VALUE")
    message = "duplicate value found: Customer_Number__c duplicates value on record with id: "
    assert second.json()[0]["message"] == message + first[:15]


def test_upsert_by_external_id(client: Client) -> None:
    path = "/sobjects/Account/Customer_Number__c/C%2F1"
    made = client.patch(path, {"Name": "a"})
    assert (made.status_code, made.json()["created"]) == (201, True)
    again = client.patch(path, {"Name": "b"})
    assert (again.status_code, again.json()["created"]) == (200, False)
    assert again.json()["id"] == made.json()["id"]
    assert client.get(path).json()["Name"] == "b"
    old = client.call("PATCH", f"/services/data/v45.0{path}", json={"Name": "c"})
    assert old.status_code == 204
    missing = client.patch(
        "/sobjects/Account/Customer_Number__c/none?updateOnly=true", {"Name": "x"}
    )
    assert client.error(missing) == (404, "NOT_FOUND")
    assert client.error(client.patch("/sobjects/Account/Phone/1", {"Name": "x"}))[0] == 404


def test_an_ambiguous_key_is_answered_with_the_choices(client: Client) -> None:
    made = [
        client.org.insert("Contact", {"LastName": name, "Email": "a@b.co"}) for name in ("x", "y")
    ]
    answer = client.patch("/sobjects/Contact/Email/A@b.co", {"LastName": "z"})
    assert answer.status_code == 300
    assert answer.json() == [f"/services/data/v62.0/sobjects/Contact/{each}" for each in made]


def test_a_conditional_update_refuses_a_stale_reader(client: Client) -> None:
    record_id = client.org.insert("Account", {"Name": "a"})
    seen = client.org.row("Account", record_id)["LastModifiedDate"]  # type: ignore[index]
    client.sandbox.clock_salesforce.advance(5)
    client.org.update("Account", record_id, {"Phone": "1"})
    headers = {"If-Unmodified-Since": http_date(seen)}
    refused = client.patch(f"/sobjects/Account/{record_id}", {"Fax": "2"}, headers=headers)
    assert refused.status_code == 412
    headers = {"If-Unmodified-Since": http_date(seen + 5000)}
    assert client.patch(f"/sobjects/Account/{record_id}", {"Fax": "2"}, headers=headers).ok
    read = client.get(f"/sobjects/Account/{record_id}")
    since = {"If-Modified-Since": read.headers["Last-Modified"]}
    assert client.get(f"/sobjects/Account/{record_id}", headers=since).status_code == 304
    tag = read.headers["ETag"]
    assert client.patch(
        f"/sobjects/Account/{record_id}", {"Fax": "3"}, headers={"If-Match": tag}
    ).ok
    client.sandbox.clock_salesforce.advance(5)
    client.org.update("Account", record_id, {"Phone": "3"})
    stale = client.patch(f"/sobjects/Account/{record_id}", {"Fax": "4"}, headers={"If-Match": tag})
    assert stale.status_code == 412


def test_an_activity_moves_its_parents_stamp_but_not_their_modification(client: Client) -> None:
    account = client.org.insert("Account", {"Name": "a"})
    contact = client.org.insert("Contact", {"LastName": "c", "AccountId": account})
    before = client.org.row("Contact", contact)
    client.sandbox.clock_salesforce.advance(60)
    body = {"Subject": "Call", "WhoId": contact, "ActivityDate": "2031-01-01"}
    opened = client.post("/sobjects/Task", body)
    assert opened.status_code == 201
    assert client.org.row("Contact", contact)["LastActivityDate"] is None  # type: ignore[index]
    done = {"Status": "Completed"}
    assert client.patch(f"/sobjects/Task/{opened.json()['id']}", done).status_code == 204
    for sobject, record_id in (("Contact", contact), ("Account", account)):
        after = client.org.row(sobject, record_id)
        assert after is not None
        assert before is not None
        assert after["LastActivityDate"] == "2031-01-01"
        assert after["SystemModstamp"] > before["SystemModstamp"]
        assert after["LastModifiedDate"] == before["LastModifiedDate"]
    lead = client.org.insert("Lead", {"LastName": "l", "Company": "c"})
    refused = client.post("/sobjects/Task", {"WhoId": lead, "WhatId": account})
    assert client.error(refused) == (400, "FIELD_INTEGRITY_EXCEPTION")


def test_an_assignment_rule_moves_the_owner_unless_told_not_to(client: Client) -> None:
    lead = client.org.insert("Lead", {"LastName": "l", "Company": "c"})
    account = client.org.insert("Account", {"Name": "a"})
    off = {"Sforce-Auto-Assign": "FALSE"}
    assert client.patch(f"/sobjects/Lead/{lead}", {"Title": "x"}, headers=off).ok
    assert client.org.row("Lead", lead)["OwnerId"] == client.org.human_user_id  # type: ignore[index]
    assert client.patch(f"/sobjects/Lead/{lead}", {"Title": "y"}).ok
    assert client.patch(f"/sobjects/Account/{account}", {"Site": "y"}).ok
    assert client.org.row("Lead", lead)["OwnerId"] == client.org.queue_user_id  # type: ignore[index]
    assert client.org.row("Account", account)["OwnerId"] == client.org.human_user_id  # type: ignore[index]


def test_deletes_cascade_and_are_listed(client: Client) -> None:
    account = client.org.insert("Account", {"Name": "a"})
    contact = client.org.insert("Contact", {"LastName": "c", "AccountId": account})
    case = client.org.insert("Case", {"Subject": "s", "ContactId": contact})
    now_ms = client.org.now_ms()
    assert client.call("DELETE", f"/sobjects/Account/{account}").ok
    assert client.query("SELECT Id FROM Contact") == []
    assert [r["IsDeleted"] for r in client.query("SELECT IsDeleted FROM Contact", "queryAll")] == [
        True
    ]
    assert client.org.row("Case", case)["ContactId"] is None  # type: ignore[index]
    span = {
        "start": datetime.fromtimestamp(now_ms / 1000 - 600, timezone.utc).isoformat(),
        "end": datetime.fromtimestamp(now_ms / 1000 + 600, timezone.utc).isoformat(),
    }
    listed = client.get("/sobjects/Contact/deleted", params=span).json()
    assert [each["id"] for each in listed["deletedRecords"]] == [contact]
    span["start"] = datetime.fromtimestamp(now_ms / 1000 - 16 * 86400, timezone.utc).isoformat()
    refused = client.get("/sobjects/Contact/deleted", params=span)
    assert client.error(refused) == (400, "INVALID_REPLICATION_DATE")


@pytest.mark.parametrize("body", [b"{", b"", b"[1]", b'{"Name": NaN}', b"\xff\xfe", b"[" * 5000])
def test_a_broken_body_is_a_parser_error(client: Client, body: bytes) -> None:
    answer = client.call("POST", "/sobjects/Account", data=body)
    assert client.error(answer) == (400, "JSON_PARSER_ERROR")


def test_unknown_paths_methods_and_versions(client: Client) -> None:
    assert client.error(client.get("/nothing")) == (404, "NOT_FOUND")
    assert client.error(client.call("PUT", "/sobjects/Account")) == (405, "METHOD_NOT_ALLOWED")
    assert client.get("/services/data/v19.0/limits").status_code == 404
    assert client.get("/services/data/v69.0/limits").status_code == 404
    assert client.get("/services/data/v20.0/limits/").status_code == 200
    assert client.get("/services/data").json()[-1]["version"] == "68.0"
    assert client.get(f"/query?q={'x' * 17_000}").status_code == 414
