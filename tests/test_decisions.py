"""What a person decides travels through the ordinary pipelines, to both sides, once."""

from __future__ import annotations

import pytest
from crosswalk.ledger import operate
from crosswalk.ledger.listings import conflicts
from crosswalk.mapping import Side
from pipelines import Pipelines
from sqlalchemy import text
from world import World


@pytest.fixture
def pair(world: World, pipelines: Pipelines) -> tuple[str, str]:
    account, company = world.account("C-1", Industry="Banking"), world.company("C-1")
    pipelines.sync()
    pipelines.sync()
    world.sandbox.advance(60)
    return account, company


def both(world: World, pair: tuple[str, str]) -> tuple[object, object]:
    account, company = pair
    return world.row("Account", account)["Industry"], world.company_now(company)["industry"]


def disagree(world: World, pipelines: Pipelines, pair: tuple[str, str], policy: str) -> None:
    account, company = pair
    pipelines.mappings[0]["conflict"] = policy
    world.edit_salesforce("Account", account, Industry="Energy")
    world.edit_company(company, industry="Retail")
    pipelines.sync()
    world.sandbox.advance(60)


def quiet(world: World, pipelines: Pipelines) -> None:
    world.sandbox.advance(60)
    world.sandbox.reset_calls()
    pipelines.sync()
    assert world.calls("sweo")["writes"] == world.calls("salesforce")["writes"] == 0


@pytest.mark.parametrize(("winner", "value"), [(Side.SALESFORCE, "Energy"), (Side.SWEO, "Retail")])
def test_a_side_is_taken(
    world: World, pipelines: Pipelines, pair: tuple[str, str], winner: Side, value: str
) -> None:
    disagree(world, pipelines, pair, "ask")
    [open_conflict] = conflicts(pipelines.ledger)
    operate.resolve(pipelines.ledger, open_conflict.id, winner)
    pipelines.sync()
    assert both(world, pair) == (value, value)
    assert not conflicts(pipelines.ledger)
    quiet(world, pipelines)


def test_a_third_value_reaches_both_sides(
    world: World, pipelines: Pipelines, pair: tuple[str, str]
) -> None:
    disagree(world, pipelines, pair, "ask")
    [open_conflict] = conflicts(pipelines.ledger)
    operate.resolve_with_value(pipelines.ledger, open_conflict.id, "Shipping")
    pipelines.sync()
    pipelines.sync()
    assert both(world, pair) == ("Shipping", "Shipping")
    quiet(world, pipelines)


def test_a_decision_lapses_where_a_side_has_moved(
    world: World, pipelines: Pipelines, pair: tuple[str, str]
) -> None:
    disagree(world, pipelines, pair, "ask")
    [open_conflict] = conflicts(pipelines.ledger)
    operate.resolve(pipelines.ledger, open_conflict.id, Side.SALESFORCE)
    world.edit_company(pair[1], industry="Mining")
    pipelines.sync()
    assert both(world, pair) == ("Energy", "Mining")
    [asked_again] = conflicts(pipelines.ledger)
    assert asked_again.status == "open"


def test_a_replaced_value_is_restored(
    world: World, pipelines: Pipelines, pair: tuple[str, str]
) -> None:
    disagree(world, pipelines, pair, "salesforce")
    assert both(world, pair) == ("Energy", "Energy")
    with pipelines.ledger.reader.connect() as connection:
        change = connection.execute(
            text("SELECT id FROM change WHERE old = '\"Retail\"'")
        ).scalar_one()
    operate.restore(pipelines.ledger, change)
    pipelines.sync()
    pipelines.sync()
    assert both(world, pair) == ("Retail", "Retail")
    quiet(world, pipelines)
