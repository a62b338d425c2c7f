from __future__ import annotations

from typing import Any

Client = Any


def load(client: Client, count: int) -> list[str]:
    return client.org.bulk_load("Account", [{"Name": f"n{i:05d}"} for i in range(count)])


def test_pages_hold_the_snapshot_the_query_began_with(client: Client) -> None:
    ids = load(client, 4500)
    first = client.get("/query", params={"q": "SELECT Id FROM Account ORDER BY Id"}).json()
    assert (first["totalSize"], first["done"], len(first["records"])) == (4500, False, 2000)
    client.org.delete("Account", ids[3000])
    load(client, 10)
    second = client.get(first["nextRecordsUrl"]).json()
    again = client.get(first["nextRecordsUrl"]).json()
    assert second == again
    third = client.get(second["nextRecordsUrl"]).json()
    assert third["done"] is True
    assert "nextRecordsUrl" not in third
    seen = [r["Id"] for page in (first, second, third) for r in page["records"]]
    assert seen == ids
    assert client.get(first["nextRecordsUrl"]).json() == second


def test_a_page_is_as_large_as_asked_within_the_bounds(client: Client) -> None:
    load(client, 450)
    for asked, got in ((1, 200), (250, 250), (9000, 450)):
        headers = {"Sforce-Query-Options": f"batchSize={asked}"}
        page = client.get("/query", params={"q": "SELECT Id FROM Account"}, headers=headers)
        assert len(page.json()["records"]) == got


def test_counts_and_errors(client: Client) -> None:
    load(client, 3)
    counted = client.get("/query", params={"q": "SELECT COUNT() FROM Account"}).json()
    assert counted == {"totalSize": 3, "done": True, "records": []}
    missing = client.get("/query", params={"q": "SELECT Nope FROM Account"})
    assert client.error(missing) == (400, "INVALID_FIELD")
    assert "No such column 'Nope' on entity 'Account'" in missing.json()[0]["message"]
    assert client.error(client.get("/query", params={"q": "SELECT"})) == (400, "MALFORMED_QUERY")
    assert client.error(client.get("/query")) == (400, "MALFORMED_QUERY")
    assert client.error(client.get("/query/01gDn0000000099-2000")) == (400, "INVALID_QUERY_LOCATOR")


def test_an_explained_query_is_not_run(client: Client) -> None:
    load(client, 3)
    plan = client.get("/query", params={"explain": "SELECT Id FROM Account"}).json()
    assert plan["plans"][0]["sobjectType"] == "Account"
    assert plan["plans"][0]["cardinality"] == 3


def test_hidden_rows_are_missing_everywhere(client: Client) -> None:
    kept, hidden = load(client, 2)
    client.org.hide_row(hidden)
    assert [r["Id"] for r in client.query("SELECT Id FROM Account")] == [kept]
    body = {"ids": [hidden, kept], "fields": ["Name"]}
    assert client.post("/composite/sobjects/Account", body).json()[0] is None
    assert client.get(f"/sobjects/Account/{hidden}").status_code == 404
    client.org.hide_row(hidden, hidden=False)
    assert len(client.query("SELECT Id FROM Account")) == 2


def test_a_formula_follows_its_parent_without_moving_the_child(client: Client) -> None:
    account = client.org.insert("Account", {"Name": "a", "Customer_Number__c": "1"})
    client.org.insert("Contact", {"LastName": "c", "AccountId": account})
    soql = "SELECT Account_Customer_Number__c, SystemModstamp FROM Contact"
    before = client.query(soql)[0]
    client.sandbox.clock_salesforce.advance(60)
    client.org.update("Account", account, {"Customer_Number__c": "2"})
    after = client.query(soql)[0]
    assert (before["Account_Customer_Number__c"], after["Account_Customer_Number__c"]) == ("1", "2")
    assert before["SystemModstamp"] == after["SystemModstamp"]
