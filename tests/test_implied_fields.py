"""Fields that nobody has to write: the first match key, and the defaults of an object."""

from __future__ import annotations

from typing import Any

import pytest
from crosswalk.errors import FatalError
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from world import World

BY_ID_OR_EMAIL = [
    {"salesforce": "Sweo_Id__c", "sweo": "external_id"},
    {"salesforce": "Email", "sweo": "email", "normalise": "email"},
]


def people(**changes: Any) -> dict[str, Any]:
    mapping = {
        "name": "contacts",
        "salesforce": "Contact",
        "sweo": "user",
        "match": {"salesforce": "Email", "sweo": "email", "normalise": "email"},
    }
    return mapping | changes


ACCOUNTS = {
    "name": "accounts",
    "salesforce": "Account",
    "sweo": "company",
    "match": {"salesforce": "Customer_Number__c", "sweo": "company_id"},
}


def writes_nothing(world: World, pipelines: Pipelines) -> None:
    pipelines.sync()
    world.sandbox.reset_calls()
    pipelines.sync()
    assert world.calls("sweo")["writes"] == world.calls("salesforce")["writes"] == 0


# the first key


def test_the_first_key_is_written_to_the_side_that_lacks_it(
    world: World, pipelines: Pipelines
) -> None:
    pipelines.mappings = [people(match=BY_ID_OR_EMAIL)]
    ada = world.contact("ada@x.test")
    world.contact("grace@x.test", Sweo_Id__c="u-grace")
    world.person("ada@x.test", external_id="u-ada")
    person = world.person("grace@x.test")
    pipelines.sync()
    pipelines.sync()
    assert world.row("Contact", ada)["Sweo_Id__c"] == "u-ada"
    assert world.person_now(person)["external_id"] == "u-grace"
    writes_nothing(world, pipelines)


@pytest.mark.parametrize("first_meeting", ["salesforce", "sweo"])
def test_a_key_that_both_sides_have_is_left_alone(
    world: World, pipelines: Pipelines, first_meeting: str
) -> None:
    """Matched by email, with two different ids: nobody knows which one is wrong."""
    pipelines.mappings = [people(match=BY_ID_OR_EMAIL, first_meeting=first_meeting)]
    contact = world.contact("ada@x.test", Sweo_Id__c="u-1", Phone="1")
    person = world.person("ada@x.test", external_id="u-2")
    pipelines.sync()
    pipelines.sync()
    assert world.row("Contact", contact)["Sweo_Id__c"] == "u-1"
    assert world.person_now(person)["external_id"] == "u-2"
    assert world.person_now(person)["phone"] == "1"
    world.edit_salesforce("Contact", contact, Sweo_Id__c="u-3")
    pipelines.sync()
    assert world.person_now(person)["external_id"] == "u-2"
    writes_nothing(world, pipelines)


def test_a_key_that_comes_later_fills_the_other_side_and_one_taken_away_stays_away(
    world: World, pipelines: Pipelines
) -> None:
    pipelines.mappings = [people(match=BY_ID_OR_EMAIL)]
    contact, person = world.contact("ada@x.test"), world.person("ada@x.test")
    pipelines.sync()
    world.edit_person(person, external_id="u-ada")
    pipelines.sync()
    assert world.row("Contact", contact)["Sweo_Id__c"] == "u-ada"
    pipelines.sync()
    world.edit_salesforce("Contact", contact, Sweo_Id__c=None)
    pipelines.sync()
    pipelines.sync()
    assert world.row("Contact", contact)["Sweo_Id__c"] is None
    assert world.person_now(person)["external_id"] == "u-ada"


def test_a_key_that_a_side_gives_itself_is_not_written(world: World, pipelines: Pipelines) -> None:
    """A company's company_id never changes, and a record id is Salesforce's own."""
    match = [
        {"salesforce": "Customer_Number__c", "sweo": "company_id"},
        {"salesforce": "Website", "sweo": "website", "normalise": "domain"},
    ]
    pipelines.mappings = [ACCOUNTS | {"match": match}]
    account = world.account("C-1", Website="https://acme.test")
    company = world.company("other", website="acme.test")
    nameless = world.account(None, Website="https://www.beta.test/en")
    world.company("C-2", website="beta.test")
    pipelines.sync()
    pipelines.sync()
    assert world.company_now(company)["company_id"] == "other"
    assert world.row("Account", account)["Customer_Number__c"] == "C-1"
    assert world.row("Account", nameless)["Customer_Number__c"] == "C-2"
    writes_nothing(world, pipelines)


# defaults


def test_names_addresses_and_phones_flow_without_a_line(world: World, pipelines: Pipelines) -> None:
    pipelines.mappings = [ACCOUNTS, people()]
    world.account("C-1", Name="Acme", Website="https://acme.test")
    company = world.company("C-1", name="Old")
    contact = world.contact("Ada@x.test", FirstName="Ada", LastName="Lovelace", Phone="+44 1")
    person = world.person("ada@x.test", name="A. L.")
    pipelines.sync()
    now = world.person_now(person)
    assert (now["name"], now["phone"]) == ("Ada Lovelace", "+44 1")
    assert now["email"] == "ada@x.test", "the same address in other letters is not written"
    told = world.company_now(company)
    assert (told["name"], told["website"]) == ("Acme", "https://acme.test")
    world.edit_salesforce("Contact", contact, Email="countess@x.test")
    pipelines.sync()
    assert world.person_now(person)["email"] == "countess@x.test"
    writes_nothing(world, pipelines)


def test_what_the_product_changes_in_a_default_field_stays_in_the_product(
    world: World, pipelines: Pipelines
) -> None:
    pipelines.mappings = [people(create=["salesforce"], match=BY_ID_OR_EMAIL)]
    contact = world.contact("ada@x.test", FirstName="Ada", LastName="Lovelace")
    person = world.person("ada@x.test")
    pipelines.sync()
    world.edit_person(person, name="Countess")
    pipelines.sync()
    assert world.row("Contact", contact)["LastName"] == "Lovelace"


def test_a_new_salesforce_record_is_given_the_defaults_and_the_constants(
    world: World, pipelines: Pipelines
) -> None:
    pipelines.mappings = [
        people(create=["salesforce"], match=BY_ID_OR_EMAIL, set={"LeadSource": "Product"})
    ]
    world.person("ada@x.test", external_id="u-1", name="Ada King Lovelace", phone="+44 1")
    pipelines.run(TO_SALESFORCE)
    (row,) = [r for r in world.sandbox.org.rows("Contact") if r["Sweo_Id__c"] == "u-1"]
    assert (row["FirstName"], row["LastName"]) == ("Ada King", "Lovelace")
    assert (row["Email"], row["Phone"]) == ("ada@x.test", "+44 1")
    assert row["LeadSource"] == "Product"
    world.sandbox.reset_calls()
    pipelines.run(TO_SWEO)
    assert world.calls("sweo")["total"] == 0, "what was just given is known"
    writes_nothing(world, pipelines)


def test_a_constant_that_cannot_be_given_stops_the_run(world: World, pipelines: Pipelines) -> None:
    constants = {"LedSource": "Product", "SystemModstamp": "2026-01-01T00:00:00Z"}
    pipelines.mappings = [people(create=["salesforce"], match=BY_ID_OR_EMAIL, set=constants)]
    world.person("ada@x.test", external_id="u-1", name="Ada")
    with pytest.raises(FatalError, match="did you mean LeadSource") as caught:
        pipelines.run(TO_SALESFORCE)
    assert "SystemModstamp cannot be given to a new record" in str(caught.value)
    assert world.calls("salesforce")["writes"] == 0


def test_a_default_field_that_is_hidden_is_left_out_without_a_word(
    world: World, pipelines: Pipelines
) -> None:
    pipelines.mappings = [people()]
    world.sandbox.org.hide_field("Contact", "Phone")
    world.contact("ada@x.test", FirstName="Ada", LastName="Lovelace")
    person = world.person("ada@x.test", phone="+44 1")
    pipelines.sync()
    assert world.person_now(person)["name"] == "Ada Lovelace"
    assert world.person_now(person)["phone"] == "+44 1"
