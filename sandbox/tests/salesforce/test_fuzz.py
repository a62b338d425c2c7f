"""Whatever is sent, the org answers with a refusal and never with a failure of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sweo_sandbox.salesforce.ids import make_id

Client = Any

names = st.sampled_from(
    [
        "Name",
        "id",
        "Id",
        "attributes",
        "type",
        "records",
        "allOrNone",
        "Account",
        "OwnerId",
        "compositeRequest",
        "method",
        "url",
        "referenceId",
        "body",
        "httpHeaders",
        "fields",
        "ids",
        "batchRequests",
        "richInput",
        "operation",
        "query",
        "object",
        "FullName",
        "Metadata",
        "label",
        "externalIdFieldName",
        "LastName",
        "Customer_Number__c",
        "WhoId",
        "valueSet",
    ]
)
words = st.sampled_from(
    [
        "Account",
        "GET",
        "POST",
        "PATCH",
        "query",
        "insert",
        "upsert",
        "SELECT Id FROM Account",
        "a",
        "/services/data/v62.0/sobjects/Account",
        "/services/data/v62.0/query?q=x",
        "@{a.id}",
        "",
        "v62.0/limits",
        "Text",
        "Picklist",
        "Account.X__c",
        make_id("001", 1),
        make_id("003", 1),
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | words | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5),
    max_leaves=12,
)
bodies = st.dictionaries(names, values, max_size=5) | values
record = st.dictionaries(names, values, max_size=4)
records = st.fixed_dictionaries({"records": st.lists(record, max_size=3)})
step = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "POST", "PATCH", "DELETE"]),
        "url": words,
        "referenceId": words,
    },
    optional={"body": values, "httpHeaders": values, "richInput": values},
)
composites = st.fixed_dictionaries({"compositeRequest": st.lists(step, max_size=3)})
batches = st.fixed_dictionaries({"batchRequests": st.lists(step, max_size=3)})
targets = st.sampled_from(
    [
        ("POST", "/sobjects/Account"),
        ("PATCH", f"/sobjects/Account/{make_id('001', 1)}"),
        ("PATCH", "/sobjects/Account/Customer_Number__c/1"),
        ("POST", "/sobjects/Task"),
        ("POST", "/sobjects/FieldPermissions"),
        ("POST", "/composite"),
        ("POST", "/composite/batch"),
        ("POST", "/composite/sobjects"),
        ("PATCH", "/composite/sobjects"),
        ("PATCH", "/composite/sobjects/Account/Customer_Number__c"),
        ("POST", "/composite/sobjects/Account"),
        ("POST", "/jobs/query"),
        ("POST", "/jobs/ingest"),
        ("POST", "/tooling/sobjects/CustomField"),
        ("POST", "/tooling/sobjects/CustomObject"),
    ]
)


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(target=targets, body=bodies | records | composites | batches)
def test_no_body_breaks_the_org(client: Client, target: tuple[str, str], body: Any) -> None:
    method, path = target
    text = json.dumps(body)
    answer = client.call(method, path, data=text.encode("utf-8", "surrogatepass"))
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        assert set(answer.json()[0]) >= {"message", "errorCode"}


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=st.text(max_size=30), parameter=st.text(max_size=30))
def test_no_url_breaks_the_org(client: Client, text: str, parameter: str) -> None:
    params = {"q": parameter, "ids": parameter, "fields": text, "start": parameter, "end": text}
    params = {k: v.encode("utf-8", "replace").decode() for k, v in params.items()}
    path = "".join(c if c.isalnum() and c.isascii() else "-" for c in text)
    for template in (
        "/query",
        f"/query/{path}",
        f"/sobjects/Account/{path}",
        f"/sobjects/{path}/describe",
        f"/sobjects/Account/Customer_Number__c/{path}",
        "/sobjects/Account/updated",
        "/composite/sobjects/Account",
        f"/jobs/query/{path}/results",
    ):
        assert client.get(template, params=params).status_code < 500


@pytest.mark.parametrize("header", ["If-Unmodified-Since", "Sforce-Query-Options", "If-Match"])
def test_odd_headers_are_survived(client: Client, header: str) -> None:
    record_id = client.org.insert("Account", {"Name": "a"})
    answer = client.patch(f"/sobjects/Account/{record_id}", {"Fax": "1"}, headers={header: "???"})
    assert answer.status_code in (204, 412)


ACCOUNTS = "/services/data/v62.0/sobjects/Account"


def one_step(**more: Any) -> dict[str, Any]:
    return {
        "compositeRequest": [{"method": "GET", "url": ACCOUNTS, "referenceId": "a", **more}],
    }


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/composite", one_step(httpHeaders=5)),
        ("/composite", one_step(method="POST", body=[1])),
        ("/composite", one_step(method="POST", body={"Name": "@{a.id}"})),
        ("/composite/batch", {"batchRequests": [{"url": 5}]}),
        ("/sobjects/Contact", {"LastName": "x", "Account": {"attributes": 5, "Id": "1"}}),
        ("/sobjects/Account", {"Name": "\ud800 x"}),
        ("/sobjects/Account", {"Name": "a", "NumberOfEmployees": 10**400}),
        ("/sobjects/Account", {"Name": "a", "ARR__c": "1e999999999"}),
        ("/sobjects/Event", {"StartDateTime": "9999-01-01T00:00:00Z"}),
        (
            "/tooling/sobjects/CustomField",
            {
                "FullName": "Account.P__c",
                "Metadata": {"label": "x", "type": "Picklist", "valueSet": 5},
            },
        ),
        (
            "/tooling/sobjects/CustomObject",
            {"FullName": "P__c", "Metadata": {"label": "x", "nameField": 5}},
        ),
        (
            "/jobs/query",
            {"operation": "query", "query": "SELECT Id FROM User", "columnDelimiter": [1]},
        ),
        ("/composite/sobjects/Account", {"ids": [make_id("001", 1)], "fields": ["Id) FROM X"]}),
    ],
)
def test_a_wrong_shape_is_refused(client: Client, path: str, body: Any) -> None:
    answer = client.call("POST", path, data=json.dumps(body))
    if path == "/composite" and answer.status_code == 200:
        assert answer.json()["compositeResponse"][0]["httpStatusCode"] == 400
    elif path == "/composite/batch":
        assert answer.json()["results"][0]["statusCode"] == 400
    else:
        assert answer.status_code == 400
