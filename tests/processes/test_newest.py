"""``newest`` where the vendors' clocks are not this machine's."""

from __future__ import annotations

import pytest
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from world import World


@pytest.mark.parametrize("later", ["salesforce", "sweo"])
@pytest.mark.parametrize("first", [TO_SWEO, TO_SALESFORCE])
def test_the_later_edit_wins_an_hour_ahead_of_this_machine(
    world: World, pipelines: Pipelines, later: str, first: str
) -> None:
    contact = world.contact("ann@x.test", Phone="+1 555 000")
    person = world.person("ann@x.test", phone="+1 555 000")
    pipelines.sync()
    pipelines.sync()
    world.sandbox.advance(3600)
    edits = {
        "salesforce": lambda: world.edit_salesforce("Contact", contact, Phone="+1 555 111"),
        "sweo": lambda: world.edit_person(person, phone="+1 555 222"),
    }
    for side in sorted(edits, key=lambda each: each == later):
        edits[side]()
        world.sandbox.advance(60)
    pipelines.run(first)
    pipelines.sync()
    winner = {"salesforce": "+1 555 111", "sweo": "+1 555 222"}[later]
    assert world.row("Contact", contact)["Phone"] == winner
    assert world.person_now(person)["phone"] == winner
