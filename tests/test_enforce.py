"""Enforced fields: what somebody changes on the side that only receives them is put back."""

from __future__ import annotations

from typing import Any

import pytest
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from recipes import command, recipe
from world import World


@pytest.fixture
def pair(world: World, pipelines: Pipelines) -> tuple[str, str]:
    """An account and its company in step, with the recipe's field configs."""
    pipelines.mappings = recipe("12")
    account = world.account("C-1", Name="Acme", Industry="Banking")
    company = world.company("C-1", custom_attributes={"health_score": 71.5})
    for _ in range(2):
        pipelines.sync()
    assert world.company_now(company)["name"] == "Acme"
    assert world.row("Account", account)["Health__c"] == 71.5
    world.sandbox.advance(60)
    return account, company


def log(pipelines: Pipelines, field: str) -> list[dict[str, Any]]:
    rows = command(pipelines, "log")
    return [row for row in rows if row["field"] == field]


def test_what_was_changed_in_sweo_is_counted_by_the_check_and_put_back_by_the_next_run(
    world: World, pipelines: Pipelines, pair: tuple[str, str]
) -> None:
    _, company = pair
    world.edit_company(company, name="Typed over", industry="Typed over")
    pipelines.sync()
    assert world.company_now(company)["name"] == "Typed over", "an ordinary run does not look"
    world.sandbox.reset_calls()
    [checked] = pipelines.full_check(TO_SALESFORCE)
    assert checked.counts["drifted"] == 2
    assert world.calls("salesforce")["writes"] == world.calls("sweo")["writes"] == 0
    run = pipelines.run(TO_SWEO)
    assert (run.counts["put_back"], run.counts["fields"]) == (1, 1)
    now = world.company_now(company)
    assert (now["name"], now["industry"]) == ("Acme", "Typed over")
    [newest, *_] = log(pipelines, "name")
    assert (newest["outcome"], newest["old"], newest["new"]) == ("put back", "Typed over", "Acme")
    assert pipelines.is_quiet()
    assert pipelines.full_check(TO_SALESFORCE)[0].counts["drifted"] == 1


def test_what_was_changed_in_salesforce_is_put_back_as_well_also_an_emptied_value(
    world: World, pipelines: Pipelines, pair: tuple[str, str]
) -> None:
    account, company = pair
    world.edit_salesforce("Account", account, Health__c=1)
    pipelines.sync()
    assert pipelines.full_check(TO_SWEO)[0].counts["drifted"] == 1
    pipelines.run(TO_SALESFORCE)
    assert world.row("Account", account)["Health__c"] == 71.5
    world.edit_company(company, custom_attributes={"health_score": None})
    pipelines.sync()
    world.sandbox.advance(60)
    world.edit_salesforce("Account", account, Health__c=2)
    pipelines.full_check(TO_SWEO)
    pipelines.run(TO_SALESFORCE)
    assert world.row("Account", account)["Health__c"] is None
    assert pipelines.is_quiet()


def test_what_the_owner_changed_meanwhile_goes_before_what_was_typed_over(
    world: World, pipelines: Pipelines, pair: tuple[str, str]
) -> None:
    account, company = pair
    world.edit_company(company, name="Typed over")
    pipelines.full_check(TO_SALESFORCE)
    world.edit_salesforce("Account", account, Name="Acme Inc.")
    pipelines.run(TO_SWEO)
    assert world.company_now(company)["name"] == "Acme Inc."
    assert pipelines.is_quiet()


def test_what_was_put_right_by_hand_is_left_alone(
    world: World, pipelines: Pipelines, pair: tuple[str, str]
) -> None:
    _, company = pair
    world.edit_company(company, name="Typed over")
    pipelines.full_check(TO_SALESFORCE)
    world.edit_company(company, name="Acme")
    world.sandbox.reset_calls()
    run = pipelines.run(TO_SWEO)
    assert "put_back" not in run.counts
    assert world.calls("sweo")["writes"] == 0
    assert pipelines.is_quiet()


def test_worlds_in_step_show_no_drift_whatever_was_written_last(
    world: World, pipelines: Pipelines, pair: tuple[str, str]
) -> None:
    account, company = pair
    world.edit_salesforce("Account", account, Name="New", Industry="Energy")
    world.edit_company(company, custom_attributes={"health_score": 12})
    pipelines.sync()
    for direction in (TO_SWEO, TO_SALESFORCE):
        assert "drifted" not in pipelines.full_check(direction)[0].counts
    assert pipelines.is_quiet()
