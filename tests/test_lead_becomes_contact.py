"""`becomes`: a converted lead keeps its person, who goes on with the contact."""

from __future__ import annotations

from typing import Any

import pytest
from crosswalk.mapping import Side
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from recipes import recipe
from sweo_sandbox.faults import FaultKind
from sweo_sandbox.salesforce.lifecycle import convert_lead
from sweo_sandbox.sweo.versions import parse_version
from world import World


@pytest.fixture
def lead(world: World, pipelines: Pipelines) -> str:
    """A lead in step with its person, who has the recipe's field configs."""
    pipelines.mappings = recipe("10")
    made = world.sandbox.org.insert(
        "Lead",
        {"LastName": "Ada", "Company": "Engines", "Email": "ada@x.test", "Title": "Countess"},
    )
    for _ in range(2):
        pipelines.sync()
    world.sandbox.advance(60)
    return made


def people(world: World) -> list[dict[str, Any]]:
    everybody = world.sandbox.workspace.all_contacts({"per_page": 150})["data"]
    return [person for person in everybody if person["email"] == "ada@x.test"]


def linked(pipelines: Pipelines, mapping: str, salesforce_id: str) -> str | None:
    found = pipelines.ledger.links(mapping, Side.SALESFORCE, [salesforce_id])
    return found[salesforce_id].sweo_id if found else None


def convert(world: World, lead: str, **given: Any) -> str:
    made = convert_lead(world.sandbox.org, lead, **given)
    world.sandbox.advance(60)
    return str(made["contact_id"])


def title(person: dict[str, Any]) -> Any:
    return person["custom_attributes"]["job_title"]


def test_the_person_goes_on_with_the_contact_and_its_account(
    world: World, pipelines: Pipelines, lead: str
) -> None:
    [before] = people(world)
    assert (before["role"], title(before)) == ("lead", "Countess")
    account = world.account("C-1", Name="Engines", Industry="Machinery")
    contact = convert(world, lead, account_id=account)
    world.edit_salesforce("Contact", contact, Title="Lady")
    run = pipelines.run(TO_SWEO)
    assert run.counts["converted"] == 1
    pipelines.sync()
    [person] = people(world)
    assert (person["id"], person["role"]) == (before["id"], "user")
    assert title(person) == "Lady"
    assert person["custom_attributes"]["company_industry"] == "Machinery"
    company = world.sandbox.workspace.companies.find(company_id="C-1")
    assert [c["id"] for c in person["companies"]["data"]] == [company["id"]]
    assert linked(pipelines, "contacts", contact) == person["id"]
    assert linked(pipelines, "leads", lead) is None
    assert pipelines.is_quiet()


@pytest.mark.parametrize("first", [TO_SWEO, TO_SALESFORCE])
def test_an_edit_of_the_person_that_the_lead_never_saw_reaches_the_contact(
    world: World, pipelines: Pipelines, lead: str, first: str
) -> None:
    [person] = people(world)
    contact = convert(world, lead)
    world.edit_person(person["id"], custom_attributes={"job_title": "Analyst"})
    world.sandbox.advance(60)
    pipelines.run(first)
    for _ in range(2):
        pipelines.sync()
    assert world.row("Contact", contact)["Title"] == "Analyst"
    assert title(people(world)[0]) == "Analyst"
    assert world.row("Lead", lead)["Title"] == "Countess"
    assert not pipelines.ledger.quarantined("to_salesforce", "leads")
    assert pipelines.is_quiet()


def test_a_lead_and_a_user_that_turn_out_to_be_one_are_merged(
    world: World, pipelines: Pipelines, lead: str
) -> None:
    contact = world.contact("ada@old.test", LastName="Ada", Title="Baroness")
    user = world.person("ada@old.test", role="user")
    for _ in range(2):
        pipelines.sync()
    assert linked(pipelines, "contacts", contact) == user
    assert len(people(world)) == 1
    account = world.account("C-1")
    world.sandbox.advance(60)
    convert(world, lead, account_id=account, contact_id=contact)
    run = pipelines.run(TO_SWEO)
    assert (run.counts["converted"], run.counts["merged"]) == (1, 1)
    for _ in range(2):
        pipelines.sync()
    assert not people(world), "the lead is part of the user now"
    assert title(world.person_now(user)) == "Baroness"
    assert pipelines.is_quiet()


@pytest.mark.parametrize("fault", ["reset_before", "reset_after"])
def test_a_merge_whose_answer_is_lost_is_seen_to_by_the_next_run(
    world: World, pipelines: Pipelines, lead: str, fault: FaultKind
) -> None:
    contact = world.contact("ada@old.test", LastName="Ada", Title="Baroness")
    user = world.person("ada@old.test", role="user")
    for _ in range(2):
        pipelines.sync()
    convert(world, lead, account_id=world.account("C-1"), contact_id=contact)
    world.sandbox.fault("sweo", fault, endpoint="*/contacts/merge", times=1)
    pipelines.run(TO_SWEO)
    world.sandbox.clear_faults()
    for _ in range(3):
        pipelines.sync()
    assert not people(world), "the lead is part of the user now"
    assert linked(pipelines, "leads", lead) is None
    assert linked(pipelines, "contacts", contact) == user
    assert pipelines.is_quiet()


def test_a_lead_that_sweo_merges_into_the_person_of_a_contact_lets_go(
    world: World, pipelines: Pipelines, lead: str
) -> None:
    contact = world.contact("ada@old.test", LastName="Ada", Title="Baroness")
    user = world.person("ada@old.test", role="user")
    for _ in range(2):
        pipelines.sync()
    [person] = people(world)
    world.sandbox.workspace.contacts.merge(
        {"from": person["id"], "into": user, "skip_duplicate_validation": True},
        parse_version("2.16", "2.16"),
    )
    world.sandbox.advance(60)
    world.edit_salesforce("Lead", lead, Title="Analyst")
    for _ in range(3):
        pipelines.sync()
    assert linked(pipelines, "leads", lead) is None
    assert title(world.person_now(user)) == world.row("Contact", contact)["Title"] == "Baroness"
    assert pipelines.is_quiet()


def test_a_conversion_that_was_cut_off_is_taken_up(
    world: World, pipelines: Pipelines, lead: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from singer_runtime.conversions import Conversions

    [before] = people(world)
    contact = convert(world, lead)
    with monkeypatch.context() as patch:
        patch.setattr(Conversions, "_hand_over", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            pipelines.run(TO_SWEO)
    pipelines.sync()
    assert linked(pipelines, "contacts", contact) == before["id"]
    assert [person["id"] for person in people(world)] == [before["id"]]
    pipelines.sync()
    assert pipelines.is_quiet()


def test_a_lead_that_was_converted_before_anybody_knew_it_is_passed_over(
    world: World, pipelines: Pipelines
) -> None:
    pipelines.mappings = recipe("10")
    made = world.sandbox.org.insert(
        "Lead", {"LastName": "Ada", "Company": "Engines", "Email": "ada@x.test"}
    )
    person = world.person("ada@x.test", role="user")
    contact = convert(world, made)
    for _ in range(2):
        pipelines.sync()
    assert linked(pipelines, "contacts", contact) == person
    assert linked(pipelines, "leads", made) is None
    assert len(people(world)) == 1
    assert pipelines.is_quiet()


def test_a_lead_that_becomes_a_user_in_sweo_is_no_lead_and_is_visited_once(
    world: World, pipelines: Pipelines, lead: str
) -> None:
    [person] = people(world)
    world.edit_person(person["id"], role="user")
    world.sandbox.advance(60)
    world.edit_salesforce("Lead", lead, Title="Lady")
    for _ in range(3):
        pipelines.sync()
    assert title(people(world)[0]) == "Lady"
    assert not list(pipelines.ledger.revisits("to_salesforce", "leads"))
