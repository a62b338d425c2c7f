"""The org as simple-salesforce, unchanged, sees it."""

from __future__ import annotations

from typing import Any

import pytest
from simple_salesforce import Salesforce
from simple_salesforce.exceptions import SalesforceExpiredSession, SalesforceMalformedRequest

Client = Any


@pytest.fixture
def salesforce(client: Client) -> Salesforce:
    return Salesforce(
        session_id=client.sandbox.env()["SALESFORCE_ACCESS_TOKEN"],
        instance_url=client.sandbox.salesforce_url,
        session=client.session,
        version="62.0",
    )


def test_records(client: Client, salesforce: Salesforce) -> None:
    made = salesforce.Account.create({"Name": "Acme"})
    assert salesforce.Account.get(made["id"])["Name"] == "Acme"
    assert salesforce.Account.update(made["id"], {"Name": "B"}) == 204
    assert salesforce.Account.upsert("Customer_Number__c/7", {"Name": "C"}) == 201
    assert salesforce.Account.get_by_custom_id("Customer_Number__c", "7")["Name"] == "C"
    assert salesforce.Account.describe()["name"] == "Account"
    assert salesforce.Account.metadata()["objectDescribe"]["keyPrefix"] == "001"
    assert salesforce.Account.delete(made["id"]) == 204
    with pytest.raises(SalesforceMalformedRequest):
        salesforce.query("SELECT Nope FROM Account")
    assert {each["name"] for each in salesforce.describe()["sobjects"]} >= {"Account", "Lead"}


def test_pages(client: Client, salesforce: Salesforce) -> None:
    client.org.bulk_load("Contact", [{"LastName": str(i)} for i in range(4100)])
    found = salesforce.query_all("SELECT Id FROM Contact")
    assert (found["totalSize"], len(found["records"])) == (4100, 4100)
    assert sum(1 for _ in salesforce.query_all_iter("SELECT Id FROM Contact")) == 4100
    assert salesforce.api_usage["api-usage"].used > 0


def test_bulk2(client: Client, salesforce: Salesforce, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simple_salesforce.bulk2.sleep", lambda _: None, raising=False)
    monkeypatch.setattr("time.sleep", lambda _: None)
    records = [{"Customer_Number__c": str(i), "Name": f"n{i}"} for i in range(5)]
    (done,) = salesforce.bulk2.Account.upsert(
        records=records, external_id_field="Customer_Number__c"
    )
    assert (done["numberRecordsProcessed"], done["numberRecordsFailed"]) == (5, 0)
    pages = list(salesforce.bulk2.Account.query("SELECT Id, Name FROM Account", max_records=2))
    assert sum(page.count("\n") for page in pages) >= 5


def test_an_ended_session(client: Client, salesforce: Salesforce) -> None:
    client.org.end_all_sessions()
    with pytest.raises(SalesforceExpiredSession):
        salesforce.query("SELECT Id FROM User")
