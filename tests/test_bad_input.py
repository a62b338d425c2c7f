"""A mapping that cannot work is refused by name before the run writes anything."""

from __future__ import annotations

from typing import Any

import pytest
from crosswalk.errors import FatalError
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from recipes import command
from world import World

ACCOUNTS: dict[str, Any] = {
    "name": "accounts",
    "salesforce": "Account",
    "sweo": "company",
    "match": {"salesforce": "Customer_Number__c", "sweo": "company_id"},
    "fields": [{"salesforce": "Name", "sweo": "name"}],
}
CONTACTS: dict[str, Any] = {
    "name": "contacts",
    "salesforce": "Contact",
    "sweo": "contact",
    "match": {"salesforce": "Email", "sweo": "email"},
    "fields": [{"salesforce": "Title", "sweo": "job_title"}],
}
LEADS: dict[str, Any] = {**CONTACTS, "name": "leads", "salesforce": "Lead", "sweo": "lead"}


@pytest.fixture
def pair(world: World, pipelines: Pipelines) -> Pipelines:
    world.account("C-1", Industry="Banking")
    world.company("C-1", industry="Media")
    world.contact("ada@x.test")
    world.person("ada@x.test")
    world.sandbox.reset_calls()
    return pipelines


def is_refused(world: World, pipelines: Pipelines, says: str, *directions: str) -> None:
    for direction in directions or (TO_SWEO, TO_SALESFORCE):
        with pytest.raises(FatalError, match=says):
            pipelines.run(direction)
    assert world.calls("sweo")["writes"] == world.calls("salesforce")["writes"] == 0


@pytest.mark.parametrize(
    ("mappings", "says"),
    [
        (
            [{**ACCOUNTS, "parent": {"salesforce": "ParentId", "mapping": "accounts"}}],
            "accounts.*parent",
        ),
        ([ACCOUNTS, {**LEADS, "becomes": "contacts"}], "leads become contacts, which is no"),
        ([{**ACCOUNTS, "events": ["signed up"]}], "accounts.*events"),
        ([{**ACCOUNTS, "match": {"salesforce": "Name"}}], "accounts: sweo is missing"),
    ],
)
def test_mistakes_of_shape(
    world: World, pair: Pipelines, mappings: list[dict[str, Any]], says: str
) -> None:
    pair.mappings = mappings
    is_refused(world, pair, f"(?s){says}")
    assert world.calls("sweo")["total"] == world.calls("salesforce")["total"] == 0
    (mistake,) = command(pair, "check", "--offline", exit_code=1)["mistakes"]
    assert mistake["mapping"] == mappings[-1]["name"]


def test_a_write_to_a_formula(world: World, pair: Pipelines) -> None:
    formula = {
        "salesforce": "Account_Customer_Number__c",
        "sweo": "phone",
        "direction": "to_salesforce",
    }
    pair.mappings = [{**CONTACTS, "fields": [formula]}]
    says = "mapping contacts, field Account_Customer_Number__c: .* is a formula"
    is_refused(world, pair, says, TO_SALESFORCE)
    (mistake,) = command(pair, "check", exit_code=1)["mistakes"]
    assert mistake["wrong"] == "Account_Customer_Number__c is a formula"
    assert mistake["right"] == "let it flow to_sweo"


@pytest.mark.parametrize(
    ("field", "says"),
    [
        ({"salesforce": "Industri", "sweo": "industry"}, "no field Industri.*Industry"),
        ({"salesforce": "Industry", "sweo": "industri"}, "`industri`.*close to `industry`"),
        ({"salesforce": "Is_Reference__c", "sweo": "size"}, "`size`.*takes no value"),
        ({"salesforce": "Industry", "sweo": "user_count"}, "`user_count` cannot be written"),
    ],
)
def test_fields_that_only_the_sides_know(
    world: World, pair: Pipelines, field: dict[str, Any], says: str
) -> None:
    pair.mappings = [{**ACCOUNTS, "fields": [field]}]
    is_refused(world, pair, f"(?s){says}", TO_SWEO)
    assert command(pair, "check", exit_code=1)["mistakes"]


def fill(world: World, left: int) -> None:
    have = len(world.sandbox.workspace.attributes.all())
    for number in range(250 - left - have):
        world.attribute("company", f"taken {number}", "string")
    world.sandbox.reset_calls()


def test_attributes_over_the_workspaces_limit_all_mappings_counted(
    world: World, pair: Pipelines
) -> None:
    fill(world, left=1)
    added = {"salesforce": "Type", "sweo": "account_type"}
    accounts = {**ACCOUNTS, "fields": [*ACCOUNTS["fields"], added]}
    pair.mappings = [accounts, CONTACTS]
    says = r"has 249, but the mappings need 2 more \(account_type, job_title\)"
    is_refused(world, pair, says, TO_SWEO)
    (mistake,) = command(pair, "check", exit_code=1)["mistakes"]
    assert "room for 1, but 2 are missing (account_type, job_title)" in mistake["wrong"]
    doctor = command(pair, "doctor", exit_code=2)
    assert "need 2 (account_type, job_title)" in doctor["cause"]["found"]
    pair.mappings = [accounts]
    pair.run(TO_SWEO)
    names = {each.name for each in world.sandbox.workspace.attributes.all()}
    assert "account_type" in names


def test_fields_over_the_objects_limit_are_refused_by_setup_before_one_is_made(
    world: World, pair: Pipelines
) -> None:
    account = world.sandbox.org.schema.sobjects["account"]
    have = sum(field.custom for field in account.fields.values())
    made = [{"sweo": name, "direction": "to_salesforce"} for name in ("size", "website")]
    pair.mappings = [{**ACCOUNTS, "fields": [*ACCOUNTS["fields"], *made]}]
    says = (
        f"Account takes {have + 1} custom fields and has room for 1, but 2 are missing "
        "(sweo_company_size__c, sweo_company_website__c): delete fields that nobody uses, or map "
        "fewer."
    )
    settings = world.sandbox.org_settings
    former, settings.custom_fields_per_object = settings.custom_fields_per_object, have + 1
    token = world.sandbox.env()["SALESFORCE_ACCESS_TOKEN"]
    try:
        for args in (("setup",), ("setup", "--apply")):
            told = command(pair, *args, exit_code=1, SALESFORCE_SETUP_ACCESS_TOKEN=token)
            assert told == says
    finally:
        settings.custom_fields_per_object = former
    assert world.calls("salesforce")["writes"] == 0
    is_refused(world, pair, "no field sweo_company_size__c", TO_SALESFORCE)
