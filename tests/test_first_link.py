"""`first_link: ask`: a pair whose values differ waits for a word before its first exchange."""

from __future__ import annotations

from typing import Any

import pytest
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from recipes import command, recipe
from world import World


@pytest.fixture
def imported(world: World, pipelines: Pipelines) -> tuple[str, str]:
    """A contact, and a person who carries its id and differs."""
    pipelines.mappings = recipe("13")
    contact = world.contact("ada@x.test", LastName="Lovelace", Title="Countess", Department="Maths")
    person = world.person("ada@home.test", external_id=contact, name="Ada", phone="+4477777")
    world.attribute("contact", "job_title", "string")
    world.edit_person(person, custom_attributes={"job_title": "Analyst"})
    return contact, person


def seen(world: World, pair: tuple[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    return world.row("Contact", pair[0]), world.person_now(pair[1])


def two_rounds(world: World, pipelines: Pipelines) -> None:
    for _ in range(2):
        world.sandbox.advance(60)
        pipelines.sync()


@pytest.mark.parametrize("first", [TO_SWEO, TO_SALESFORCE])
def test_a_pair_that_differs_waits_whichever_pipeline_finds_it(
    world: World, pipelines: Pipelines, imported: tuple[str, str], first: str
) -> None:
    before = seen(world, imported)
    pipelines.run(first)
    two_rounds(world, pipelines)
    assert seen(world, imported) == before
    [waiting] = command(pipelines, "review")
    assert (waiting["salesforce_id"], waiting["sweo_id"]) == imported
    shown = {each["fields"]["sweo"]: each["values"] for each in waiting["differences"]}
    assert shown["job_title"] == {"salesforce": "Countess", "sweo": "Analyst"}
    assert "department" not in shown, "only one side has a value there"
    assert pipelines.is_quiet()


def test_what_is_accepted_is_overwritten_by_salesforce_and_syncs_from_then_on(
    world: World, pipelines: Pipelines, imported: tuple[str, str]
) -> None:
    contact, person = imported
    pipelines.mappings[0]["first_meeting"] = "sweo"
    two_rounds(world, pipelines)
    [waiting] = command(pipelines, "review")
    assert command(pipelines, "review", "accept", str(waiting["id"]))["pairs"] == 1
    assert not command(pipelines, "review")
    two_rounds(world, pipelines)
    row, now = seen(world, imported)
    assert (now["custom_attributes"]["job_title"], row["Title"]) == ("Countess", "Countess")
    assert now["custom_attributes"]["department"] == "Maths"
    assert now["phone"] == "+4477777"
    replaced = [c["old"] for c in command(pipelines, "log") if c["field"] == "job_title"]
    assert replaced == ["Analyst"]
    world.edit_person(person, custom_attributes={"job_title": "Programmer"})
    two_rounds(world, pipelines)
    assert world.row("Contact", contact)["Title"] == "Programmer"
    assert pipelines.is_quiet()


def test_what_is_declined_is_left_alone_until_it_is_asked_about_again(
    world: World, pipelines: Pipelines, imported: tuple[str, str]
) -> None:
    contact, person = imported
    two_rounds(world, pipelines)
    assert command(pipelines, "review", "decline", "--field", "job_title")["pairs"] == 1
    world.edit_salesforce("Contact", contact, Title="Lady")
    world.edit_person(person, phone="+4488888")
    before = seen(world, imported)
    two_rounds(world, pipelines)
    assert seen(world, imported) == before
    assert not command(pipelines, "review")
    [declined] = command(pipelines, "review", "--declined")
    assert declined["state"] == "declined"
    assert command(pipelines, "review", "ask", "--all")["pairs"] == 1
    two_rounds(world, pipelines)
    [waiting] = command(pipelines, "review")
    titles = [d["values"] for d in waiting["differences"] if d["fields"]["salesforce"] == "Title"]
    assert titles == [{"salesforce": "Lady", "sweo": "Analyst"}]
    assert seen(world, imported) == before


def test_values_that_were_set_right_by_hand_need_no_word(
    world: World, pipelines: Pipelines, imported: tuple[str, str]
) -> None:
    contact, person = imported
    two_rounds(world, pipelines)
    world.sandbox.advance(60)
    world.edit_person(person, email="ada@x.test", name="Lovelace")
    world.edit_salesforce("Contact", contact, Title="Analyst")
    two_rounds(world, pipelines)
    assert not command(pipelines, "review")
    assert world.person_now(person)["custom_attributes"]["department"] == "Maths"
    assert pipelines.is_quiet()


def test_a_pair_that_agrees_is_exchanged_at_once(world: World, pipelines: Pipelines) -> None:
    pipelines.mappings = recipe("13")
    contact = world.contact("ada@x.test", LastName="Ada", Department="Maths")
    world.attribute("contact", "job_title", "string")
    person = world.person("ada@x.test", custom_attributes={"job_title": "Countess"})
    pipelines.run(TO_SALESFORCE)
    two_rounds(world, pipelines)
    assert world.person_now(person)["custom_attributes"]["department"] == "Maths"
    assert world.row("Contact", contact)["Title"] == "Countess"
    assert not command(pipelines, "review")
    assert pipelines.is_quiet()


def test_pairs_of_before_and_a_mapping_that_asks_no_more_go_on(
    world: World, pipelines: Pipelines, imported: tuple[str, str]
) -> None:
    two_rounds(world, pipelines)
    assert command(pipelines, "status")["mappings"][0]["under_review"] == 1
    del pipelines.mappings[0]["first_link"]
    world.sandbox.advance(60)
    world.edit_salesforce("Contact", imported[0], Title="Lady")
    two_rounds(world, pipelines)
    assert world.person_now(imported[1])["custom_attributes"]["job_title"] == "Lady"
    pipelines.mappings[0]["first_link"] = "ask"
    world.edit_person(imported[1], custom_attributes={"job_title": "Programmer"})
    two_rounds(world, pipelines)
    assert world.row("Contact", imported[0])["Title"] == "Programmer"
    assert pipelines.is_quiet()


def test_a_review_is_decided_by_its_own_command(
    world: World, pipelines: Pipelines, imported: tuple[str, str]
) -> None:
    two_rounds(world, pipelines)
    assert not command(pipelines, "conflicts")
    [number, *_] = [c["id"] for c in command(pipelines, "conflicts", "--all")]
    told = command(pipelines, "resolve", str(number), "--take", "sweo", exit_code=1)
    assert "sweo-sync review accept" in told
    assert "--all" in command(pipelines, "review", "accept", exit_code=2)
    told = command(pipelines, "review", "decline", "999", exit_code=1)
    assert "No pair 999 is there to decline" in told
    assert command(pipelines, "review"), "nothing was decided"
