"""Full checks through whole pipelines: what ordinary runs cannot see, in slices."""

from __future__ import annotations

import copy
from typing import Any

from crosswalk.mapping import Side
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from sweo_sandbox.salesforce import lifecycle
from world import World

TAPS = {TO_SWEO: "tap-salesforce", TO_SALESFORCE: "tap-sweo"}


def test_a_check_of_worlds_in_step_writes_nothing_and_changes_no_bookmark(
    world: World, pipelines: Pipelines
) -> None:
    for number in range(7):
        account = world.account(f"C-{number}", Industry="Banking")
        world.contact(f"p{number}@x.test", AccountId=account, Phone="+441")
    pipelines.sync()
    pipelines.sync()
    before: dict[str, Any] = copy.deepcopy(pipelines.state)
    world.sandbox.reset_calls()
    for direction in TAPS:
        runs = pipelines.full_check(direction, slice_records=4)
        assert len(runs) > 1
        assert sum(run.counts.get("unchanged", 0) for run in runs) >= 14
    assert world.calls("sweo")["writes"] == world.calls("salesforce")["writes"] == 0
    assert pipelines.state == before
    assert pipelines.is_quiet()


def test_a_field_that_moves_no_timestamp_comes_with_the_check(
    world: World, pipelines: Pipelines
) -> None:
    account = world.account("C-1", Industry="Banking")
    pipelines.sync()
    pipelines.sync()
    world.sandbox.advance(3600)
    pipelines.sync()
    world.sandbox.advance(3600)
    world.sandbox.org.set_columns("Account", account, {"Industry": "Energy"})
    pipelines.sync()
    company = pipelines.ledger.links("accounts", Side.SALESFORCE, [account])[account].sweo_id
    assert world.company_now(company)["industry"] == "Banking"
    pipelines.full_check(TO_SWEO)
    assert world.company_now(company)["industry"] == "Energy"
    assert pipelines.is_quiet()


def test_a_company_without_contacts_brings_its_edits_with_the_check(
    world: World, pipelines: Pipelines
) -> None:
    account = world.account("C-1", Industry="Banking")
    pipelines.sync()
    pipelines.sync()
    company = pipelines.ledger.links("accounts", Side.SALESFORCE, [account])[account].sweo_id
    world.edit_company(company, industry="Energy")
    pipelines.run(TO_SALESFORCE)
    assert world.row("Account", account)["Industry"] == "Banking", "no list shows it"
    pipelines.full_check(TO_SALESFORCE)
    assert world.row("Account", account)["Industry"] == "Energy"
    assert pipelines.is_quiet()


def test_a_record_that_was_purged_ends_its_link_with_the_next_run(
    world: World, pipelines: Pipelines
) -> None:
    account = world.account("C-1")
    company = world.company("C-1")
    pipelines.sync()
    world.sandbox.advance(3600)
    world.sandbox.org.delete("Account", account, hard=True)
    world.sandbox.advance(120)
    world.sandbox.reset_calls()
    run = pipelines.run(TO_SWEO)
    assert run.counts["unlinked"] == 1
    assert world.calls("salesforce")["total"] == 1
    assert not pipelines.ledger.links("accounts", Side.SALESFORCE, [account])
    assert world.company_now(company)["company_id"] == "C-1"


def test_a_merged_account_hands_its_company_to_the_survivor(
    world: World, pipelines: Pipelines
) -> None:
    loser, master = world.account("C-1", Name="Loser"), world.account(None, Name="Master")
    company = world.company("C-1")
    pipelines.sync()
    world.sandbox.advance(3600)
    org = world.sandbox.org
    lifecycle.merge(org, org.schema.sobjects["account"], master, [loser])
    for _ in range(3):
        pipelines.sync()
    links = pipelines.ledger.links("accounts", Side.SALESFORCE, [loser, master])
    assert {account: link.sweo_id for account, link in links.items()} == {master: company}
    assert world.company_now(company)["name"] == "Master"


def test_a_deleted_person_is_found_by_the_check(world: World, pipelines: Pipelines) -> None:
    contact = world.contact("ann@x.test")
    person = world.person("ann@x.test")
    pipelines.sync()
    world.sandbox.advance(60)
    world.sandbox.workspace.contacts.delete(person)
    pipelines.run(TO_SALESFORCE)
    assert pipelines.ledger.links("contacts", Side.SALESFORCE, [contact])
    pipelines.full_check(TO_SALESFORCE)
    assert not pipelines.ledger.links("contacts", Side.SALESFORCE, [contact])
