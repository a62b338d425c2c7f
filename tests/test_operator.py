"""What a person decided by hand travels through the ordinary pipelines."""

from __future__ import annotations

import pytest
from crosswalk.ledger import erasure, listings, operate
from pipelines import TO_SWEO
from singer_runtime.exchange import PausedError


@pytest.fixture
def pair(world, pipelines):
    account = world.account("C-1", Name="Acme", Industry="Banking", Seats__c=5)
    company = world.company("C-1", name="Old")
    pipelines.sync()
    pipelines.sync()
    world.sandbox.advance(5)
    return account, company


def quiet(world, pipelines):
    world.sandbox.advance(5)
    pipelines.sync()
    pipelines.sync()
    world.sandbox.advance(5)
    world.sandbox.reset_calls()
    pipelines.sync()
    assert world.calls("sweo")["writes"] == 0
    assert world.calls("salesforce")["writes"] == 0


def test_forget_then_sync_as_if_nothing_was(world, pipelines, pair):
    account, company = pair
    ledger = pipelines.ledger
    erasure.forget(ledger, erasure.traces_of(ledger, account))
    world.edit_company(company, industry="Retail")
    pipelines.sync()
    pipelines.sync()
    assert world.row("Account", account)["Industry"] == "Retail"
    assert world.row("Account", account)["Seats__c"] == 5
    assert listings.conflicts(ledger, settled=True) == []
    quiet(world, pipelines)


def test_pause_holds_one_mapping_and_loses_nothing(world, pipelines, pair):
    account, company = pair
    operate.pause(pipelines.ledger, "accounts")
    world.contact("x@y.test", Title="Boss")
    person = world.person("x@y.test")
    world.edit_salesforce("Account", account, Industry="Energy")
    pipelines.sync()
    pipelines.sync()
    assert world.company_now(company)["industry"] == "Banking"
    assert world.person_now(person)["custom_attributes"]["job_title"] == "Boss"
    operate.resume(pipelines.ledger)
    world.sandbox.advance(7200)
    pipelines.sync()
    assert world.company_now(company)["industry"] == "Energy"


def test_pause_everything(world, pipelines, pair):
    account, company = pair
    operate.pause(pipelines.ledger)
    world.edit_salesforce("Account", account, Industry="Energy")
    pipelines.sync()
    assert world.company_now(company)["industry"] == "Banking"
    operate.resume(pipelines.ledger)
    pipelines.sync()
    assert world.company_now(company)["industry"] == "Energy"


def test_pause_meets_a_running_target(world, pipelines, pair):
    account, company = pair
    world.edit_salesforce("Account", account, Industry="Energy")
    world.sandbox.advance(2)
    lines = pipelines.map(TO_SWEO, pipelines.tap(TO_SWEO))
    operate.pause(pipelines.ledger, "accounts")
    with pytest.raises(PausedError):
        pipelines.target(TO_SWEO, lines)
    assert world.company_now(company)["industry"] == "Banking"
    operate.resume(pipelines.ledger)
    pipelines.sync()
    assert world.company_now(company)["industry"] == "Energy"
