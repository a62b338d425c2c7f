"""Any object to any object: deals, cases and a custom object beside accounts, people and leads."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from recipes import command, recipe
from sweo_sandbox.testing import Sandbox
from world import World

KEY = {"type": "Text", "length": 40, "externalId": True, "unique": True}
FIELDS: dict[str, dict[str, Any]] = {
    "Opportunity.Company_Key__c": KEY,
    "Subscription__c.Key__c": KEY,
    "Subscription__c.Ends__c": {"type": "Date"},
    "Subscription__c.Seats__c": {"type": "Number", "precision": 9, "scale": 0},
}


class Admin:
    """An admin who makes objects and fields, through the API that Salesforce has for it."""

    def __init__(self, sandbox: Sandbox) -> None:
        env = sandbox.env()
        self._root = f"{env['SALESFORCE_INSTANCE_URL']}/services/data/v62.0"
        self._headers = {"Authorization": f"Bearer {env['SALESFORCE_ACCESS_TOKEN']}"}
        self._permission_set = sandbox.org.store.meta("permission_set_id")

    def post(self, path: str, body: dict[str, Any]) -> None:
        answer = requests.post(self._root + path, json=body, headers=self._headers, timeout=10)
        assert answer.status_code == 201, answer.text

    def make_object(self, name: str) -> None:
        labels = {"label": name.removesuffix("__c"), "pluralLabel": f"{name.removesuffix('__c')}s"}
        self.post("/tooling/sobjects/CustomObject", {"FullName": name, "Metadata": labels})

    def make_field(self, name: str, **metadata: Any) -> None:
        label = name.split(".")[1].removesuffix("__c")
        body = {"FullName": name, "Metadata": {"label": label, **metadata}}
        self.post("/tooling/sobjects/CustomField", body)
        grant = {
            "ParentId": self._permission_set,
            "SobjectType": name.split(".", maxsplit=1)[0],
            "Field": name,
            "PermissionsRead": True,
            "PermissionsEdit": True,
        }
        self.post("/sobjects/FieldPermissions", grant)


@pytest.fixture
def everything(world: World, pipelines: Pipelines) -> Pipelines:
    """The recipe, on an org that has the objects and fields it names."""
    admin = Admin(world.sandbox)
    admin.make_object("Subscription__c")
    for name, metadata in FIELDS.items():
        admin.make_field(name, **metadata)
    pipelines.mappings = recipe("01")
    token = world.sandbox.env()["SALESFORCE_ACCESS_TOKEN"]
    done = command(pipelines, "setup", "--apply", SALESFORCE_SETUP_ACCESS_TOKEN=token)
    assert done["done"]["made"] == ["Subscription__c.sweo_company_plan__c"]
    return pipelines


def insert(world: World, sobject: str, **values: Any) -> str:
    return world.sandbox.org.insert(sobject, values)


def custom(record: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = record["custom_attributes"]
    return found


def test_every_object_flows_both_ways_side_by_side(world: World, everything: Pipelines) -> None:
    account = world.account("C-1", Name="Acme")
    company = world.company("C-1", size=7, plan="Enterprise")
    deal = insert(
        world, "Opportunity", Name="Renewal", StageName="Prospecting", CloseDate="2027-03-01",
        Company_Key__c="C-1", NextStep="Call",
    )  # fmt: skip
    contact = world.contact("ada@x.test", Title="Countess")
    case = insert(world, "Case", SuppliedEmail="Ada@X.test", Subject="Broken", Priority="High")
    lead = insert(world, "Lead", LastName="Hopper", Company="Navy", Email="grace@x.test")
    user, prospect = world.person("ada@x.test"), world.person("grace@x.test", role="lead")
    for _ in range(3):
        everything.sync()

    held = world.company_now(company)
    assert held["name"] == "Acme"
    assert custom(held)["deal_stage"] == "Prospecting"
    assert custom(held)["deal_next_step"] == "Call"
    person = custom(world.person_now(user))
    assert (person["job_title"], person["last_case"], person["case_priority"]) == (
        *("Countess", "Broken", "High"),
    )
    assert custom(world.person_now(prospect))["employer"] == "Navy"
    (subscription,) = world.sandbox.org.rows("Subscription__c")
    assert (subscription["Key__c"], subscription["Name"], subscription["Seats__c"]) == (
        *("C-1", "Acme", 7),
    )
    assert subscription["sweo_company_plan__c"] == "Enterprise"
    pairs = {each["mapping"]: each["pairs"] for each in command(everything, "status")["mappings"]}
    assert pairs == dict.fromkeys(
        ("accounts", "deals", "subscriptions", "contacts", "cases", "leads"), 1
    )

    world.sandbox.advance(60)
    world.edit_salesforce("Opportunity", deal, StageName="Closed Won")
    world.edit_salesforce("Subscription__c", subscription["Id"], Ends__c="2027-12-31", Seats__c=9)
    world.edit_company(company, custom_attributes={"deal_next_step": "Sign"}, plan="Free")
    world.edit_person(user, custom_attributes={"case_priority": "Low", "job_title": "Lady"})
    world.edit_salesforce("Lead", lead, Company="US Navy")
    everything.sync()
    everything.sync()
    held = world.company_now(company)
    assert (custom(held)["deal_stage"], held["size"]) == ("Closed Won", 9)
    assert custom(held)["subscription_ends"]
    assert world.row("Opportunity", deal)["NextStep"] == "Sign"
    assert world.row("Subscription__c", subscription["Id"])["sweo_company_plan__c"] == "Free"
    assert world.row("Case", case)["Priority"] == "Low"
    assert world.row("Contact", contact)["Title"] == "Lady"
    assert custom(world.person_now(prospect))["employer"] == "US Navy"
    assert world.row("Account", account)["Name"] == "Acme"

    world.sandbox.advance(700)
    world.sandbox.reset_calls()
    everything.run(TO_SWEO)
    assert world.calls("salesforce")["total"] == 2, "six mappings: a call for each five queries"
    everything.run(TO_SALESFORCE)
    assert world.calls("salesforce")["writes"] == world.calls("sweo")["writes"] == 0


def test_of_several_cases_of_one_person_the_latest_is_linked(
    world: World, everything: Pipelines
) -> None:
    insert(world, "Case", SuppliedEmail="ada@x.test", Subject="Old")
    world.sandbox.advance(5)
    insert(world, "Case", SuppliedEmail="ada@x.test", Subject="New")
    user = world.person("ada@x.test")
    everything.run(TO_SALESFORCE)
    run = everything.run(TO_SWEO)
    everything.sync()
    assert custom(world.person_now(user))["last_case"] == "New"
    assert run.counts["duplicates"] == 1
    standing = command(everything, "status")["mappings"]
    assert {each["mapping"]: each["pairs"] for each in standing}["cases"] == 1


def test_one_mapping_is_held_while_another_of_the_same_object_goes_on(
    world: World, everything: Pipelines
) -> None:
    world.account("C-1", Name="Acme")
    company = world.company("C-1")
    insert(
        world, "Opportunity", Name="Renewal", StageName="Prospecting", CloseDate="2027-03-01",
        Company_Key__c="C-1",
    )  # fmt: skip
    everything.sync()
    command(everything, "pause", "deals")
    world.sandbox.advance(60)
    (deal,) = world.sandbox.org.rows("Opportunity")
    world.edit_salesforce("Opportunity", deal["Id"], StageName="Closed Won")
    (account,) = world.sandbox.org.rows("Account")
    world.edit_salesforce("Account", account["Id"], Name="Acme Ltd")
    everything.sync()
    held = world.company_now(company)
    assert (held["name"], custom(held)["deal_stage"]) == ("Acme Ltd", "Prospecting")
    command(everything, "resume", "deals")
    everything.sync()
    assert custom(world.company_now(company))["deal_stage"] == "Closed Won"


def test_a_record_of_a_custom_object_is_made_once_for_a_company(
    world: World, everything: Pipelines
) -> None:
    world.company("C-9", size=3)
    everything.run(TO_SALESFORCE)
    everything.sync()
    rows = world.sandbox.org.rows("Subscription__c")
    assert [(row["Key__c"], row["Seats__c"]) for row in rows] == [("C-9", 3)]
