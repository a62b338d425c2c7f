"""How links end: a half that is gone, merged into another, or known by another key."""

from __future__ import annotations

from datetime import timedelta

import pytest
from crosswalk.ledger.runs import forget_before
from crosswalk.mapping import Side
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from sweo_sandbox.salesforce.lifecycle import undelete
from sweo_sandbox.sweo.versions import parse_version
from world import World

VERSION = parse_version("2.16", "2.16")


@pytest.fixture
def lead(world: World) -> str:
    """A Sweo lead with the address of a Salesforce contact."""
    world.contact("ann@x.test", Phone="+4412345")
    return world.person("ann@x.test", role="lead")


def contact_id(world: World) -> str:
    [row] = world.sandbox.org.rows("Contact")
    return str(row["Id"])


def linked(pipelines: Pipelines, salesforce_id: str) -> str | None:
    found = pipelines.ledger.links("contacts", Side.SALESFORCE, [salesforce_id])
    return found[salesforce_id].sweo_id if found else None


def test_a_lead_that_was_merged_is_met_by_a_write_and_the_link_moves_to_the_user(
    world: World, pipelines: Pipelines, lead: str
) -> None:
    pipelines.sync()
    contact = contact_id(world)
    assert linked(pipelines, contact) == lead
    user = world.person("ann@x.test", role="user")
    world.sandbox.workspace.contacts.merge({"from": lead, "into": user}, VERSION)
    world.sandbox.advance(60)
    world.edit_salesforce("Contact", contact, Phone="+4499999")
    pipelines.run(TO_SWEO)
    assert linked(pipelines, contact) == user
    pipelines.sync()
    assert world.person_now(user)["phone"] == "+4499999"
    assert world.row("Contact", contact)["Phone"] == "+4499999"
    pipelines.sync()
    assert pipelines.is_quiet()


def test_whoever_takes_the_place_of_a_deleted_half_is_linked_and_gets_the_edit(
    world: World, pipelines: Pipelines, lead: str
) -> None:
    pipelines.sync()
    contact = contact_id(world)
    world.sandbox.workspace.contacts.delete(lead)
    world.sandbox.advance(60)
    world.edit_salesforce("Contact", contact, Phone="+4499999")
    pipelines.run(TO_SWEO)
    assert linked(pipelines, contact) is None
    world.sandbox.advance(60)
    again = world.person("ann@x.test", role="user")
    pipelines.sync()
    pipelines.sync()
    assert linked(pipelines, contact) == again
    assert world.person_now(again)["phone"] == "+4499999"
    assert len(world.sandbox.org.rows("Contact")) == 1


def test_on_delete_is_carried_out_though_a_write_met_the_deleted_half_first(
    world: World, pipelines: Pipelines, lead: str
) -> None:
    pipelines.mappings[1]["on_delete"] = "clear"
    pipelines.sync()
    contact = contact_id(world)
    world.sandbox.workspace.contacts.delete(lead)
    world.sandbox.advance(60)
    world.edit_salesforce("Contact", contact, Phone="+4499999")
    pipelines.run(TO_SWEO)
    assert world.row("Contact", contact)["Phone"] == "+4499999"
    pipelines.run(TO_SALESFORCE)
    assert world.row("Contact", contact)["Phone"] is None
    assert linked(pipelines, contact) is None
    pipelines.sync()
    assert pipelines.is_quiet()


def test_an_edit_made_while_the_other_half_was_deleted_outlives_the_undelete(
    world: World, pipelines: Pipelines, lead: str
) -> None:
    pipelines.sync()
    contact = contact_id(world)
    world.sandbox.org.delete("Contact", contact)
    pipelines.sync()
    world.sandbox.advance(60)
    world.edit_person(lead, phone="+4477777")
    pipelines.sync()
    world.sandbox.advance(60)
    undelete(world.sandbox.org, world.sandbox.org._sobject("Contact"), contact)
    pipelines.sync()
    pipelines.sync()
    assert linked(pipelines, contact) == lead
    assert world.row("Contact", contact)["Phone"] == "+4477777"
    assert world.person_now(lead)["phone"] == "+4477777"
    pipelines.sync()
    assert pipelines.is_quiet()


def test_what_on_delete_cleared_comes_back_with_an_undelete(
    world: World, pipelines: Pipelines, lead: str
) -> None:
    pipelines.mappings[1]["on_delete"] = "clear"
    pipelines.sync()
    contact = contact_id(world)
    world.sandbox.org.delete("Contact", contact)
    pipelines.sync()
    assert world.person_now(lead)["phone"] is None
    world.sandbox.advance(60)
    undelete(world.sandbox.org, world.sandbox.org._sobject("Contact"), contact)
    pipelines.sync()
    pipelines.sync()
    assert world.row("Contact", contact)["Phone"] == "+4412345"
    assert world.person_now(lead)["phone"] == "+4412345"
    pipelines.sync()
    assert pipelines.is_quiet()


@pytest.mark.parametrize("on_rematch", ["keep", "unlink"])
def test_a_changed_address_keeps_the_link_or_breaks_it(
    world: World, pipelines: Pipelines, lead: str, on_rematch: str
) -> None:
    pipelines.mappings[1]["on_rematch"] = on_rematch
    bob = world.person("bob@x.test")
    pipelines.sync()
    contact = contact_id(world)
    world.sandbox.advance(60)
    world.edit_salesforce("Contact", contact, Email="bob@x.test")
    pipelines.sync()
    assert linked(pipelines, contact) == (lead if on_rematch == "keep" else bob)
    pipelines.sync()
    assert pipelines.is_quiet()


def test_the_sync_log_is_kept_for_its_days_and_no_longer(
    world: World, pipelines: Pipelines, lead: str
) -> None:
    pipelines.sync()
    ledger = pipelines.ledger

    def kept() -> int:
        with ledger.engine.connect() as connection:
            return int(connection.exec_driver_sql("SELECT count(*) FROM change").scalar_one())

    genuine, written = ledger.clock, kept()
    ledger.clock = lambda: genuine() + timedelta(days=29)
    forget_before(ledger, 30)
    assert kept() == written > 0
    ledger.clock = lambda: genuine() + timedelta(days=31)
    forget_before(ledger, 30)
    assert kept() == 0
