from __future__ import annotations

from typing import Any

Client = Any
DATA = "/services/data/v62.0"


def sub(method: str, url: str, reference: str, **more: Any) -> dict[str, Any]:
    return {"method": method, "url": f"{DATA}{url}", "referenceId": reference, **more}


def composite(client: Client, *subrequests: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    answer = client.post("/composite", {"compositeRequest": list(subrequests), **more})
    assert answer.status_code == 200, answer.text
    return answer.json()["compositeResponse"]


def test_later_subrequests_use_earlier_answers(client: Client) -> None:
    answers = composite(
        client,
        sub("POST", "/sobjects/Account", "a", body={"Name": "Acme"}),
        sub("POST", "/sobjects/Contact", "c", body={"LastName": "L", "AccountId": "@{a.id}"}),
        sub("GET", "/query?q=SELECT+Account.Name+FROM+Contact+WHERE+Id='@{c.id}'", "q"),
        sub("GET", "/sobjects/Account/@{q.records[0].Nope}", "bad"),
    )
    assert [a["httpStatusCode"] for a in answers] == [201, 201, 200, 400]
    assert answers[2]["body"]["records"][0]["Account"]["Name"] == "Acme"
    assert answers[3]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert answers[0]["httpHeaders"]["Location"].endswith(answers[0]["body"]["id"])


def test_all_or_none_undoes_everything(client: Client) -> None:
    answers = composite(
        client,
        sub("POST", "/sobjects/Account", "a", body={"Name": "Acme"}),
        sub("GET", "/query?q=SELECT+Id+FROM+Account", "q"),
        sub("POST", "/sobjects/Account", "b", body={}),
        allOrNone=True,
    )
    assert [a["httpStatusCode"] for a in answers] == [400, 400, 400]
    assert answers[0]["body"][0]["errorCode"] == "PROCESSING_HALTED"
    assert answers[2]["body"][0]["errorCode"] == "REQUIRED_FIELD_MISSING"
    assert client.query("SELECT Id FROM Account") == []


def test_a_guarded_update_in_a_composite(client: Client) -> None:
    record_id = client.org.insert("Account", {"Name": "a"})
    guard = {"If-Unmodified-Since": "Tue, 01 Jan 2019 00:00:00 GMT"}
    url = f"/sobjects/Account/{record_id}"
    stale, fresh = composite(
        client,
        sub("PATCH", url, "one", body={"Fax": "1"}, httpHeaders=guard),
        sub("PATCH", url, "two", body={"Phone": "2"}),
    )
    assert (stale["httpStatusCode"], fresh["httpStatusCode"]) == (412, 204)
    assert fresh["body"] is None
    row = client.org.row("Account", record_id)
    assert row is not None
    assert (row["Fax"], row["Phone"]) == (None, "2")


def test_five_queries_and_describes_are_one_read(client: Client) -> None:
    client.sandbox.reset_calls()
    objects = ["Account", "Contact", "Lead", "Case", "Task"]
    queries = [sub("GET", f"/queryAll?q=SELECT+Id+FROM+{o}", f"q{o}") for o in objects]
    describes = [sub("GET", f"/sobjects/{o}/describe", f"d{o}") for o in objects]
    answers = composite(client, *queries, *describes)
    assert {a["httpStatusCode"] for a in answers} == {200}
    calls = client.sandbox.calls("salesforce")
    assert (calls["total"], calls["reads"], calls["writes"]) == (1, 1, 0)
    assert calls["by_endpoint"] == {"POST /composite": 1}
    composite(client, sub("POST", "/sobjects/Account", "a", body={"Name": "x"}))
    assert client.sandbox.calls("salesforce")["writes"] == 1


def test_limits_of_a_composite(client: Client) -> None:
    many = [sub("GET", "/limits", f"r{i}") for i in range(26)]
    assert client.post("/composite", {"compositeRequest": many}).status_code == 400
    six = [sub("GET", "/query?q=SELECT+Id+FROM+User", f"r{i}") for i in range(6)]
    assert client.post("/composite", {"compositeRequest": six}).status_code == 400
    twice = [sub("GET", "/sobjects", "same"), sub("GET", "/sobjects", "same")]
    assert client.post("/composite", {"compositeRequest": twice}).status_code == 400
    forbidden = sub("GET", "/sobjects", "a", httpHeaders={"Authorization": "x"})
    assert composite(client, forbidden)[0]["httpStatusCode"] == 400
    nested = sub("POST", "/composite", "a", body={})
    assert composite(client, nested)[0]["httpStatusCode"] == 400


def test_a_batch_costs_a_call_for_each(client: Client) -> None:
    client.sandbox.reset_calls()
    body = {
        "batchRequests": [
            {"method": "GET", "url": "v62.0/sobjects/Account/describe"},
            {"method": "GET", "url": "v62.0/nothing"},
            {"method": "GET", "url": "v62.0/limits"},
        ],
        "haltOnError": True,
    }
    answer = client.post("/composite/batch", body).json()
    assert answer["hasErrors"] is True
    assert [r["statusCode"] for r in answer["results"]] == [200, 404, 412]
    assert answer["results"][0]["result"]["name"] == "Account"
    assert client.sandbox.calls("salesforce")["by_endpoint"] == {"POST /composite/batch": 3}


def test_bodies_that_are_no_composite(client: Client) -> None:
    for path, key in (("/composite", "compositeRequest"), ("/composite/batch", "batchRequests")):
        for body in ({key: None}, {key: 1}, {key: [None]}, {}):
            assert 400 <= client.post(path, body).status_code < 500
    broken = {"method": "GET", "url": "//[", "referenceId": "a"}
    answer = client.post("/composite", {"compositeRequest": [broken]})
    assert client.error(answer) == (400, "INVALID_INPUT")
    answer = client.post("/composite/batch", {"batchRequests": [broken]})
    assert answer.status_code < 500
