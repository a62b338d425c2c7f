"""A changed mapping costs what the change touches: the linked records of that mapping."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from world import World

LINKED = 3
OTHERS = 160
"""More than a search page of contacts that have no other half."""


@dataclass
class People:
    contacts: list[str]
    persons: list[str]


@pytest.fixture
def people(world: World, pipelines: Pipelines) -> People:
    """Linked people among many that stand alone on their side, and linked accounts; all quiet."""
    _, contacts = pipelines.mappings
    contacts.pop("create")
    contacts["fields"] = [each for each in contacts["fields"] if each["sweo"] != "nps"]
    for n in range(4):
        world.account(f"C-{n}")
    made = People([], [])
    for n in range(LINKED):
        made.contacts.append(world.contact(f"p{n}@x.test", Department=f"Dept {n}"))
        made.persons.append(world.person(f"p{n}@x.test", custom_attributes={"nps": n}))
    for n in range(OTHERS):
        world.contact(f"alone{n}@a.test", Department="Alone")
        world.person(f"single{n}@b.test")
    for _ in range(3):
        pipelines.sync()
    world.sandbox.advance(7200)
    pipelines.sync()
    world.sandbox.advance(7200)
    world.sandbox.reset_calls()
    return made


def add(pipelines: Pipelines, **field: Any) -> None:
    pipelines.mappings[1]["fields"].append(field)


def test_a_new_field_to_sweo_reads_the_linked_contacts_alone(
    world: World, pipelines: Pipelines, people: People
) -> None:
    add(pipelines, salesforce="Department", sweo="department")
    run = pipelines.run(TO_SWEO)
    assert run.records == LINKED
    # Describes, those of related objects, what changed, and the linked rows.
    assert world.calls("salesforce")["total"] == 4
    held = [world.person_now(person)["custom_attributes"] for person in people.persons]
    assert [each["department"] for each in held] == [f"Dept {n}" for n in range(LINKED)]
    assert world.calls("sweo")["writes"] == LINKED + 1, "the attribute and a value each"
    assert pipelines.run(TO_SWEO).records == 0


def test_a_new_field_to_salesforce_reads_the_linked_people_alone(
    world: World, pipelines: Pipelines, people: People
) -> None:
    add(pipelines, salesforce="NPS__c", sweo="nps", direction="to_salesforce")
    run = pipelines.run(TO_SALESFORCE)
    assert run.records == LINKED
    by_endpoint = world.calls("sweo")["by_endpoint"]
    assert by_endpoint["GET /contacts/{id}"] == LINKED
    assert by_endpoint["POST /contacts/search"] == 1, "what changed, and no page of the others"
    rows = [world.row("Contact", contact)["NPS__c"] for contact in people.contacts]
    assert rows == list(range(LINKED))
    assert pipelines.run(TO_SALESFORCE).records == 0
