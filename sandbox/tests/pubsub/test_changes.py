"""Which events a change leaves on the bus, and what they tell."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import pytest
from sweo_sandbox.salesforce.errors import SalesforceError

ACCOUNTS, LEADS, TASKS = (f"/data/{name}ChangeEvent" for name in ("Account", "Lead", "Task"))
BY_HUMAN = "com/salesforce/api/soap/62.0;client=SfdcInternalAPI/"


def test_a_create_tells_the_whole_record(pubsub: Any):
    account = pubsub.org.insert(
        "Account",
        {
            "Name": "Acme",
            "BillingCity": "Graz",
            "ARR__c": 12.5,
            "Seats__c": 3,
            "Renewal_Date__c": "2026-05-01",
            "Is_Reference__c": True,
            "Regions__c": "AMER;EMEA",
        },
    )
    row = pubsub.org.row("Account", account)
    [event] = pubsub.kept(ACCOUNTS)
    header = event.header
    assert header == {
        "entityName": "Account",
        "recordIds": [account],
        "changeType": "CREATE",
        "changeOrigin": BY_HUMAN,
        "transactionKey": header["transactionKey"],
        "sequenceNumber": 1,
        "commitTimestamp": row["SystemModstamp"],
        "commitNumber": header["commitNumber"],
        "commitUser": pubsub.org.human_user_id,
        "nulledFields": [],
        "diffFields": [],
        "changedFields": [],
    }
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", header["transactionKey"])
    told = event.told
    assert {part: value for part, value in told.pop("BillingAddress").items() if value} == {
        "City": "Graz"
    }
    assert told == {
        "Name": "Acme",
        "ARR__c": 12.5,
        "Seats__c": 3.0,
        "Renewal_Date__c": 1_777_593_600_000,
        "Is_Reference__c": True,
        "Regions__c": "AMER;EMEA",
        "OwnerId": pubsub.org.human_user_id,
        "CreatedById": pubsub.org.human_user_id,
        "LastModifiedById": pubsub.org.human_user_id,
        "CreatedDate": row["CreatedDate"],
        "LastModifiedDate": row["LastModifiedDate"],
        "IsPartner": False,
        "IsCustomerPortal": False,
    }
    left_out = {"Id", "IsDeleted", "SystemModstamp", "LastActivityDate", "BillingCity"}
    assert not left_out & set(event.body)


def test_an_update_tells_what_changed_and_what_was_emptied(pubsub: Any):
    account = pubsub.org.insert(
        "Account", {"Name": "Acme", "Phone": "1", "BillingCity": "Graz", "BillingStreet": "A 1"}
    )
    pubsub.org.update(
        "Account",
        account,
        {"Name": "Acme", "Phone": None, "Industry": "Energy", "BillingCity": None},
    )
    pubsub.org.update("Account", account, {"BillingStreet": "B 2"})
    _, first, second = pubsub.kept(ACCOUNTS)
    assert first.header["changeType"] == "UPDATE"
    assert first.names("changedFields") == {
        "Phone",
        "Industry",
        "LastModifiedDate",
        "BillingAddress.City",
    }
    assert first.names("nulledFields") == {"Phone", "BillingAddress.City"}
    assert set(first.told) == {"Industry", "LastModifiedDate"}
    assert second.names("changedFields") == {"LastModifiedDate", "BillingAddress.Street"}
    assert second.header["nulledFields"] == []
    assert second.body["BillingAddress"]["Street"] == "B 2"


def test_another_user_is_a_change_of_last_modified_by(pubsub: Any):
    account = pubsub.org.insert("Account", {"Name": "Acme"})
    pubsub.rest("PATCH", f"/sobjects/Account/{account}", {"Phone": "1"})
    pubsub.rest("PATCH", f"/sobjects/Account/{account}", {"Phone": "2"})
    _, first, second = pubsub.kept(ACCOUNTS)
    assert "LastModifiedById" in first.names("changedFields")
    assert "LastModifiedById" not in second.names("changedFields")
    assert first.header["commitUser"] == pubsub.org.integration_user_id


def test_the_origin_names_the_api_its_version_and_the_client(pubsub: Any):
    body = {"Name": "Acme"}
    named = {"Sforce-Call-Options": "defaultNamespace=x, client=sweo"}
    pubsub.rest("POST", "/sobjects/Account", body, **named)
    pubsub.rest("POST", "/sobjects/Account", body)
    pubsub.rest(
        "POST",
        "/composite",
        {
            "compositeRequest": [
                {
                    "method": "POST",
                    "url": "/services/data/v62.0/sobjects/Account",
                    "referenceId": "a",
                    "body": body,
                }
            ]
        },
        **named,
    )
    pubsub.org.insert("Account", body)
    assert [event.header["changeOrigin"] for event in pubsub.kept(ACCOUNTS)] == [
        "com/salesforce/api/rest/62.0;client=sweo",
        "com/salesforce/api/rest/62.0",
        "com/salesforce/api/rest/62.0;client=sweo",
        BY_HUMAN,
    ]


def test_delete_and_undelete(pubsub: Any):
    account = pubsub.org.insert("Account", {"Name": "Acme", "Phone": "1"})
    contact = pubsub.org.insert("Contact", {"LastName": "A", "AccountId": account})
    pubsub.org.delete("Account", account)
    pubsub.desk("undelete", sobject="Account", id=account)
    events = pubsub.kept()[2:]
    assert [(e.header["entityName"], e.header["changeType"]) for e in events] == [
        ("Contact", "DELETE"),
        ("Account", "DELETE"),
        ("Account", "UNDELETE"),
        ("Contact", "UNDELETE"),
    ]
    gone, back = events[1], events[2]
    assert gone.told == {}
    assert gone.header["changedFields"] == gone.header["nulledFields"] == []
    assert (back.body["Name"], back.body["Phone"]) == ("Acme", "1")
    assert events[3].header["recordIds"] == [contact]


def test_a_hard_delete_of_a_deleted_record_is_no_second_delete(pubsub: Any):
    account = pubsub.org.insert("Account", {"Name": "Acme"})
    other = pubsub.org.insert("Account", {"Name": "Other"})
    pubsub.org.delete("Account", account)
    pubsub.desk("empty-recycle-bin")
    pubsub.org.delete("Account", other, hard=True)
    kinds = [(e.header["changeType"], e.header["recordIds"]) for e in pubsub.kept(ACCOUNTS)[2:]]
    assert kinds == [("DELETE", [account]), ("DELETE", [other])]


def test_an_activity_is_no_change_of_its_account(pubsub: Any):
    account = pubsub.org.insert("Account", {"Name": "Acme"})
    stamp = pubsub.org.row("Account", account)["SystemModstamp"]
    pubsub.sandbox.clock_salesforce.advance(60)
    pubsub.org.insert("Task", {"Subject": "Call", "WhatId": account})
    assert pubsub.org.row("Account", account)["SystemModstamp"] > stamp
    assert [e.header["entityName"] for e in pubsub.kept()] == ["Account", "Task"]


def test_a_converted_lead_is_told_without_last_modified_date(pubsub: Any):
    lead = pubsub.org.insert("Lead", {"LastName": "A", "Company": "Acme"})
    pubsub.desk("convert-lead", id=lead)
    events = pubsub.kept()[1:]
    assert [(e.header["entityName"], e.header["changeType"]) for e in events] == [
        ("Account", "CREATE"),
        ("Contact", "CREATE"),
        ("Lead", "UPDATE"),
    ]
    assert len({e.header["transactionKey"] for e in events}) == 1
    assert [e.header["sequenceNumber"] for e in events] == [1, 2, 3]
    changed = events[2].names("changedFields")
    assert {"IsConverted", "ConvertedAccountId"} <= changed
    assert "LastModifiedDate" not in changed
    assert events[2].body["LastModifiedDate"] is None


def test_equal_changes_of_one_call_are_one_event(pubsub: Any):
    pubsub.sandbox.clock_salesforce.freeze()
    made = [pubsub.org.insert("Account", {"Name": f"a{i}"}) for i in range(4)]
    industries = ["Energy", "Energy", "Media", "Energy"]
    records = [
        {"attributes": {"type": "Account"}, "id": record_id, "Industry": industry}
        for record_id, industry in zip(made, industries, strict=True)
    ]
    pubsub.rest("PATCH", "/composite/sobjects", {"records": records})
    first, second = pubsub.kept(ACCOUNTS)[4:]
    assert first.header["recordIds"] == [made[0], made[1], made[3]]
    assert second.header["recordIds"] == [made[2]]
    assert first.header["transactionKey"] == second.header["transactionKey"]
    assert first.header["commitNumber"] == second.header["commitNumber"]
    assert [first.header["sequenceNumber"], second.header["sequenceNumber"]] == [1, 2]


def test_equal_changes_of_two_calls_are_two_events(pubsub: Any):
    pubsub.sandbox.clock_salesforce.freeze()
    made = [pubsub.org.insert("Account", {"Name": f"a{i}"}) for i in range(2)]
    for record_id in made:
        pubsub.org.update("Account", record_id, {"Industry": "Energy"})
    first, second = pubsub.kept(ACCOUNTS)[2:]
    assert first.header["transactionKey"] != second.header["transactionKey"]
    assert first.header["commitNumber"] < second.header["commitNumber"]


def test_what_is_refused_or_rolled_back_leaves_no_event(pubsub: Any):
    records = [
        {"attributes": {"type": "Account"}, "Name": "good"},
        {"attributes": {"type": "Account"}, "Name": "x" * 300},
    ]
    pubsub.rest("POST", "/composite/sobjects", {"allOrNone": True, "records": records})
    with pytest.raises(SalesforceError, match="Required fields are missing"):
        pubsub.org.insert("Account", {"Name": None})
    assert pubsub.kept() == []
    pubsub.rest("POST", "/composite/sobjects", {"allOrNone": False, "records": records})
    assert [event.body["Name"] for event in pubsub.kept(ACCOUNTS)] == ["good"]


def test_an_undone_change_is_not_joined_by_its_equals(pubsub: Any):
    pubsub.sandbox.clock_salesforce.freeze()
    made = [pubsub.org.insert("Account", {"Name": f"a{i}"}) for i in range(3)]
    transaction = pubsub.org.store.transaction
    with transaction():
        with suppress(ZeroDivisionError), transaction():
            pubsub.org.update("Account", made[0], {"Industry": "Energy"})
            raise ZeroDivisionError
        for record_id in made[1:]:
            pubsub.org.update("Account", record_id, {"Industry": "Energy"})
    [event] = pubsub.kept(ACCOUNTS)[3:]
    assert event.header["recordIds"] == made[1:]
    assert event.header["sequenceNumber"] == 1


def test_a_merge_tells_the_loser_and_the_master(pubsub: Any):
    master, loser = (pubsub.org.insert("Account", {"Name": name}) for name in ("m", "l"))
    contact = pubsub.org.insert("Contact", {"LastName": "A", "AccountId": loser})
    pubsub.desk("merge", sobject="Account", master_id=master, loser_ids=[loser])
    told = [(e.header["changeType"], e.header["recordIds"]) for e in pubsub.kept()[3:]]
    assert told == [("UPDATE", [contact]), ("DELETE", [loser]), ("UPDATE", [master])]


def test_a_hidden_field_is_not_told(pubsub: Any):
    pubsub.org.hide_field("Account", "Phone")
    account = pubsub.org.insert("Account", {"Name": "Acme", "Phone": "1"})
    pubsub.org.update("Account", account, {"Phone": "2"})
    created, updated = pubsub.kept(ACCOUNTS)
    assert created.body["Phone"] is None
    assert updated.names("changedFields") == {"LastModifiedDate"}


def test_bulk_changes_name_the_bulk_api(pubsub: Any):
    job = pubsub.rest("POST", "/jobs/ingest", {"object": "Account", "operation": "insert"}).json()[
        "id"
    ]
    csv = "Name\n" + "".join(f"b{i}\n" for i in range(250))
    pubsub.rest("PUT", f"/jobs/ingest/{job}/batches", csv, **{"Content-Type": "text/csv"})
    pubsub.rest("PATCH", f"/jobs/ingest/{job}", {"state": "UploadComplete"})
    events = pubsub.kept(ACCOUNTS)
    assert sorted(event.body["Name"] for event in events) == sorted(f"b{i}" for i in range(250))
    assert {event.header["changeOrigin"] for event in events} == {"com/salesforce/api/bulkapi/62.0"}


def test_seeding_and_a_reset_leave_no_events(pubsub: Any):
    pubsub.org.bulk_load("Account", [{"Name": "seeded"}])
    assert pubsub.kept() == []
