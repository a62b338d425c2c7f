"""What protects people from a run: limits, holds, pauses, and quarantine."""

from __future__ import annotations

from typing import Any

import pytest
from crosswalk.ledger import schema
from crosswalk.ledger.runs import approve
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from singer_runtime.exchange import PausedError
from singer_runtime.limits import TooMuchError
from sqlalchemy import insert, select, text
from sweo_sandbox.salesforce.lifecycle import merge
from sweo_sandbox.salesforce.rules import ValidationRule
from world import World


@pytest.fixture
def pairs(world: World, pipelines: Pipelines) -> list[tuple[str, str]]:
    """Three accounts and their companies, linked and quiet."""
    made = [(world.account(f"C-{n}", Industry=f"I-{n}"), world.company(f"C-{n}")) for n in range(3)]
    pipelines.sync()
    pipelines.sync()
    world.sandbox.advance(5)
    return made


def limited(pipelines: Pipelines, **limits: int) -> None:
    # The sandbox environment has no limits; the host guard is of no interest here.
    pipelines.settings["target-sweo"] = {"environment": None, **limits}


def last_run(pipelines: Pipelines) -> str:
    with pipelines.ledger.reader.connect() as connection:
        found = connection.execute(
            text("SELECT id FROM run WHERE direction='to_sweo' ORDER BY started_at DESC")
        ).scalar()
    return str(found)


def rows(pipelines: Pipelines, table: str) -> list[dict[str, Any]]:
    with pipelines.ledger.reader.connect() as connection:
        found = connection.execute(select(schema.metadata.tables[table])).mappings()
        return [dict(row) for row in found]


def test_a_run_that_would_write_too_much_writes_nothing_until_approved(
    world: World, pipelines: Pipelines, pairs: list[tuple[str, str]]
) -> None:
    limited(pipelines, max_writes=2)
    for account, _ in pairs:
        world.edit_salesforce("Account", account, Industry="Energy")
    world.sandbox.reset_calls()
    with pytest.raises(TooMuchError, match=r"at least 3 records.*sweo-sync approve"):
        pipelines.run(TO_SWEO)
    assert world.calls("sweo")["writes"] == 0
    with pytest.raises(TooMuchError):
        pipelines.run(TO_SWEO)
    approve(pipelines.ledger, last_run(pipelines))
    pipelines.run(TO_SWEO)
    assert {world.company_now(company)["industry"] for _, company in pairs} == {"Energy"}


def test_a_run_within_its_limits_writes_at_the_end_of_the_stream(
    world: World, pipelines: Pipelines, pairs: list[tuple[str, str]]
) -> None:
    limited(pipelines, max_writes=3)
    for account, _ in pairs:
        world.edit_salesforce("Account", account, Industry="Energy")
    pipelines.run(TO_SWEO)
    assert {world.company_now(company)["industry"] for _, company in pairs} == {"Energy"}
    world.sandbox.advance(700)
    world.sandbox.reset_calls()
    pipelines.run(TO_SWEO)
    assert world.calls("sweo")["total"] == 0


def test_emptied_fields_are_limited_of_their_own(
    world: World, pipelines: Pipelines, pairs: list[tuple[str, str]]
) -> None:
    limited(pipelines, max_clears=1)
    for account, _ in pairs[:2]:
        world.edit_salesforce("Account", account, Industry=None)
    with pytest.raises(TooMuchError, match="empty at least 2 fields"):
        pipelines.run(TO_SWEO)
    assert world.company_now(pairs[0][1])["industry"] == "I-0"


def test_a_paused_mapping_stops_at_the_next_batch(
    world: World, pipelines: Pipelines, pairs: list[tuple[str, str]]
) -> None:
    world.edit_salesforce("Account", pairs[0][0], Industry="Energy")
    lines = pipelines.map(TO_SWEO, pipelines.tap(TO_SWEO))
    with pipelines.ledger.engine.begin() as connection:
        connection.execute(insert(schema.pause).values(mapping="accounts", since="now"))
    before = pipelines.state[TO_SWEO]
    with pytest.raises(PausedError, match="sweo-sync resume"):
        pipelines.target(TO_SWEO, lines)
    assert world.company_now(pairs[0][1])["industry"] == "I-0"
    assert pipelines.state[TO_SWEO] == before


def test_asked_conflicts_hold_only_their_field(
    world: World, pipelines: Pipelines, pairs: list[tuple[str, str]]
) -> None:
    pipelines.mappings[0]["conflict"] = "ask"
    account, company = pairs[0]
    world.edit_salesforce("Account", account, Industry="Energy", Website="https://new.test")
    world.edit_company(company, industry="Retail")
    pipelines.sync()
    pipelines.sync()
    assert world.row("Account", account)["Industry"] == "Energy"
    seen = world.company_now(company)
    assert (seen["industry"], seen["website"]) == ("Retail", "https://new.test")
    [conflict] = rows(pipelines, "conflict")
    assert (conflict["status"], conflict["salesforce"], conflict["sweo"]) == (
        "open",
        '"Energy"',
        '"Retail"',
    )


def test_ping_pong_is_held_once(
    world: World, pipelines: Pipelines, pairs: list[tuple[str, str]]
) -> None:
    account, company = pairs[0]
    for _ in range(6):
        world.edit_salesforce("Account", account, Industry="Energy")
        world.sandbox.advance(60)
        pipelines.sync()
        world.edit_company(company, industry="Retail")
        world.sandbox.advance(60)
        pipelines.sync()
    held = [row for row in rows(pipelines, "conflict") if row["status"] == "open"]
    assert [row["reason"] for row in held] == ["rewritten by the other side"]
    world.sandbox.reset_calls()
    pipelines.sync()
    assert world.calls("sweo")["writes"] == world.calls("salesforce")["writes"] == 0


def test_a_refused_field_lets_the_others_through_and_heals(
    world: World, pipelines: Pipelines, pairs: list[tuple[str, str]]
) -> None:
    account, company = pairs[0]
    world.edit_company(company, industry="X" * 200, website="https://kept.test")
    pipelines.run(TO_SALESFORCE)
    row = world.row("Account", account)
    assert (row["Industry"], row["Website"]) == ("I-0", "https://kept.test")
    [refused] = rows(pipelines, "quarantine")
    assert (refused["field"], refused["source_id"]) == ("Industry", company)
    assert "X" * 20 not in refused["message"]
    world.sandbox.advance(60)
    world.edit_company(company, industry="Retail")
    pipelines.run(TO_SALESFORCE)
    assert world.row("Account", account)["Industry"] == "Retail"
    assert not rows(pipelines, "quarantine")


def test_one_poisoned_record_stops_nothing_else(world: World, pipelines: Pipelines) -> None:
    accounts = [world.account(f"C-{n}") for n in range(200)]
    companies = [world.company(f"C-{n}") for n in range(200)]
    pipelines.sync()
    world.sandbox.advance(60)
    world.sandbox.org.validation_rules.append(
        ValidationRule("Account", "Website", "poison", "Not this one.")
    )
    for number, company in enumerate(companies):
        website = "https://poison.test" if number == 7 else f"https://{number}.test"
        world.edit_company(company, website=website)
    run = pipelines.run(TO_SALESFORCE)
    assert run.counts["updated"] == 199
    assert run.counts["quarantined"] == 1
    written = [world.row("Account", account)["Website"] for account in accounts]
    assert written.count(None) == 1
    [refused] = rows(pipelines, "quarantine")
    assert refused["code"] == "FIELD_CUSTOM_VALIDATION_EXCEPTION"
    world.sandbox.advance(60)
    world.edit_company(companies[7], website="https://fixed.test")
    pipelines.run(TO_SALESFORCE)
    assert world.row("Account", accounts[7])["Website"] == "https://fixed.test"
    assert not rows(pipelines, "quarantine")


def test_a_merged_account_moves_its_link_to_the_survivor(
    world: World, pipelines: Pipelines, pairs: list[tuple[str, str]]
) -> None:
    (loser, company), survivor = pairs[0], world.account(None, Name="Survivor")
    org = world.sandbox.org
    merge(org, org._sobject("Account"), survivor, [loser])
    pipelines.sync()
    pipelines.sync()
    assert world.company_now(company)["name"] == "Survivor"
    assert any(row["outcome"] == "merged away" for row in rows(pipelines, "change"))
