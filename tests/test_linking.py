"""Finding halves, making them, and who belongs to whom."""

from __future__ import annotations

from typing import Any

import pytest
from crosswalk.mapping import Side
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from world import World


def test_a_missing_company_and_its_contact_are_made_once(
    world: World, pipelines: Pipelines
) -> None:
    account = world.account("C-9", Name="Nine", Industry="Banking")
    world.contact("ann@nine.test", LastName="Ann", Phone="+4412345", AccountId=account)
    world.sandbox.reset_calls()
    first = pipelines.run(TO_SWEO)
    assert first.counts["created"] == 2
    company = world.sandbox.workspace.companies.find(company_id="C-9")
    assert (company["name"], company["industry"]) == ("Nine", "Banking")
    [person] = people(world, "ann@nine.test")
    assert person["name"] == "Ann"
    assert [c["id"] for c in person["companies"]["data"]] == [company["id"]]
    world.sandbox.advance(5)
    world.sandbox.reset_calls()
    pipelines.sync()
    assert world.calls("sweo")["writes"] == world.calls("salesforce")["writes"] == 0
    assert len(people(world, "ann@nine.test")) == 1


def people(world: World, email: str) -> list[dict[str, Any]]:
    everybody = world.sandbox.workspace.all_contacts({"per_page": 150})["data"]
    return [person for person in everybody if person["email"] == email]


def test_a_pair_linked_only_now_exchanges_everything_within_two_syncs(
    world: World, pipelines: Pipelines
) -> None:
    account = world.account("C-2", Name="Two", Industry="Banking")
    pipelines.mappings[0]["create"] = []
    pipelines.sync()
    world.sandbox.advance(365 * 86_400)
    pipelines.sync()
    company = world.company("C-2", name="Zwei", custom_attributes={"health_score": 71.5})
    pipelines.sync()
    pipelines.sync()
    seen, row = world.company_now(company), world.row("Account", account)
    assert (seen["name"], seen["industry"]) == ("Two", "Banking")
    assert row["Health__c"] == 71.5
    world.sandbox.advance(5)
    world.sandbox.reset_calls()
    pipelines.sync()
    assert world.calls("sweo")["writes"] == world.calls("salesforce")["writes"] == 0


def test_one_direction_alone_finds_its_halves(world: World, pipelines: Pipelines) -> None:
    pipelines.mappings[0]["create"] = []
    company = world.company("C-3", name="Drei")
    world.account("C-3", Name="Three")
    pipelines.run(TO_SWEO)
    assert world.company_now(company)["name"] == "Three"


def test_the_most_recent_of_several_accounts_is_linked(world: World, pipelines: Pipelines) -> None:
    pipelines.mappings[1]["create"] = []
    person = world.person("twin@x.test")
    world.contact("twin@x.test", LastName="Older")
    world.sandbox.advance(60)
    newer = world.contact("twin@x.test", LastName="Newer")
    run = pipelines.run(TO_SWEO)
    pipelines.sync()
    assert run.counts["duplicates"] == 1
    links = pipelines.ledger.links("contacts", Side.SALESFORCE, [newer])
    assert links[newer].sweo_id == person
    assert world.person_now(person)["name"] == "Newer"


def test_a_moved_contact_leaves_the_company_it_was_attached_to(
    world: World, pipelines: Pipelines
) -> None:
    one, two = world.account("C-1"), world.account("C-2")
    contact = world.contact("ann@x.test", AccountId=one)
    pipelines.sync()
    [person] = people(world, "ann@x.test")
    world.sandbox.advance(5)
    world.edit_salesforce("Contact", contact, AccountId=two)
    world.sandbox.reset_calls()
    pipelines.run(TO_SWEO)
    after = world.person_now(person["id"])
    assert [c["id"] for c in after["companies"]["data"]] == [
        world.sandbox.workspace.companies.find(company_id="C-2")["id"]
    ]
    assert world.calls("sweo")["writes"] == 2


def test_a_deleted_account_ends_the_link_and_leaves_the_company(
    world: World, pipelines: Pipelines
) -> None:
    account, company = world.account("C-1"), world.company("C-1")
    pipelines.sync()
    world.sandbox.org.delete("Account", account)
    pipelines.sync()
    assert not pipelines.ledger.links("accounts", Side.SALESFORCE, [account])
    assert world.company_now(company)["company_id"] == "C-1"
    pipelines.sync()
    assert [row["IsDeleted"] for row in world.sandbox.org.rows("Account")].count(0) == 0


def test_product_values_flow_to_salesforce(world: World, pipelines: Pipelines) -> None:
    contact = world.contact("ann@x.test")
    person = world.person("ann@x.test", custom_attributes={"nps": 9, "product_role": "Admin"})
    pipelines.sync()
    pipelines.sync()
    row = world.row("Contact", contact)
    assert (row["NPS__c"], row["Product_Role__c"]) == (9, "Admin")
    world.edit_person(person, custom_attributes={"nps": None})
    pipelines.run(TO_SALESFORCE)
    assert world.row("Contact", contact)["NPS__c"] is None


@pytest.mark.parametrize("what", ["archive", "clear"])
def test_on_delete_gives_the_other_half_up(world: World, pipelines: Pipelines, what: str) -> None:
    pipelines.mappings[1]["on_delete"] = what
    contact = world.contact("ann@x.test", Phone="+4412345")
    person = world.person("ann@x.test")
    pipelines.sync()
    assert world.person_now(person)["phone"] == "+4412345"
    world.sandbox.advance(60)
    world.sandbox.org.delete("Contact", contact)
    pipelines.run(TO_SWEO)
    if what == "archive":
        assert not people(world, "ann@x.test")
    else:
        assert not world.person_now(person)["phone"]
    assert not pipelines.ledger.links("contacts", Side.SALESFORCE, [contact])
    world.sandbox.reset_calls()
    pipelines.sync()
    assert world.calls("sweo")["writes"] == world.calls("salesforce")["writes"] == 0
