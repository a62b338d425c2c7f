from __future__ import annotations

import csv
import gzip
import io
from typing import Any

import pytest

Client = Any


def start(client: Client, soql: str, **more: Any) -> Any:
    return client.post("/jobs/query", {"operation": "query", "query": soql, **more})


def rows_of(text: str, **options: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), **options))


def test_a_query_comes_in_pages_with_locators(client: Client) -> None:
    client.org.bulk_load("Account", [{"Name": f"n{i}"} for i in range(25)])
    job = start(client, "SELECT Id, Name, Owner.Name, CreatedDate FROM Account").json()
    assert job["state"] == "UploadComplete"
    status = client.get(f"/jobs/query/{job['id']}").json()
    assert (status["state"], status["numberRecordsProcessed"]) == ("JobComplete", 25)
    names, locator, sizes = [], None, []
    while locator != "null":
        params = {"maxRecords": "10", **({"locator": locator} if locator else {})}
        page = client.get(f"/jobs/query/{job['id']}/results", params=params)
        header, *rows = rows_of(page.text)
        assert header == ["Id", "Name", "Owner.Name", "CreatedDate"]
        assert page.headers["Sforce-NumberOfRecords"] == str(len(rows))
        sizes.append(len(rows))
        names += [row[1] for row in rows]
        locator = page.headers["Sforce-Locator"]
    assert sizes == [10, 10, 5]
    assert names == [f"n{i}" for i in range(25)]
    assert rows[0][3].endswith(".000Z")
    assert client.call("DELETE", f"/jobs/query/{job['id']}").status_code == 204
    assert client.get(f"/jobs/query/{job['id']}").status_code == 404


def test_a_query_of_nothing_has_a_header(client: Client) -> None:
    job = start(client, "SELECT Id FROM Account", columnDelimiter="PIPE", lineEnding="CRLF").json()
    page = client.get(f"/jobs/query/{job['id']}/results")
    assert page.content == b'"Id"\r\n'
    assert page.headers["Sforce-Locator"] == "null"


def test_a_job_may_take_its_time(client: Client) -> None:
    client.org.settings.bulk_seconds = 60
    job = start(client, "SELECT Id FROM Account").json()["id"]
    assert client.get(f"/jobs/query/{job}").json()["state"] == "InProgress"
    assert client.get(f"/jobs/query/{job}/results").status_code == 400
    client.sandbox.clock_salesforce.advance(61)
    assert client.get(f"/jobs/query/{job}").json()["state"] == "JobComplete"
    other_version = client.get(f"/services/data/v61.0/jobs/query/{job}/results")
    assert other_version.status_code == 409


@pytest.mark.parametrize(
    ("soql", "message"),
    [
        (
            "SELECT BillingAddress FROM Account",
            "Selecting compound data not supported in Bulk Query",
        ),
        ("SELECT (SELECT Id FROM Contacts) FROM Account", "is not supported by the Bulk API"),
        ("SELECT COUNT() FROM Account", "is not supported by the Bulk API"),
        ("SELECT Nope FROM Account", "No such column 'Nope' on entity 'Account'"),
    ],
)
def test_what_bulk_refuses(client: Client, soql: str, message: str) -> None:
    answer = start(client, soql)
    assert answer.status_code == 400
    assert message in answer.json()[0]["message"]


def ingest(
    client: Client, text: str | bytes, headers: dict[str, str] | None = None, **job: Any
) -> str:
    made = client.post("/jobs/ingest", {"object": "Account", "operation": "insert", **job})
    assert made.status_code == 200, made.text
    job_id: str = made.json()["id"]
    assert made.json()["contentUrl"] == f"services/data/v62.0/jobs/ingest/{job_id}/batches"
    put = client.call(
        "PUT",
        f"/jobs/ingest/{job_id}/batches",
        data=text if isinstance(text, bytes) else text.encode(),
        headers={"Content-Type": "text/csv", **(headers or {})},
    )
    assert put.status_code == 201
    closed = client.patch(f"/jobs/ingest/{job_id}", {"state": "UploadComplete"})
    assert closed.json()["state"] == "UploadComplete"
    return job_id


def test_rows_are_written_and_reported_in_order(client: Client) -> None:
    job = ingest(
        client,
        'Name,ARR__c,Description\nA,1.5,"x\ny"\n,2,\nC,abc,\n',
        {"Content-Encoding": "identity"},
    )
    status = client.get(f"/jobs/ingest/{job}").json()
    assert (status["state"], status["numberRecordsProcessed"]) == ("JobComplete", 3)
    assert status["numberRecordsFailed"] == 2
    good = rows_of(client.get(f"/jobs/ingest/{job}/successfulResults").text)
    assert good[0] == ["sf__Id", "sf__Created", "Name", "ARR__c", "Description"]
    assert good[1][1:] == ["true", "A", "1.5", "x\ny"]
    bad = rows_of(client.get(f"/jobs/ingest/{job}/failedResults/").text)
    assert bad[1][1] == "REQUIRED_FIELD_MISSING:Required fields are missing: [Name]:Name --"
    assert bad[2][1].startswith("INVALID_TYPE_ON_FIELD_IN_RECORD:ARR: value not of required type")
    assert len(rows_of(client.get(f"/jobs/ingest/{job}/unprocessedrecords").text)) == 1


def test_an_empty_cell_leaves_alone_and_na_empties(client: Client) -> None:
    one = client.org.insert("Account", {"Name": "a", "Phone": "1", "Fax": "2"})
    text = f"Id,Phone,Fax\n{one},,#N/A\n"
    ingest(client, gzip.compress(text.encode()), {"Content-Encoding": "gzip"}, operation="update")
    row = client.org.row("Account", one)
    assert (row["Phone"], row["Fax"]) == ("1", None)


def test_upsert_and_deletes(client: Client) -> None:
    upsert = {"operation": "upsert", "externalIdFieldName": "customer_number__c"}
    client.org.insert("Account", {"Name": "a", "Customer_Number__c": "1"})
    job = ingest(
        client, "Customer_Number__c;Name\n1;x\n2;y\n", columnDelimiter="SEMICOLON", **upsert
    )
    good = rows_of(client.get(f"/jobs/ingest/{job}/successfulResults").text, delimiter=";")
    assert [row[1] for row in good[1:]] == ["false", "true"]
    ids = [row[0] for row in good[1:]]
    ingest(client, f"Id\n{ids[0]}\n", operation="delete")
    ingest(client, f"Id\n{ids[1]}\n", operation="hardDelete")
    assert [r["Id"] for r in client.query("SELECT Id FROM Account", "queryAll")] == [ids[0]]
    contacts = ingest(
        client, "LastName,Account.Customer_Number__c\nx,1\n", object="Contact", operation="insert"
    )
    failed = rows_of(client.get(f"/jobs/ingest/{contacts}/failedResults").text)
    assert failed[1][1].startswith("INVALID_FIELD:Foreign key external ID: 1 not found")


@pytest.mark.parametrize(
    "text", ["Nope\n1\n", "Name,Site\nx\n", 'Name\n"x\n', "", "Name,name\na,b\n"]
)
def test_a_bad_file_fails_the_job_and_writes_nothing(client: Client, text: str) -> None:
    made = client.post("/jobs/ingest", {"object": "Account", "operation": "insert"}).json()["id"]
    client.call("PUT", f"/jobs/ingest/{made}/batches", data=text.encode() or b"\n")
    client.patch(f"/jobs/ingest/{made}", {"state": "UploadComplete"})
    status = client.get(f"/jobs/ingest/{made}").json()
    assert status["state"] == "Failed"
    assert status["errorMessage"]
    assert client.query("SELECT Id FROM Account") == []
