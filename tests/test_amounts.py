"""In an org of several currencies an amount flows only together with its currency."""

from __future__ import annotations

import copy

import pytest
from crosswalk.errors import FatalError
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from recipes import command, recipe
from sweo_sandbox.salesforce import currencies
from world import World

MATCH = {"salesforce": "Email", "sweo": "email", "normalise": "email"}


@pytest.fixture
def amounts(world: World, pipelines: Pipelines) -> Pipelines:
    """The recipe in an org of two currencies."""
    currencies.switch_on(world.sandbox.org, {"EUR": 1, "USD": 1.25})
    world.attribute("company", "arr", "float")
    world.attribute("company", "account_currency", "string")
    pipelines.mappings = recipe("23")
    return pipelines


def without_currency(pipelines: Pipelines, direction: str) -> None:
    fields = copy.deepcopy(pipelines.mappings[0]["fields"])
    fields[1]["direction"] = direction
    pipelines.mappings[0]["fields"] = fields[:2]


def test_an_amount_and_its_currency_travel_together(world: World, amounts: Pipelines) -> None:
    account = world.account("C-1", ARR__c=1200, CurrencyIsoCode="USD")
    company = world.company("C-1")
    amounts.sync()
    amounts.sync()
    held = world.company_now(company)["custom_attributes"]
    assert (held["arr"], held["account_currency"]) == (1200, "USD")
    world.sandbox.advance(5)
    world.edit_company(company, custom_attributes={"arr": 900, "account_currency": "EUR"})
    amounts.sync()
    row = world.row("Account", account)
    assert (row["ARR__c"], row["CurrencyIsoCode"]) == (900, "EUR")


@pytest.mark.parametrize(
    ("direction", "run", "line"),
    [
        ("to_sweo", TO_SWEO, "{salesforce: CurrencyIsoCode, sweo: account_currency}"),
        (
            "to_salesforce",
            TO_SALESFORCE,
            "{salesforce: CurrencyIsoCode, sweo: account_currency, direction: to_salesforce}",
        ),
        (
            "both",
            TO_SWEO,
            "{salesforce: CurrencyIsoCode, sweo: account_currency, direction: both}",
        ),
    ],
)
def test_an_amount_alone_is_refused_with_the_line_to_add(
    world: World, amounts: Pipelines, direction: str, run: str, line: str
) -> None:
    amount = {"arr": 7}
    world.account("C-1", ARR__c=5)
    world.company("C-1", custom_attributes=amount)
    without_currency(amounts, direction)
    world.sandbox.reset_calls()
    with pytest.raises(FatalError, match="ARR__c would reach") as refusal:
        amounts.run(run)
    assert f"add {line}" in str(refusal.value)
    assert world.calls("sweo")["writes"] == world.calls("salesforce")["writes"] == 0
    if direction == "both":
        return
    flow = {} if direction == "to_sweo" else {"direction": direction}
    added = {"salesforce": "CurrencyIsoCode", "sweo": "account_currency", **flow}
    amounts.mappings[0]["fields"].append(added)
    amounts.run(run)


def test_a_line_that_flows_the_other_way_only_is_not_enough(amounts: Pipelines) -> None:
    amounts.mappings[0]["fields"][2]["direction"] = "to_salesforce"
    with pytest.raises(FatalError, match="write direction: both in the line of CurrencyIsoCode"):
        amounts.run(TO_SWEO)


def test_a_related_amount_needs_the_currency_of_its_own_record(
    world: World, amounts: Pipelines
) -> None:
    account = world.account("C-1", ARR__c=5, CurrencyIsoCode="USD")
    world.contact("ada@x.test", AccountId=account)
    person = world.person("ada@x.test")
    fields = [
        {"salesforce": "Account.ARR__c", "sweo": "company_arr"},
        {"salesforce": "CurrencyIsoCode", "sweo": "contact_currency"},
    ]
    people = {"name": "people", "salesforce": "Contact", "sweo": "contact", "match": MATCH}
    amounts.mappings = [{**people, "fields": fields}]
    with pytest.raises(FatalError, match=r"without Account\.CurrencyIsoCode") as refusal:
        amounts.run(TO_SWEO)
    assert "sweo: contact_account_currency}" in str(refusal.value)
    fields.append({"salesforce": "Account.CurrencyIsoCode", "sweo": "contact_account_currency"})
    amounts.sync()
    amounts.sync()
    held = world.person_now(person)["custom_attributes"]
    assert (held["company_arr"], held["contact_account_currency"]) == (5, "USD")


def test_a_bookmark_from_before_the_second_currency_does_not_hide_it(
    world: World, pipelines: Pipelines
) -> None:
    pipelines.mappings = [{**recipe("23")[0], "fields": recipe("23")[0]["fields"][:1]}]
    pipelines.mappings[0]["fields"].append({"salesforce": "ARR__c", "sweo": "arr"})
    world.account("C-1", ARR__c=5)
    pipelines.run(TO_SWEO)
    currencies.switch_on(world.sandbox.org, {"EUR": 1, "USD": 1.25})
    with pytest.raises(FatalError, match=r"add \{salesforce: CurrencyIsoCode"):
        pipelines.run(TO_SWEO)


def test_check_and_doctor_tell_it_without_a_run(world: World, amounts: Pipelines) -> None:
    world.account("C-1")
    world.company("C-1")
    assert command(amounts, "check")["ok"]
    without_currency(amounts, "both")
    (told,) = command(amounts, "check", exit_code=1)["mistakes"]
    assert told["field"] == "ARR__c"
    line = "{salesforce: CurrencyIsoCode, sweo: account_currency, direction: both}"
    assert told["right"] == f"add {line}"
    findings = command(amounts, "doctor", exit_code=2)["findings"]
    (found,) = [each for each in findings if each["level"] == "failure"]
    assert (found["check"], found["paste"]) == ("amounts", [f"- {line}"])
