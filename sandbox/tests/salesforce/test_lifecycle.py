from __future__ import annotations

import multiprocessing
import os
import signal
from pathlib import Path
from typing import Any

from sweo_sandbox.clock import Clock
from sweo_sandbox.salesforce.org import Org
from sweo_sandbox.salesforce.settings import OrgSettings

Client = Any


def order(client: Client, name: str, **arguments: Any) -> Any:
    answer = client.post(f"/_sandbox/org/{name}", arguments)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_merge_moves_the_children_and_points_to_the_master(client: Client) -> None:
    master, loser = (client.org.insert("Account", {"Name": n}) for n in "ab")
    contact = client.org.insert("Contact", {"LastName": "c", "AccountId": loser})
    order(client, "merge", sobject="Account", master_id=master, loser_ids=[loser])
    row = client.org.row("Account", loser)
    assert (row["IsDeleted"], row["MasterRecordId"]) == (1, master)
    child = client.org.row("Contact", contact)
    assert (child["AccountId"], child["IsDeleted"]) == (master, 0)


def test_undelete_brings_back_what_went_together(client: Client) -> None:
    account = client.org.insert("Account", {"Name": "a"})
    contact = client.org.insert("Contact", {"LastName": "c", "AccountId": account})
    client.org.delete("Account", account)
    client.sandbox.clock_salesforce.advance(60)
    order(client, "undelete", sobject="Account", id=account)
    assert client.org.row("Contact", contact)["IsDeleted"] == 0
    assert client.get(f"/sobjects/Account/{account}").status_code == 200


def test_a_converted_lead_is_closed_to_writes(client: Client) -> None:
    lead = client.org.insert("Lead", {"LastName": "l", "Company": "Acme", "Email": "l@a.co"})
    order(client, "convert-lead", id=lead, opportunity_name="Deal")
    soql = "SELECT IsConverted, ConvertedDate, ConvertedContact.Email, ConvertedAccount.Name, "
    (row,) = client.query(soql + "ConvertedOpportunity.Name, Status FROM Lead")
    assert (row["IsConverted"], row["Status"]) == (True, "Closed - Converted")
    assert row["ConvertedDate"] is not None
    assert row["ConvertedContact"]["Email"] == "l@a.co"
    assert row["ConvertedAccount"]["Name"] == "Acme"
    assert row["ConvertedOpportunity"]["Name"] == "Deal"
    code = "CANNOT_UPDATE_CONVERTED_LEAD"
    refused = client.patch(f"/sobjects/Lead/{lead}", {"Title": "x"})
    assert client.error(refused) == (400, code)
    record = {"attributes": {"type": "Lead"}, "id": lead, "Title": "x"}
    (failed,) = client.patch("/composite/sobjects", {"records": [record]}).json()
    assert failed["errors"][0]["statusCode"] == code
    job = client.post("/jobs/ingest", {"object": "Lead", "operation": "update"}).json()["id"]
    headers = {"Content-Type": "text/csv"}
    rows = f"Id,Title\n{lead},x\n"
    assert client.call("PUT", f"/jobs/ingest/{job}/batches", data=rows, headers=headers).ok
    assert client.patch(f"/jobs/ingest/{job}", {"state": "UploadComplete"}).ok
    assert code in client.get(f"/jobs/ingest/{job}/failedResults").text
    again = client.post("/_sandbox/org/convert-lead", {"id": lead})
    assert client.error(again) == (400, code)


def test_a_conversion_takes_along_what_belonged_to_the_lead(client: Client) -> None:
    values = {"LastName": "l", "Company": "Acme", "City": "Basel", "Sweo_Id__c": "s1"}
    lead = client.org.insert("Lead", values)
    task = client.org.insert("Task", {"Subject": "s", "WhoId": lead})
    campaign = client.org.insert("Campaign", {"Name": "c"})
    member = client.org.insert("CampaignMember", {"CampaignId": campaign, "LeadId": lead})
    account = client.org.insert("Account", {"Name": "Known"})
    fields = {"Sweo_Id__c": "Contact.Sweo_Id__c"}
    made = order(client, "convert-lead", id=lead, account_id=account, fields=fields)
    assert (made["account_id"], made["opportunity_id"]) == (account, None)
    contact = client.org.row("Contact", made["contact_id"])
    assert (contact["AccountId"], contact["MailingCity"]) == (account, "Basel")
    assert contact["Sweo_Id__c"] == "s1"
    moved = client.org.row("Task", task)
    assert (moved["WhoId"], moved["AccountId"]) == (made["contact_id"], account)
    assert client.org.row("CampaignMember", member)["ContactId"] == made["contact_id"]


def test_an_order_with_an_unknown_argument_is_refused(client: Client) -> None:
    refused = client.post("/_sandbox/org/expire-sessions", {"user": "x"})
    assert client.error(refused) == (400, "INVALID_INPUT")


def test_an_emptied_bin_keeps_the_delete_log(client: Client) -> None:
    account = client.org.insert("Account", {"Name": "a"})
    client.org.delete("Account", account)
    assert order(client, "empty-recycle-bin") == {"removed": 1}
    assert client.query("SELECT Id FROM Account", "queryAll") == []
    assert client.error(client.get(f"/sobjects/Account/{account}")) == (404, "NOT_FOUND")


def test_a_snapshot_brings_back_rows_and_fields(client: Client) -> None:
    client.org.insert("Account", {"Name": "a"})
    assert client.post("/_sandbox/snapshot", {}).ok
    client.org.insert("Account", {"Name": "b"})
    body = {"FullName": "Account.New__c", "Metadata": {"label": "N", "type": "Date"}}
    assert client.post("/tooling/sobjects/CustomField", body).status_code == 201
    open_query = client.post("/jobs/query", {"operation": "query", "query": "SELECT Id FROM User"})
    assert client.get(f"/jobs/query/{open_query.json()['id']}/results").ok
    assert client.post("/_sandbox/restore", {}).ok
    assert [r["Name"] for r in client.query("SELECT Name FROM Account")] == ["a"]
    assert client.org.schema.sobject("Account").field_named("New__c") is None


def _insert_and_die(directory: Path) -> None:
    org = Org(OrgSettings(), directory, Clock())
    org.insert("Account", {"Name": "kept", "Customer_Number__c": "1"})
    os.kill(os.getpid(), signal.SIGKILL)


def test_an_acknowledged_write_outlives_a_kill(tmp_path: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(target=_insert_and_die, args=(tmp_path,))
    process.start()
    process.join(timeout=30)
    assert process.exitcode == -signal.SIGKILL
    org = Org(OrgSettings(), tmp_path, Clock())
    try:
        (row,) = org.rows("Account")
        assert row["Name"] == "kept"
        assert org.insert("Account", {"Name": "next"}) > row["Id"]
    finally:
        org.close()


def test_old_activities_are_seen_by_query_all_only(client: Client) -> None:
    closed = client.org.insert(
        "Task", {"Subject": "old", "Status": "Completed", "ActivityDate": "2020-01-01"}
    )
    still_open = client.org.insert("Task", {"Subject": "open", "ActivityDate": "2020-01-01"})
    recent = client.org.insert("Task", {"Subject": "undated", "Status": "Completed"})
    event = client.org.insert(
        "Event",
        {"Subject": "e", "ActivityDateTime": "2020-01-01T10:00:00Z", "DurationInMinutes": 30},
    )
    seen = {row["Id"] for row in client.query("SELECT Id FROM Task")}
    assert seen == {still_open, recent}
    assert client.query("SELECT Id FROM Event") == []
    kept = {
        r["Id"]: r["IsArchived"]
        for r in client.query("SELECT Id, IsArchived FROM Task", "queryAll")
    }
    assert kept == {closed: True, still_open: False, recent: False}
    assert client.query("SELECT Id FROM Event", "queryAll")[0]["Id"] == event
    client.sandbox.clock_salesforce.advance(366 * 86_400)
    assert {row["Id"] for row in client.query("SELECT Id FROM Task")} == {still_open}
    assert order(client, "archive-activities") == {"archived": 0}
