"""One pair, edited on both sides: every value arrives, and nothing is written twice."""

from __future__ import annotations

import pytest
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from world import World


@pytest.fixture
def pair(world: World, pipelines: Pipelines) -> tuple[str, str]:
    """An account and its company, linked and quiet."""
    account = world.account("C-1", Name="Acme", Industry="Banking", Website="https://a.test")
    company = world.company("C-1", name="Old name")
    pipelines.sync()
    pipelines.sync()
    world.sandbox.advance(5)
    world.sandbox.reset_calls()
    return account, company


def test_a_first_meeting_brings_both_to_agreement(
    world: World, pipelines: Pipelines, pair: tuple[str, str]
) -> None:
    account, company = pair
    seen = world.company_now(company)
    assert seen["name"] == "Acme"
    assert seen["industry"] == "Banking"
    assert seen["website"] == "https://a.test"
    assert world.row("Account", account)["Industry"] == "Banking"


def test_a_quiet_sync_writes_nothing_and_costs_the_floor(
    world: World, pipelines: Pipelines, pair: tuple[str, str]
) -> None:
    pipelines.run(TO_SWEO)
    assert world.calls("salesforce")["total"] == 1
    assert world.calls("sweo")["total"] == 0
    world.sandbox.reset_calls()
    pipelines.run(TO_SALESFORCE)
    assert world.calls("salesforce")["total"] == 0
    assert world.calls("sweo")["writes"] == 0


def test_one_edit_in_salesforce_is_one_write_and_no_echo(
    world: World, pipelines: Pipelines, pair: tuple[str, str]
) -> None:
    account, company = pair
    world.edit_salesforce("Account", account, Industry="Energy")
    pipelines.run(TO_SWEO)
    assert world.company_now(company)["industry"] == "Energy"
    assert world.calls("sweo")["writes"] == 1
    world.sandbox.reset_calls()
    pipelines.run(TO_SALESFORCE)
    assert world.calls("salesforce")["total"] == 0


def test_one_edit_in_sweo_is_one_write_and_no_echo(
    world: World, pipelines: Pipelines, pair: tuple[str, str]
) -> None:
    account, company = pair
    world.edit_company(company, industry="Retail")
    pipelines.run(TO_SALESFORCE)
    assert world.row("Account", account)["Industry"] == "Retail"
    assert world.calls("salesforce")["writes"] == 1
    world.sandbox.reset_calls()
    pipelines.run(TO_SWEO)
    assert world.calls("sweo")["writes"] == 0


def test_different_fields_edited_on_both_sides_both_survive(
    world: World, pipelines: Pipelines, pair: tuple[str, str]
) -> None:
    account, company = pair
    world.edit_salesforce("Account", account, Industry="Energy")
    world.edit_company(company, website="https://b.test")
    pipelines.sync()
    seen = world.company_now(company)
    assert (seen["industry"], seen["website"]) == ("Energy", "https://b.test")
    row = world.row("Account", account)
    assert (row["Industry"], row["Website"]) == ("Energy", "https://b.test")


@pytest.mark.parametrize(("conflict", "winner"), [("salesforce", "Energy"), ("sweo", "Retail")])
@pytest.mark.parametrize("first", [TO_SWEO, TO_SALESFORCE])
def test_the_same_field_on_both_sides_follows_the_policy(
    world: World,
    pipelines: Pipelines,
    pair: tuple[str, str],
    conflict: str,
    winner: str,
    first: str,
) -> None:
    account, company = pair
    pipelines.mappings[0]["conflict"] = conflict
    world.edit_salesforce("Account", account, Industry="Energy")
    world.edit_company(company, industry="Retail")
    pipelines.run(first)
    pipelines.sync()
    assert world.company_now(company)["industry"] == winner
    assert world.row("Account", account)["Industry"] == winner
    world.sandbox.reset_calls()
    pipelines.sync()
    assert world.calls("sweo")["writes"] == world.calls("salesforce")["writes"] == 0


def test_an_emptied_value_travels(
    world: World, pipelines: Pipelines, pair: tuple[str, str]
) -> None:
    account, company = pair
    world.edit_salesforce("Account", account, Industry=None)
    pipelines.run(TO_SWEO)
    assert not world.company_now(company).get("industry")
    pipelines.run(TO_SALESFORCE)
    assert world.row("Account", account)["Industry"] is None


@pytest.mark.parametrize("first", [TO_SWEO, TO_SALESFORCE])
@pytest.mark.parametrize("skewed", ["salesforce", "sweo", "both"])
def test_newest_compares_by_one_clock(
    world: World, pipelines: Pipelines, pair: tuple[str, str], first: str, skewed: str
) -> None:
    """Whichever server's clock is off, the edit that came later wins."""
    account, company = pair
    pipelines.mappings[0]["conflict"] = "newest"
    if skewed in ("salesforce", "both"):
        world.sandbox.clock_salesforce.advance(3_600)
    if skewed in ("sweo", "both"):
        world.sandbox.clock_sweo.advance(3_600)
    world.edit_salesforce("Account", account, Industry="Energy")
    world.sandbox.advance(60)
    world.edit_company(company, industry="Retail")
    world.sandbox.advance(60)
    pipelines.run(first)
    pipelines.sync()
    assert world.row("Account", account)["Industry"] == "Retail"
    assert world.company_now(company)["industry"] == "Retail"
