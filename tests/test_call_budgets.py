"""Budgets and limits through whole pipelines: a run that must end keeps what it has done."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest
import stamina
from crosswalk.errors import RetryLaterError
from crosswalk.ledger.usage import TAP_SALESFORCE, TARGET_SALESFORCE, calls_within_a_day, note_calls
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines, captured_stdout
from sweo_client.pace import Pace
from tap_salesforce.tap import TapSalesforce
from world import World


@pytest.fixture(autouse=True)
def _no_pauses() -> Any:
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


def run_that_ends_early(pipelines: Pipelines) -> str:
    """Run the pipeline to Sweo although its tap fails: what it wrote before goes its way."""
    pipelines.sandbox.advance(2)
    with captured_stdout() as out:
        tap = TapSalesforce(
            config=pipelines.config("tap-salesforce"), state=pipelines.state.get(TO_SWEO, {})
        )
        with pytest.raises(RetryLaterError) as caught:
            tap.sync_all()
        lines = out()
    pipelines.target(TO_SWEO, pipelines.map(TO_SWEO, lines))
    return str(caught.value)


def settle(world: World, pipelines: Pipelines, count: int) -> None:
    """Afterwards everything is there once, and nothing is left to do."""
    pipelines.sync()
    pipelines.sync()
    found = [world.sandbox.workspace.companies.find(company_id=f"N{n}") for n in range(count)]
    assert len({company["id"] for company in found}) == count
    world.sandbox.advance(5)
    world.sandbox.reset_calls()
    pipelines.sync()
    assert world.calls("sweo")["writes"] == world.calls("salesforce")["writes"] == 0


def test_calls_of_all_runs_are_counted(world: World, pipelines: Pipelines) -> None:
    world.account("C-1", Industry="Banking")
    company = world.company("C-1")
    world.sandbox.reset_calls()
    pipelines.sync()
    world.edit_company(company, industry="Energy")
    pipelines.sync()
    pipelines.sync()
    ledger = pipelines.ledger
    spent = calls_within_a_day(ledger, TAP_SALESFORCE, TARGET_SALESFORCE)
    assert spent == world.calls("salesforce")["total"]
    assert calls_within_a_day(ledger, TAP_SALESFORCE) > 0
    assert calls_within_a_day(ledger, TARGET_SALESFORCE) > 0
    assert "calls" not in pipelines.state[TO_SWEO]


def test_a_tap_stops_before_the_budget_and_goes_on_when_it_may(
    world: World, pipelines: Pipelines
) -> None:
    rows = [{"Name": f"A{n}", "Customer_Number__c": f"N{n}"} for n in range(2_100)]
    world.sandbox.org.bulk_load("Account", rows)
    pipelines.mappings = pipelines.mappings[:1]
    pipelines.mappings[0]["create"] = []
    assert pipelines.ledger.id, "there is a ledger before the tap begins"
    pipelines.settings["tap-salesforce"] = {"daily_api_calls": 3}
    sentence = run_that_ends_early(pipelines)
    assert sentence == (
        "Our runs have made 3 Salesforce calls within 24 hours, and 3 are allowed (setting "
        "daily_api_calls); a later run goes on from here."
    )
    bookmark = pipelines.state[TO_SWEO]["bookmarks"]["accounts"]
    assert "watermark" not in bookmark
    assert bookmark["at"]["id"]
    world.sandbox.reset_calls()
    run_that_ends_early(pipelines)
    assert world.calls("salesforce")["total"] == 0
    pipelines.settings["tap-salesforce"] = {"daily_api_calls": 0}
    rest = pipelines.run(TO_SWEO)
    assert rest.records == 100, "it goes on behind the last record"
    assert "watermark" in pipelines.state[TO_SWEO]["bookmarks"]["accounts"]


def test_a_fifth_of_the_allotment_is_the_default(world: World, pipelines: Pipelines) -> None:
    allowed = world.sandbox.org.settings.daily_calls
    ledger = pipelines.ledger
    note_calls(ledger, TAP_SALESFORCE, allowed // 5 - 1)
    sentence = run_that_ends_early(pipelines)
    assert f"and {allowed // 5} are allowed" in sentence


def test_a_target_obeys_the_same_budget(world: World, pipelines: Pipelines) -> None:
    account, company = world.account("C-1", Industry="Banking"), world.company("C-1")
    pipelines.sync()
    pipelines.sync()
    world.edit_company(company, industry="Energy")
    spent = calls_within_a_day(pipelines.ledger, TAP_SALESFORCE, TARGET_SALESFORCE)
    pipelines.settings["target-salesforce"] = {"daily_api_calls": spent}
    world.sandbox.reset_calls()
    with pytest.raises(RetryLaterError, match="daily_api_calls"):
        pipelines.run(TO_SALESFORCE)
    assert world.calls("salesforce")["total"] == 0
    pipelines.settings["target-salesforce"] = {}
    pipelines.run(TO_SALESFORCE)
    assert world.row("Account", account)["Industry"] == "Energy"


@pytest.mark.parametrize("nth", [1, 2])
def test_an_org_whose_calls_are_used_up_ends_the_read(
    world: World, pipelines: Pipelines, nth: int
) -> None:
    world.sandbox.org.bulk_load(
        "Account", [{"Name": f"A{n}", "Customer_Number__c": f"N{n}"} for n in range(5)]
    )
    world.sandbox.fault("salesforce", "REQUEST_LIMIT_EXCEEDED", endpoint="*/composite", nth=nth)
    assert "REQUEST_LIMIT_EXCEEDED" in run_that_ends_early(pipelines)
    world.sandbox.clear_faults()
    settle(world, pipelines, 5)


def test_an_org_whose_calls_are_used_up_keeps_every_edit(
    world: World, pipelines: Pipelines
) -> None:
    account, company = world.account("N0", Industry="Banking"), world.company("N0")
    pipelines.sync()
    pipelines.sync()
    world.edit_company(company, industry="Energy")
    world.sandbox.fault("salesforce", "REQUEST_LIMIT_EXCEEDED")
    with pytest.raises(RetryLaterError, match="REQUEST_LIMIT_EXCEEDED"):
        pipelines.run(TO_SALESFORCE)
    world.sandbox.clear_faults()
    pipelines.run(TO_SALESFORCE)
    assert world.row("Account", account)["Industry"] == "Energy"
    settle(world, pipelines, 1)


def test_a_write_that_meets_the_limit_is_not_lost(world: World, pipelines: Pipelines) -> None:
    account, company = world.account("N0", Industry="Banking"), world.company("N0")
    pipelines.sync()
    pipelines.sync()
    world.edit_company(company, industry="Energy")
    # The reading of the merge passes; the write behind it does not.
    world.sandbox.fault("salesforce", "REQUEST_LIMIT_EXCEEDED", endpoint="POST */composite", nth=1)
    world.sandbox.fault("salesforce", "REQUEST_LIMIT_EXCEEDED", endpoint="PATCH *", nth=1)
    with suppress(RetryLaterError):
        pipelines.run(TO_SALESFORCE)
    world.sandbox.clear_faults()
    pipelines.sync()
    pipelines.sync()
    assert world.row("Account", account)["Industry"] == "Energy"
    settle(world, pipelines, 1)


def test_a_workspace_that_answers_429_slows_a_run_and_nothing_is_lost(
    world: World, pipelines: Pipelines, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(Pace.__init__, "__defaults__", (pauses.append, time.monotonic))
    world.sandbox.org.bulk_load(
        "Account", [{"Name": f"A{n}", "Customer_Number__c": f"N{n}"} for n in range(20)]
    )
    world.sandbox.fault("sweo", "status", status=429, probability=0.3, seed=7)
    for _ in range(3):
        with suppress(RetryLaterError):
            pipelines.sync()
    assert max(pauses) > 1, "a full window is sat out"
    world.sandbox.clear_faults()
    settle(world, pipelines, 20)
