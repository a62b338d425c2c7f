"""The initial import: accounts, contacts and who belongs to whom, at the floor, resumable."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from crosswalk.errors import SyncError
from crosswalk.ledger.schema import change
from pipelines import TO_SWEO, Pipelines
from sqlalchemy import select
from world import World

ACCOUNTS, CONTACTS = 12, 40


@pytest.fixture
def importing(pipelines: Pipelines) -> Pipelines:
    for mapping in pipelines.mappings:
        mapping["create"] = {"sweo": "import"}
    return pipelines


def populate(world: World) -> None:
    accounts = [world.account(f"C-{n}", Industry="Energy") for n in range(ACCOUNTS)]
    for n in range(CONTACTS):
        world.contact(f"p{n}@x.test", AccountId=accounts[n % ACCOUNTS], Phone=f"+44 {n}")


def switch_on(pipelines: Pipelines) -> None:
    for target in ("target-sweo", "target-salesforce"):
        pipelines.settings.setdefault(target, {})["initial_import"] = True


def everybody(world: World) -> list[dict[str, Any]]:
    rows = world.sandbox.workspace.database.rows("SELECT * FROM contact")
    return list(world.sandbox.workspace.contacts.views(rows))


def test_only_the_import_makes_records(world: World, importing: Pipelines) -> None:
    populate(world)
    importing.sync()
    assert everybody(world) == []
    switch_on(importing)
    importing.state.clear()  # a job of its own has a STATE of its own
    importing.sync()
    assert len(everybody(world)) == CONTACTS
    importing.settings.clear()
    world.contact("late@x.test")
    importing.sync()
    assert len(everybody(world)) == CONTACTS


def test_it_brings_everything_at_the_floor(world: World, importing: Pipelines) -> None:
    populate(world)
    switch_on(importing)
    importing.run(TO_SWEO)  # makes the attributes, for which the floor has no number
    world.sandbox.reset_calls()
    for number in range(30):
        account = world.account(f"D-{number}", Industry="Energy", Seats__c=5)
        for each in "abc":
            world.contact(f"{each}{number}@y.test", AccountId=account, Title="T")
    run = importing.run(TO_SWEO)
    assert run.counts["created"] == 120
    companies, contacts = 30, 90
    calls = world.calls("sweo")
    assert calls["writes"] == companies + 2 * contacts
    assert calls["reads"] <= 1, calls["by_endpoint"]
    assert world.calls("salesforce")["total"] == 1
    people = [person for person in everybody(world) if person["email"].endswith("@y.test")]
    assert Counter(len(person["companies"]["data"]) for person in people) == {1: contacts}


def test_a_409_costs_one_call_more_and_links(world: World, importing: Pipelines) -> None:
    """An archived person is in no list, and so its key could not be read."""
    switch_on(importing)
    world.sandbox.workspace.settings.index_lag_seconds = 600
    importing.run(TO_SWEO)
    person = world.person("ada@x.test")
    world.contact("ada@x.test", Phone="+44 1")
    world.sandbox.reset_calls()
    importing.run(TO_SWEO)
    assert world.person_now(person)["phone"] == "+44 1"
    assert world.calls("sweo")["by_endpoint"]["POST /contacts"] == 1
    assert len(everybody(world)) == 1


def test_an_import_that_was_cut_off_makes_nothing_twice(world: World, importing: Pipelines) -> None:
    populate(world)
    switch_on(importing)
    world.sandbox.fault("sweo", "reset_after", endpoint="POST /companies", nth=3)
    world.sandbox.fault("sweo", "reset_after", endpoint="POST /contacts", nth=5)
    world.sandbox.fault("sweo", "status", endpoint="POST /contacts", status=401, nth=20)
    with pytest.raises(SyncError):
        importing.run(TO_SWEO)
    for _ in range(3):
        importing.run(TO_SWEO)
    people = everybody(world)
    assert Counter(person["email"] for person in people).most_common(1)[0][1] == 1
    assert len(people) == CONTACTS
    assert all(len(person["companies"]["data"]) == 1 for person in people)
    companies = world.sandbox.workspace.database.rows("SELECT company_id FROM company")
    assert len(companies) == ACCOUNTS


def test_what_a_person_changed_in_a_company_whose_answer_was_lost_is_kept(
    world: World, importing: Pipelines
) -> None:
    """An import makes companies without looking first, but never one that is in doubt."""
    switch_on(importing)
    world.account("C-1", Industry="Energy")
    world.sandbox.fault("sweo", "reset_after", endpoint="POST /companies", nth=1)
    importing.run(TO_SWEO)
    company = world.sandbox.workspace.companies.find(company_id="C-1")
    world.edit_company(company["id"], industry="Retail")
    importing.run(TO_SWEO)
    assert world.company_now(company["id"])["industry"] == "Energy"
    with importing.ledger.engine.connect() as connection:
        replaced = connection.execute(select(change.c.old).where(change.c.field == "industry"))
        assert '"Retail"' in replaced.scalars().all()


def test_a_company_that_no_list_shows_is_taken_over_and_said(
    world: World, importing: Pipelines, caplog: pytest.LogCaptureFixture
) -> None:
    switch_on(importing)
    made = world.sandbox.workspace.companies.upsert({"company_id": "C-1", "name": "Old"})
    world.sandbox.advance(3600)
    world.account("C-1", Name="Acme")
    importing.run(TO_SWEO)
    assert world.company_now(made["id"])["name"] == "Acme"
    assert "was there already, although no list showed it" in caplog.text
