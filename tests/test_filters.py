"""Filters through whole pipelines: who moves, who stays, and what waits for those who come back."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from crosswalk.errors import FatalError
from crosswalk.ledger.report import status
from crosswalk.mapping import Side
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines, Run
from sweo_sandbox.salesforce import lifecycle
from world import World

CUSTOMERS = {"salesforce": "Type = 'Customer - Direct'"}
PAYING = {"sweo": {"segments": ["Paying"]}}
CUSTOMER, FORMER = "Customer - Direct", "Other"


@pytest.fixture
def accounts(pipelines: Pipelines) -> dict[str, Any]:
    """The mapping of accounts, alone, with a filter on the Salesforce side."""
    mapping: dict[str, Any] = {
        "name": "accounts",
        "salesforce": "Account",
        "sweo": "company",
        "match": {"salesforce": "Customer_Number__c", "sweo": "company_id"},
        "only": dict(CUSTOMERS),
        "fields": [
            {"salesforce": "Name", "sweo": "name"},
            {"salesforce": "Industry", "sweo": "industry", "direction": "both"},
            {"salesforce": "Website", "sweo": "website", "direction": "both"},
            {"salesforce": "Health__c", "sweo": "health_score", "direction": "to_salesforce"},
        ],
    }
    pipelines.mappings = [mapping]
    return mapping


@pytest.fixture
def contacts(pipelines: Pipelines, world: World) -> dict[str, Any]:
    """The mapping of contacts, alone, with a filter on the Sweo side."""
    world.attribute("contact", "tier", "string")
    segment(world, "Paying", "contact", "custom_attributes.tier", "paying")
    mapping: dict[str, Any] = {
        "name": "contacts",
        "salesforce": "Contact",
        "sweo": "user",
        "match": {"salesforce": "Email", "sweo": "email"},
        "only": dict(PAYING),
        "fields": [
            {"salesforce": "Title", "sweo": "job_title", "direction": "both"},
            {"salesforce": "Phone", "sweo": "phone", "direction": "both"},
        ],
        "defaults": False,
    }
    pipelines.mappings = [mapping]
    return mapping


def segment(world: World, name: str, model: str, field: str, value: str) -> str:
    query = {"field": field, "operator": "=", "value": value}
    return world.sandbox.workspace.segments.add(name, query, model=model)


def big_companies(world: World) -> None:
    world.attribute("company", "band", "string")
    segment(world, "Big", "company", "custom_attributes.band", "big")


def banded(band: str) -> dict[str, Any]:
    return {"custom_attributes": {"band": band}}


def paying(tier: str = "paying", **values: Any) -> dict[str, Any]:
    return {"custom_attributes": {"tier": tier, **values}}


# the filter of Salesforce


def test_only_what_satisfies_the_condition_is_linked_and_made(
    world: World, pipelines: Pipelines, accounts: dict[str, Any]
) -> None:
    accounts["create"] = ["sweo"]
    inside = world.account("C-1", Type=CUSTOMER)
    outside = world.account("C-2", Type="Prospect")
    known = world.company("C-3")
    held = world.account("C-3", Type="Prospect", Name="Not a customer")
    run = pipelines.run(TO_SWEO)
    pipelines.sync()
    assert run.counts["created"] == run.records == 1
    linked = pipelines.ledger.links("accounts", Side.SALESFORCE, [inside, outside, held])
    assert set(linked) == {inside}
    assert world.company_now(known)["name"] == "Company C-3"
    world.sandbox.advance(60)
    world.edit_salesforce("Account", outside, Type=CUSTOMER)
    world.edit_salesforce("Account", held, Type=CUSTOMER)
    run = pipelines.run(TO_SWEO)
    assert (run.counts["created"], run.counts["linked"]) == (1, 1)
    assert world.company_now(known)["name"] == "Not a customer"
    pipelines.sync()
    assert pipelines.is_quiet()


def test_a_pair_that_leaves_stands_still_and_catches_up_in_both_directions(
    world: World, pipelines: Pipelines, accounts: dict[str, Any]
) -> None:
    account = world.account("C-1", Type=CUSTOMER, Industry="Banking", Website="one.example")
    company = world.company("C-1")
    pipelines.sync()
    pipelines.sync()
    world.edit_salesforce("Account", account, Type=FORMER, Industry="Energy")
    pipelines.sync()
    world.sandbox.advance(3600)
    world.edit_company(company, website="two.example", custom_attributes={"health_score": 7.5})
    run = pipelines.run(TO_SALESFORCE)
    assert run.counts["left_out"] == 1
    assert "updated" not in run.counts
    world.sandbox.advance(3600)
    pipelines.sync()
    seen, row = world.company_now(company), world.row("Account", account)
    assert (seen["industry"], row["Website"], row["Health__c"]) == ("Banking", "one.example", None)
    [standing] = status(pipelines.ledger).mappings
    assert (standing.pairs, standing.left_out) == (1, 1)

    world.sandbox.advance(3600)
    world.edit_salesforce("Account", account, Type=CUSTOMER)
    pipelines.sync()
    seen, row = world.company_now(company), world.row("Account", account)
    assert (seen["industry"], seen["website"]) == ("Energy", "two.example")
    assert (row["Industry"], row["Website"], row["Health__c"]) == ("Energy", "two.example", 7.5)
    assert status(pipelines.ledger).mappings[0].left_out == 0
    assert pipelines.is_quiet()


def test_edits_of_the_other_side_alone_are_called_for_when_a_record_enters(
    world: World, pipelines: Pipelines, accounts: dict[str, Any]
) -> None:
    account = world.account("C-1", Type=CUSTOMER, Website="one.example")
    company = world.company("C-1")
    pipelines.sync()
    pipelines.sync()
    world.edit_salesforce("Account", account, Type=FORMER)
    pipelines.sync()
    world.sandbox.advance(3600)
    world.edit_company(company, website="two.example")
    pipelines.sync()
    world.sandbox.advance(3600)
    pipelines.sync()
    world.sandbox.advance(3600)
    world.edit_salesforce("Account", account, Type=CUSTOMER)
    world.sandbox.reset_calls()
    pipelines.run(TO_SWEO)
    assert not world.calls("sweo")["total"], "nothing of the account differs"
    run = pipelines.run(TO_SALESFORCE)
    assert (run.records, run.counts["updated"]) == (1, 1)
    assert world.row("Account", account)["Website"] == "two.example"
    assert pipelines.is_quiet()


def test_edits_of_one_field_on_both_sides_while_outside_are_a_conflict_like_any_other(
    world: World, pipelines: Pipelines, accounts: dict[str, Any]
) -> None:
    accounts["conflict"] = "sweo"
    account = world.account("C-1", Type=CUSTOMER, Industry="Banking")
    company = world.company("C-1")
    pipelines.sync()
    pipelines.sync()
    world.edit_salesforce("Account", account, Type=FORMER, Industry="Energy")
    world.edit_company(company, industry="Retail")
    pipelines.sync()
    world.sandbox.advance(3600)
    world.edit_salesforce("Account", account, Type=CUSTOMER)
    pipelines.sync()
    pipelines.sync()
    assert world.company_now(company)["industry"] == "Retail"
    assert world.row("Account", account)["Industry"] == "Retail"
    assert pipelines.is_quiet()


def test_the_relative_that_a_condition_reads_brings_its_children(
    world: World, pipelines: Pipelines, contacts: dict[str, Any]
) -> None:
    contacts["only"] = {"salesforce": "Account.Industry = 'Banking' AND Account.Name != null"}
    account = world.account("C-1", Industry="Energy")
    contact = world.contact("ada@x.test", AccountId=account, Title="Countess", Phone="+441")
    person = world.person("ada@x.test")
    pipelines.sync()
    world.sandbox.advance(3600)
    pipelines.sync()
    assert world.person_now(person)["custom_attributes"] == {}
    world.sandbox.advance(3600)
    world.edit_salesforce("Account", account, Industry="Banking")
    world.sandbox.reset_calls()
    pipelines.run(TO_SWEO)
    assert world.person_now(person)["custom_attributes"]["job_title"] == "Countess"
    pipelines.sync()
    world.sandbox.advance(3600)
    world.edit_salesforce("Account", account, Industry="Energy")
    world.edit_salesforce("Contact", contact, Title="Baroness")
    world.edit_person(person, phone="+442")
    pipelines.sync()
    assert world.person_now(person)["custom_attributes"]["job_title"] == "Countess"
    assert world.row("Contact", contact)["Phone"] == "+441"
    world.sandbox.advance(3600)
    world.edit_salesforce("Account", account, Industry="Banking")
    pipelines.sync()
    assert world.person_now(person)["custom_attributes"]["job_title"] == "Baroness"
    assert world.row("Contact", contact)["Phone"] == "+442"
    assert pipelines.is_quiet()


def test_what_moves_no_timestamp_enters_with_the_full_check(
    world: World, pipelines: Pipelines, accounts: dict[str, Any]
) -> None:
    account = world.account("C-1", Type=CUSTOMER, Industry="Banking")
    company = world.company("C-1")
    pipelines.sync()
    pipelines.sync()
    world.edit_salesforce("Account", account, Type=FORMER, Industry="Energy")
    world.edit_company(company, website="two.example")
    pipelines.sync()
    world.sandbox.advance(3600)
    pipelines.sync()
    world.sandbox.advance(3600)
    world.sandbox.org.set_columns("Account", account, {"Type": CUSTOMER})
    pipelines.sync()
    assert world.company_now(company)["industry"] == "Banking"
    pipelines.full_check(TO_SWEO)
    pipelines.sync()
    assert world.company_now(company)["industry"] == "Energy"
    assert world.row("Account", account)["Website"] == "two.example"
    assert pipelines.is_quiet()


def test_a_full_check_of_a_filtered_mapping_neither_moves_nor_ends_what_is_outside(
    world: World, pipelines: Pipelines, accounts: dict[str, Any]
) -> None:
    account = world.account("C-1", Type=CUSTOMER, Industry="Banking")
    company = world.company("C-1")
    pipelines.sync()
    pipelines.sync()
    world.edit_salesforce("Account", account, Type=FORMER, Industry="Energy")
    world.edit_company(company, website="two.example")
    world.sandbox.advance(3600)
    for direction in (TO_SWEO, TO_SALESFORCE):
        pipelines.full_check(direction)
    assert pipelines.ledger.links("accounts", Side.SALESFORCE, [account])
    assert world.company_now(company)["industry"] == "Banking"
    assert world.row("Account", account)["Website"] is None


def test_a_record_that_is_owed_a_visit_and_is_outside_is_visited_once(
    world: World, pipelines: Pipelines, accounts: dict[str, Any]
) -> None:
    account = world.account("C-1", Type=CUSTOMER, Industry="Banking")
    company = world.company("C-1")
    pipelines.sync()
    pipelines.sync()
    world.sandbox.advance(3600)
    pipelines.sync()
    world.edit_salesforce("Account", account, Type=FORMER)
    world.sandbox.advance(3600)
    owe(pipelines, TO_SWEO, account)
    run = pipelines.run(TO_SWEO)
    assert run.counts == {"read": 1, "left_out": 1}
    assert not pipelines.ledger.revisits(TO_SWEO, "accounts")
    world.sandbox.advance(3600)
    world.edit_company(company, industry="Retail")
    world.edit_salesforce("Account", account, Type=CUSTOMER)
    pipelines.sync()
    pipelines.sync()
    assert world.row("Account", account)["Industry"] == "Retail"
    assert not pipelines.ledger.revisits(TO_SWEO, "accounts")
    assert pipelines.is_quiet()


def owe(pipelines: Pipelines, direction: str, source_id: str) -> None:
    """Put a record on the revisit list, as any part of the sync does."""
    from crosswalk.ledger.commit import Commit, RevisitRow, Writer

    row = RevisitRow(direction, pipelines.mappings[0]["name"], source_id, "by hand")
    Writer(pipelines.ledger).commit(Commit(direction, row.mapping, "test", revisits=[row]))


def test_an_idle_run_costs_what_it_costs_without_filters(
    world: World, pipelines: Pipelines, accounts: dict[str, Any], contacts: dict[str, Any]
) -> None:
    segment(world, "Big", "company", "name", "Company C-1")
    accounts["only"] = {**CUSTOMERS, "sweo": {"segments": ["Big"]}}
    contacts["only"] = {"salesforce": "Account.Industry = 'Banking'", **PAYING}
    pipelines.mappings = [accounts, contacts]
    world.account("C-1", Type=CUSTOMER)
    world.company("C-1")
    person = world.person("ada@x.test", **paying())
    world.contact("ada@x.test")
    pipelines.sync()
    pipelines.sync()
    world.sandbox.advance(7200)
    pipelines.sync()
    world.sandbox.advance(7200)
    world.sandbox.reset_calls()
    pipelines.sync()
    assert person
    salesforce, sweo = world.calls("salesforce"), world.calls("sweo")
    assert (salesforce["total"], sweo["writes"]) == (1, 0)
    scroll = sweo["by_endpoint"].pop("GET /companies/scroll")
    assert scroll <= 2
    assert sweo["by_endpoint"] == {"POST /contacts/search": 1}


# deletes


@pytest.mark.parametrize("hard", [False, True])
def test_a_deleted_record_ends_its_link_also_while_it_is_outside(
    world: World, pipelines: Pipelines, accounts: dict[str, Any], hard: bool
) -> None:
    accounts["on_delete"] = "archive"
    account = world.account("C-1", Type=CUSTOMER)
    company = world.company("C-1")
    pipelines.sync()
    pipelines.sync()
    world.edit_salesforce("Account", account, Type=FORMER)
    pipelines.sync()
    world.sandbox.advance(3600)
    world.sandbox.org.delete("Account", account, hard=hard)
    world.sandbox.advance(120)
    run = pipelines.run(TO_SWEO)
    assert run.counts["unlinked"] == 1
    assert not pipelines.ledger.links("accounts", Side.SALESFORCE, [account])
    assert world.company_now(company)["company_id"] == "C-1", "it was outside: left as it is"


def test_a_record_that_is_deleted_inside_takes_its_other_half_along(
    world: World, pipelines: Pipelines, accounts: dict[str, Any]
) -> None:
    accounts["on_delete"] = "archive"
    account = world.account("C-1", Type=CUSTOMER)
    world.company("C-1")
    pipelines.sync()
    pipelines.sync()
    world.sandbox.advance(3600)
    world.sandbox.org.delete("Account", account)
    world.sandbox.advance(120)
    pipelines.run(TO_SWEO)
    shown = world.sandbox.workspace.companies.page(page=1, per_page=50)
    assert shown["total_count"] == 0


def test_a_company_outside_is_not_archived_with_its_account(
    world: World, pipelines: Pipelines, accounts: dict[str, Any]
) -> None:
    accounts |= {"on_delete": "archive", "only": {"sweo": {"segments": ["Big"]}}}
    big_companies(world)
    account = world.account("C-1")
    company = world.company("C-1", **banded("big"))
    pipelines.sync()
    pipelines.sync()
    world.edit_company(company, **banded("small"))
    pipelines.sync()
    world.sandbox.advance(3600)
    world.sandbox.org.delete("Account", account)
    world.sandbox.advance(120)
    assert pipelines.run(TO_SWEO).counts["unlinked"] == 1
    assert world.company_now(company)["company_id"] == "C-1"


def test_an_account_that_is_merged_away_outside_hands_its_company_to_the_survivor(
    world: World, pipelines: Pipelines, accounts: dict[str, Any]
) -> None:
    loser = world.account("C-1", Type=CUSTOMER, Name="Loser")
    master = world.account(None, Type=CUSTOMER, Name="Master")
    company = world.company("C-1")
    pipelines.sync()
    world.edit_salesforce("Account", loser, Type=FORMER)
    world.sandbox.advance(3600)
    org = world.sandbox.org
    lifecycle.merge(org, org.schema.sobjects["account"], master, [loser])
    world.sandbox.advance(120)
    for _ in range(3):
        pipelines.sync()
    links = pipelines.ledger.links("accounts", Side.SALESFORCE, [loser, master])
    assert {account: link.sweo_id for account, link in links.items()} == {master: company}
    assert world.company_now(company)["name"] == "Master"


# the filter of Sweo


def test_only_members_of_the_segment_move(
    world: World, pipelines: Pipelines, contacts: dict[str, Any]
) -> None:
    contacts |= {
        "create": ["salesforce"],
        "match": [
            {"salesforce": "Sweo_Id__c", "sweo": "external_id"},
            {"salesforce": "Email", "sweo": "email"},
        ],
        "defaults": True,
    }
    world.person("ada@x.test", external_id="u1", name="Ada Lovelace", **paying())
    world.person("bob@x.test", external_id="u2", name="Bob Free", **paying("free"))
    world.contact("cy@x.test", Title="Chief")
    world.person("cy@x.test", external_id="u3", **paying("free"))
    for _ in range(2):
        pipelines.sync()
    rows = everybody(world)
    assert {row["Email"] for row in rows} == {"ada@x.test", "cy@x.test"}
    assert [row["Sweo_Id__c"] for row in rows if row["Email"] == "cy@x.test"] == [None]


def everybody(world: World) -> list[dict[str, Any]]:
    rows = world.sandbox.org.store.rows(world.sandbox.org.schema.sobjects["contact"])
    return [dict(row) for row in rows]


def test_a_contact_that_leaves_the_segment_stands_still_and_catches_up(
    world: World, pipelines: Pipelines, contacts: dict[str, Any]
) -> None:
    contact = world.contact("ada@x.test", Title="Countess", Phone="+441")
    person = world.person("ada@x.test", **paying())
    pipelines.sync()
    pipelines.sync()
    assert world.person_now(person)["phone"] == "+441"
    world.edit_person(person, **paying("free"))
    world.sandbox.advance(3600)
    pipelines.sync()
    world.sandbox.advance(3600)
    world.edit_salesforce("Contact", contact, Title="Baroness")
    world.edit_person(person, phone="+442")
    run = pipelines.run(TO_SWEO)
    assert run.counts["left_out"] == 1
    assert pipelines.run(TO_SALESFORCE).records == 0
    assert world.person_now(person)["custom_attributes"]["job_title"] == "Countess"
    assert world.row("Contact", contact)["Phone"] == "+441"

    world.sandbox.advance(3600)
    world.edit_person(person, **paying())
    pipelines.run(TO_SALESFORCE)
    assert world.row("Contact", contact)["Phone"] == "+442"
    pipelines.run(TO_SWEO)
    assert world.person_now(person)["custom_attributes"]["job_title"] == "Baroness"
    assert not status(pipelines.ledger).mappings[0].left_out
    assert pipelines.is_quiet()


def test_a_contact_that_is_found_inside_right_before_a_write_is_called_for_as_well(
    world: World, pipelines: Pipelines, contacts: dict[str, Any]
) -> None:
    contact = world.contact("ada@x.test", Title="Countess")
    person = world.person("ada@x.test", **paying())
    pipelines.sync()
    pipelines.sync()
    world.edit_person(person, **paying("free"))
    world.sandbox.advance(3600)
    pipelines.sync()
    owe(pipelines, TO_SALESFORCE, person)
    assert pipelines.run(TO_SALESFORCE).counts == {"read": 1, "left_out": 1}
    world.edit_person(person, **paying())
    world.edit_salesforce("Contact", contact, Title="Baroness")
    world.sandbox.advance(3600)
    pipelines.run(TO_SWEO)
    assert world.person_now(person)["custom_attributes"]["job_title"] == "Baroness"
    assert not status(pipelines.ledger).mappings[0].left_out
    assert [r.reason for r in pipelines.ledger.revisits(TO_SALESFORCE, "contacts")] == ["let in"]


@pytest.mark.parametrize("edited", [False, True])
def test_a_segment_that_moves_by_itself_is_followed_by_the_full_check(
    world: World, pipelines: Pipelines, contacts: dict[str, Any], edited: bool
) -> None:
    ada = world.contact("ada@x.test", Title="Countess", Phone="+441")
    person = world.person("ada@x.test", **paying("free"))
    for _ in range(2):
        pipelines.sync()
    assert "job_title" not in world.person_now(person)["custom_attributes"]
    if edited:
        world.edit_person(person, phone="+442")
    world.sandbox.advance(3600)
    pipelines.sync()
    world.sandbox.advance(3600)
    # Nobody touches the person: the segment begins to mean somebody else.
    contacts["only"] = {"sweo": {"segments": ["Paying"]}}
    database = world.sandbox.workspace.database
    with database.transaction():
        database.execute("UPDATE segment SET query = replace(query, 'paying', 'free')", [])
    pipelines.sync()
    assert "job_title" not in world.person_now(person)["custom_attributes"]
    pipelines.full_check(TO_SALESFORCE)
    for _ in range(2):
        pipelines.sync()
    assert world.person_now(person)["custom_attributes"]["job_title"] == "Countess"
    phone = "+441"  # at a first meeting Salesforce wins
    assert (world.row("Contact", ada)["Phone"], world.person_now(person)["phone"]) == (phone, phone)
    assert pipelines.is_quiet()


def test_a_full_check_reads_members_alone_and_still_sees_who_was_deleted(
    world: World, pipelines: Pipelines, contacts: dict[str, Any]
) -> None:
    people = [world.person(f"p{n}@x.test", **paying()) for n in range(5)]
    rows = [world.contact(f"p{n}@x.test", Title="Clerk") for n in range(5)]
    pipelines.sync()
    pipelines.sync()
    for person in people[:3]:
        world.edit_person(person, **paying("free"))
    world.sandbox.workspace.contacts.delete(people[0])
    world.sandbox.advance(3600)
    world.sandbox.reset_calls()
    run = pipelines.full_check(TO_SALESFORCE)[-1]
    asked = world.calls("sweo")["by_endpoint"]
    assert run.records == 3, "two members, and the one that was deleted"
    assert asked["POST /contacts/search"] == 2
    assert asked["GET /contacts/{id}"] == 1
    linked = pipelines.ledger.links("contacts", Side.SALESFORCE, rows)
    assert set(linked) == set(rows[1:])


def test_many_are_judged_by_one_search_and_few_by_a_look_each(
    world: World, pipelines: Pipelines, contacts: dict[str, Any]
) -> None:
    people = [world.person(f"p{n}@x.test", **paying()) for n in range(30)]
    rows = [world.contact(f"p{n}@x.test", Title="Clerk") for n in range(30)]
    pipelines.sync()
    pipelines.sync()
    for person in people[::2]:
        world.edit_person(person, **paying("free"))
    world.sandbox.advance(3600)
    pipelines.sync()
    for count, endpoint, calls in (
        (30, "POST /contacts/search", 1),
        (4, "GET /contacts/{id}/segments", 4),
    ):
        for row in rows[:count]:
            world.edit_salesforce("Contact", row, Title=f"Clerk {count}")
        world.sandbox.advance(3600)
        world.sandbox.reset_calls()
        run = pipelines.run(TO_SWEO)
        assert (run.counts["updated"], run.counts["left_out"]) == (count // 2, count // 2)
        assert world.calls("sweo")["by_endpoint"][endpoint] == calls
        # Those that were left out before are asked about first, and nothing else is read for them.
        assert world.calls("sweo")["by_endpoint"]["GET /contacts/{id}"] <= count


def test_companies_show_their_segments_themselves(
    world: World, pipelines: Pipelines, accounts: dict[str, Any]
) -> None:
    big_companies(world)
    accounts["only"] = {"sweo": {"segments": ["Big"]}}
    account = world.account("C-1", Website="one.example")
    company = world.company("C-1", website="one.example", **banded("big"))
    pipelines.sync()
    pipelines.sync()
    world.edit_company(company, website="two.example", **banded("small"))
    world.edit_salesforce("Account", account, Name="Renamed", Website="three.example")
    world.sandbox.advance(3600)
    first, second = pipelines.sync()
    assert first.counts["left_out"] == 1
    assert second.records == 0
    assert world.company_now(company)["name"] == "Account C-1"
    assert world.row("Account", account)["Website"] == "three.example"
    world.sandbox.advance(3600)
    world.edit_company(company, **banded("big"))
    for _ in range(2):
        pipelines.sync()
    assert world.company_now(company)["name"] == "Renamed"
    assert world.company_now(company)["website"] == "three.example", "a conflict: salesforce"
    assert pipelines.is_quiet()


def test_a_company_that_an_import_would_overwrite_is_looked_for_behind_a_filter(
    world: World, pipelines: Pipelines, accounts: dict[str, Any]
) -> None:
    big_companies(world)
    accounts |= {"only": {"sweo": {"segments": ["Big"]}}, "create": {"sweo": "import"}}
    world.account("C-1", Name="From Salesforce")
    company = world.company("C-1", name="As it was")
    pipelines.settings["target-sweo"] = {"initial_import": True}
    run = pipelines.run(TO_SWEO)
    assert run.counts["left_out"] == 1
    assert world.company_now(company)["name"] == "As it was"


# changes of the filter itself, and limits


def test_a_filter_that_is_widened_or_taken_out_lets_in_at_the_next_run(
    world: World, pipelines: Pipelines, accounts: dict[str, Any]
) -> None:
    account = world.account("C-1", Type=CUSTOMER, Industry="Banking")
    company = world.company("C-1")
    pipelines.sync()
    pipelines.sync()
    world.edit_salesforce("Account", account, Type=FORMER, Industry="Energy")
    world.edit_company(company, website="two.example")
    world.sandbox.advance(3600)
    pipelines.sync()
    world.sandbox.advance(3600)
    pipelines.sync()
    assert world.row("Account", account)["Website"] is None
    del accounts["only"]
    pipelines.sync()
    assert world.company_now(company)["industry"] == "Energy"
    assert world.row("Account", account)["Website"] == "two.example"
    assert not status(pipelines.ledger).mappings[0].left_out
    assert pipelines.is_quiet()


def test_without_segments_nobody_is_left_out_any_more(
    world: World, pipelines: Pipelines, contacts: dict[str, Any]
) -> None:
    contact = world.contact("ada@x.test", Title="Countess")
    person = world.person("ada@x.test", **paying())
    pipelines.sync()
    pipelines.sync()
    world.edit_person(person, **paying("free"))
    world.edit_salesforce("Contact", contact, Title="Baroness")
    world.sandbox.advance(3600)
    assert pipelines.run(TO_SWEO).counts["left_out"] == 1
    world.sandbox.advance(3600)
    del contacts["only"]
    world.edit_salesforce("Contact", contact, Title="Duchess")
    pipelines.run(TO_SWEO)
    assert not status(pipelines.ledger).mappings[0].left_out
    assert world.person_now(person)["custom_attributes"]["job_title"] == "Duchess"
    pipelines.sync()
    assert pipelines.is_quiet()


def test_what_stays_outside_does_not_count_towards_the_limits(
    world: World, pipelines: Pipelines, contacts: dict[str, Any]
) -> None:
    people = [world.person(f"p{n}@x.test", **paying()) for n in range(4)]
    rows = [world.contact(f"p{n}@x.test", Title="Clerk") for n in range(4)]
    pipelines.sync()
    pipelines.sync()
    for person in people[:3]:
        world.edit_person(person, **paying("free"))
    for row in rows[:3]:
        world.edit_salesforce("Contact", row, Title="Left")
    world.sandbox.advance(3600)
    assert pipelines.run(TO_SWEO).counts["left_out"] == 3
    world.sandbox.advance(3600)
    world.edit_salesforce("Contact", rows[3], Title="Stayed")
    pipelines.settings["target-sweo"] = {"environment": None, "max_writes": 1}
    run = full_check_with(pipelines, pipelines.settings)
    assert (run.counts["left_out"], run.counts["updated"]) == (3, 1)


def full_check_with(pipelines: Pipelines, settings: dict[str, dict[str, Any]]) -> Run:
    inherited = copy.copy(pipelines)
    inherited.state = {}
    inherited.settings = {
        "tap-salesforce": {"full_check": True, "check_every_hours": 0},
        **settings,
    }
    return inherited.run(TO_SWEO)


# what is refused


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ("Tpye = 'Customer'", "No such column 'Tpye' on entity 'Account'"),
        ("Type = 'Customer' AND", "unexpected token"),
        ("Type = 'Customer' ORDER BY Name", "unexpected token: 'ORDER'"),
        ("Owner.Emali = 'x'", "Emali"),
        ("Success_Notes__c = 'x'", "can not be filtered in a query call"),
    ],
)
def test_a_condition_that_the_org_does_not_take_is_refused_before_anything_is_written(
    world: World, pipelines: Pipelines, accounts: dict[str, Any], condition: str, told: str
) -> None:
    account = world.account("C-1", Type=CUSTOMER)
    company = world.company("C-1", industry="Banking")
    pipelines.sync()
    world.sandbox.advance(60)
    accounts["only"] = {"salesforce": condition}
    world.edit_salesforce("Account", account, Name="New")
    world.edit_company(company, industry="Energy")
    world.sandbox.advance(60)
    world.sandbox.reset_calls()
    for direction in (TO_SWEO, TO_SALESFORCE):
        with pytest.raises(FatalError) as caught:
            pipelines.run(direction)
        sentence = str(caught.value)
        assert sentence.startswith("mapping accounts, only.salesforce: ")
        assert told in sentence
        assert "\n" not in sentence
    assert not world.calls("sweo")["writes"] + world.calls("salesforce")["writes"]


def test_a_segment_that_does_not_exist_is_refused_with_those_that_do(
    world: World, pipelines: Pipelines, contacts: dict[str, Any]
) -> None:
    person = world.person("ada@x.test", **paying())
    contact = world.contact("ada@x.test", Title="Countess")
    pipelines.sync()
    world.sandbox.advance(60)
    contacts["only"] = {"sweo": {"segments": ["Paying", "Payign"]}}
    world.edit_person(person, phone="+441")
    world.edit_salesforce("Contact", contact, Title="Baroness")
    world.sandbox.advance(60)
    world.sandbox.reset_calls()
    for direction in (TO_SWEO, TO_SALESFORCE):
        with pytest.raises(FatalError) as caught:
            pipelines.run(direction)
        assert str(caught.value) == (
            "mapping contacts, only.sweo: Sweo has no segment Payign; there are Paying."
        )
    assert not world.calls("sweo")["writes"] + world.calls("salesforce")["writes"]


def test_a_segment_that_was_deleted_is_named_by_the_full_check(
    world: World, pipelines: Pipelines, contacts: dict[str, Any]
) -> None:
    world.person("ada@x.test", **paying())
    pipelines.sync()
    database = world.sandbox.workspace.database
    with database.transaction():
        database.execute("DELETE FROM segment", [])
    with pytest.raises(FatalError, match=r"no segment Paying; there is none\."):
        pipelines.full_check(TO_SALESFORCE)
