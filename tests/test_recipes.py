"""The recipes do what they say, with the very field configs that they show."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from crosswalk.errors import FatalError
from crosswalk.loader import load_config
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from recipes import RECIPES, command, configs, recipe
from sweo_sync.cli import main
from world import World

ROOT = Path(__file__).parent.parent
COVERAGE = (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| *(\d*) *\| ([^|]+) \|[^|]*\| ([^|]+) \|([^|]*)\|([^|]*)\|$", re.MULTILINE)


@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.name)
def test_what_a_recipe_shows_can_be_declared_and_its_commands_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for heading in ("**What happens.**", "**What it costs.**"):
        assert text.count(heading) == 1 or page.name.startswith("16")
    mappings = configs(text)
    if mappings:
        assert load_config(mappings=mappings, environ={}).mappings
    commands = set(re.findall(r"sweo-sync ([a-z-]+)", text))
    assert commands <= set(main.commands)
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert not [link for link in links if not (page.parent / link).exists()]


def test_the_table_of_contents_is_whole() -> None:
    contents = (ROOT / "docs" / "recipes" / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\((\d\d-[^)]+)\)", contents) == [page.name for page in RECIPES]


def test_coverage_claims_only_what_a_test_shows() -> None:
    rows = ROW.findall(COVERAGE)
    numbered = [int(number) for number, *_ in rows if number]
    assert numbered == list(range(1, 21))
    for _, behaviour, state, test, page in rows:
        if state.startswith("not yet"):
            assert not test.strip(), behaviour
            continue
        assert state.startswith(("works", "partly: ")), behaviour
        path, name = test.strip().strip("`").split("::")
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        assert name in {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}, behaviour
        for link in re.findall(r"\]\(([^)]+)\)", page):
            assert (ROOT / "docs" / link).exists(), behaviour


def test_the_second_key_finds_what_the_first_does_not(world: World, pipelines: Pipelines) -> None:
    pipelines.mappings = recipe("02")
    world.contact("old@x.test", Sweo_Id__c="u-1", Title="By id")
    world.contact("Ada@X.test", Title="By email")
    by_id = world.person("new@x.test", external_id="u-1")
    by_email = world.person("ada@x.test")
    pipelines.sync()
    pipelines.sync()
    assert world.person_now(by_id)["custom_attributes"]["job_title"] == "By id"
    assert world.person_now(by_email)["custom_attributes"]["job_title"] == "By email"


def test_fields_of_related_records(world: World, pipelines: Pipelines) -> None:
    pipelines.mappings = recipe("03")
    account, company = world.account("C-1", Industry="Energy"), world.company("C-1")
    world.contact("ada@x.test", AccountId=account)
    person = world.person("ada@x.test")
    pipelines.sync()
    pipelines.sync()
    owner = world.company_now(company)["custom_attributes"]["account_owner"]
    assert "@" in owner
    held = world.person_now(person)["custom_attributes"]
    assert held == {"company_industry": "Energy", "account_owner_email": owner}
    world.sandbox.advance(700)
    world.edit_salesforce("Account", account, Industry="Banking")
    pipelines.run(TO_SWEO)
    assert world.person_now(person)["custom_attributes"]["company_industry"] == "Banking"


def test_fields_that_setup_made_are_filled(world: World, pipelines: Pipelines) -> None:
    pipelines.mappings = recipe("04")
    account = world.account("C-1", Name="Acme")
    company = world.company("C-1", size=7, website="acme.example")
    with pytest.raises(FatalError, match="no field sweo_company_website__c"):
        pipelines.sync()
    token = pipelines.sandbox.env()["SALESFORCE_ACCESS_TOKEN"]
    done = command(pipelines, "setup", "--apply", SALESFORCE_SETUP_ACCESS_TOKEN=token)
    assert len(done["done"]["made"]) == 2
    pipelines.sync()
    pipelines.sync()
    row = world.row("Account", account)
    assert (row["sweo_company_size__c"], row["sweo_company_website__c"]) == (7, "acme.example")
    world.sandbox.advance(5)
    world.edit_salesforce("Account", account, sweo_company_website__c="acme.test")
    pipelines.sync()
    assert world.company_now(company)["website"] == "acme.test"


def test_types_that_cannot_meet_stop_the_run_before_it_writes(
    world: World, pipelines: Pipelines
) -> None:
    pipelines.mappings = recipe("16")
    pipelines.mappings[0]["fields"].append({"salesforce": "Is_Reference__c", "sweo": "size"})
    world.account("C-1", Renewal_Date__c="2026-03-01")
    world.company("C-1")
    world.sandbox.reset_calls()
    with pytest.raises(FatalError, match="size"):
        pipelines.run(TO_SWEO)
    assert world.calls("sweo")["writes"] == 0
    del pipelines.mappings[0]["fields"][-1]
    pipelines.sync()
    company = world.sandbox.workspace.companies.find(company_id="C-1")
    assert company["custom_attributes"]["renewal_date"]


def test_the_log_tells_what_a_run_wrote(world: World, pipelines: Pipelines) -> None:
    account, company = world.account("C-1", Industry="Banking"), world.company("C-1")
    pipelines.sync()
    pipelines.sync()
    world.sandbox.advance(5)
    world.edit_salesforce("Account", account, Industry="Energy")
    pipelines.run(TO_SWEO)
    world.sandbox.advance(5)
    world.edit_company(company, industry="Retail")
    pipelines.run(TO_SALESFORCE)
    lines = command(pipelines, "log", "--record", account, "--since", "1h")
    rows = lines if isinstance(lines, list) else lines["changes"]
    told = [(row["side"], row["old"], row["new"]) for row in rows[:2]]
    assert told == [("salesforce", "Energy", "Retail"), ("sweo", "Banking", "Energy")]
