"""Values that somebody computes: product scores to Salesforce, and attributes made for Sweo."""

from __future__ import annotations

from pipelines import Pipelines
from recipes import recipe
from world import World


def test_a_score_flows_and_a_made_attribute_says_where_it_comes_from(
    world: World, pipelines: Pipelines
) -> None:
    pipelines.mappings = recipe("15")
    account = world.account("C-1", ARR__c=1200.5)
    company = world.company("C-1", custom_attributes={"health_score": 7.257})
    pipelines.sync()
    assert world.row("Account", account)["Health__c"] == 7.26
    assert world.company_now(company)["custom_attributes"]["arr"] == 1200.5
    told = {each.name: each.description for each in world.sandbox.workspace.attributes.all()}
    assert told["arr"] == "From Salesforce Account.ARR__c, by Sweo Sync."
    assert told["health_score"] is None

    world.sandbox.advance(5)
    world.edit_company(company, custom_attributes={"health_score": 7.2599})
    pipelines.sync()
    world.sandbox.reset_calls()
    pipelines.sync()
    assert world.calls("salesforce")["writes"] == world.calls("sweo")["writes"] == 0
