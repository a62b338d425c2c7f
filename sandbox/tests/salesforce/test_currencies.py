from __future__ import annotations

from pathlib import Path
from typing import Any

from sweo_sandbox.clock import Clock
from sweo_sandbox.salesforce.org import Org
from sweo_sandbox.salesforce.settings import OrgSettings
from sweo_sandbox.testing import running_sandbox

Client = Any
RATES = {"EUR": 1, "USD": 1.25, "JPY": 160}
WITH_CURRENCY = ("Account", "Opportunity", "Lead", "Contact", "Case", "Deal__c")


def switch_on(client: Client) -> None:
    body = {"FullName": "Deal__c", "Metadata": {"label": "Deal", "pluralLabel": "Deals"}}
    assert client.post("/tooling/sobjects/CustomObject", body).status_code == 201
    answer = client.post("/_sandbox/org/currencies", {"rates": RATES})
    assert answer.status_code == 200, answer.text


def fields(client: Client, sobject: str) -> dict[str, Any]:
    described = client.get(f"/sobjects/{sobject}/describe").json()["fields"]
    return {each["name"]: each for each in described}


def test_an_org_of_one_currency_has_no_trace_of_others(client: Client) -> None:
    assert "CurrencyIsoCode" not in fields(client, "Account")
    hidden = client.get("/query", params={"q": "SELECT CurrencyIsoCode FROM Opportunity"})
    assert client.error(hidden) == (400, "INVALID_FIELD")
    types = client.get("/query", params={"q": "SELECT IsoCode FROM CurrencyType"})
    assert client.error(types) == (400, "INVALID_TYPE")
    refused = client.post("/sobjects/Account", {"Name": "x", "CurrencyIsoCode": "EUR"})
    assert client.error(refused) == (400, "INVALID_FIELD")


def test_every_object_with_money_describes_its_currency(client: Client) -> None:
    switch_on(client)
    for sobject in WITH_CURRENCY:
        field = fields(client, sobject)["CurrencyIsoCode"]
        assert (field["type"], field["length"], field["restrictedPicklist"]) == (
            "picklist",
            3,
            True,
        )
        assert (field["defaultValue"], field["createable"], field["updateable"]) == (
            "EUR",
            True,
            True,
        )
        assert [each["value"] for each in field["picklistValues"]] == ["EUR", "JPY", "USD"]


def test_records_hold_the_corporate_currency_unless_they_say_otherwise(client: Client) -> None:
    before = client.org.insert("Account", {"Name": "before"})
    switch_on(client)
    assert client.post("/sobjects/Account", {"Name": "plain"}).status_code == 201
    made = client.post("/sobjects/Account", {"Name": "dollar", "CurrencyIsoCode": "usd"})
    assert made.status_code == 201
    rows = client.query("SELECT Id, Name, CurrencyIsoCode FROM Account ORDER BY Name")
    assert {r["Name"]: r["CurrencyIsoCode"] for r in rows} == {
        "before": "EUR",
        "dollar": "USD",
        "plain": "EUR",
    }
    assert client.patch(f"/sobjects/Account/{before}", {"CurrencyIsoCode": "JPY"}).ok
    assert client.query("SELECT Id FROM Account WHERE CurrencyIsoCode = 'JPY'")[0]["Id"] == before
    refused = client.patch(f"/sobjects/Account/{before}", {"CurrencyIsoCode": "CHF"})
    assert client.error(refused) == (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")


def test_currency_types_tell_rates_and_the_corporate_currency(client: Client) -> None:
    switch_on(client)
    soql = "SELECT IsoCode, ConversionRate, IsActive, IsCorporate, DecimalPlaces FROM CurrencyType"
    rows = {r["IsoCode"]: r for r in client.query(soql)}
    assert {code: r["ConversionRate"] for code, r in rows.items()} == {
        "EUR": 1.0,
        "USD": 1.25,
        "JPY": 160.0,
    }
    assert [code for code, r in rows.items() if r["IsCorporate"]] == ["EUR"]
    assert rows["JPY"]["DecimalPlaces"] == 0
    again = client.post("/_sandbox/org/currencies", {"rates": {"EUR": 1, "USD": 1.3}})
    assert again.status_code == 200
    active = {r["IsoCode"]: r["IsActive"] for r in client.query(soql)}
    assert active == {"EUR": True, "USD": True, "JPY": False}
    refused = client.post("/sobjects/Account", {"Name": "x", "CurrencyIsoCode": "JPY"})
    assert client.error(refused) == (400, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST")


def test_a_wrong_order_changes_nothing(client: Client) -> None:
    for rates in ({}, {"euro": 1}, {"EUR": 0}, {"EUR": True}):
        assert client.post("/_sandbox/org/currencies", {"rates": rates}).status_code == 400
    assert "CurrencyIsoCode" not in fields(client, "Account")


def test_a_converted_lead_passes_its_currency_on(client: Client) -> None:
    switch_on(client)
    lead = client.org.insert("Lead", {"LastName": "l", "Company": "Acme", "CurrencyIsoCode": "USD"})
    order = {"id": lead, "opportunity_name": "Deal"}
    made = client.post("/_sandbox/org/convert-lead", order).json()
    for sobject in ("Account", "Contact", "Opportunity"):
        row = client.org.row(sobject, made[f"{sobject.lower()}_id"])
        assert row["CurrencyIsoCode"] == "USD"


def test_several_currencies_are_a_setting_and_outlive_a_restart(tmp_path: Path) -> None:
    with running_sandbox(data_dir=tmp_path, currencies={"USD": 1, "EUR": 0.8}) as sandbox:
        account = sandbox.org.insert("Account", {"Name": "a"})
        assert sandbox.org.row("Account", account)["CurrencyIsoCode"] == "USD"
        assert sandbox.org.bulk_load("Contact", [{"LastName": "b"}])
    org = Org(OrgSettings(), tmp_path, Clock())
    try:
        assert org.rows("Contact")[0]["CurrencyIsoCode"] == "USD"
        assert org.schema.sobject("Lead").field_named("CurrencyIsoCode")
        org.reset()
        assert org.schema.sobject("Lead").field_named("CurrencyIsoCode") is None
    finally:
        org.close()
