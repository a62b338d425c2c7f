"""`sweo-sync plan` through the real processes, without Meltano and under it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from crosswalk.ledger import schema
from meltano_project import Project
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from ruamel.yaml import YAML
from sqlalchemy import select
from sweo_sync.cli import main
from world import World


class Planner:
    """The command, and the STATE that the pipelines left."""

    def __init__(self, world: World, pipelines: Pipelines) -> None:
        self.world, self.pipelines = world, pipelines
        self.file = pipelines.folder / "mappings.yml"
        with self.file.open("w") as out:
            YAML().dump({"mappings": pipelines.mappings}, out)

    def run(self, *args: str) -> Result:
        states = []
        for direction, value in self.pipelines.state.items():
            file = self.pipelines.folder / f"{direction}.json"
            file.write_text(json.dumps({"singer_state": value}))
            states += ["--state", f"{direction}={file}"]
        gone = dict.fromkeys(("MELTANO_PROJECT_ROOT", "MELTANO_ENVIRONMENT"))
        environ = {
            **gone,
            **self.world.sandbox.env(),
            "SWEO_LEDGER_URL": self.pipelines.ledger_url,
            "SWEO_SYNC_MAPPING_FILE": str(self.file),
        }
        # The scan of all companies is due once an hour only.
        scan = self.pipelines.folder / "tap-sweo.json"
        scan.write_text(json.dumps({"company_scan_minutes": 0}))
        given = ["--config", f"tap-sweo={scan}", *states, *args]
        return CliRunner().invoke(main, ["plan", *given], env=environ)

    def ledger(self) -> dict[str, Any]:
        """Every row of the ledger."""
        ledger = self.pipelines.ledger
        with ledger.engine.connect() as connection:
            rows = {
                table.name: [tuple(row) for row in connection.execute(select(table))]
                for table in schema.metadata.sorted_tables
            }
        ledger.close()
        return rows


@pytest.fixture
def planner(world: World, pipelines: Pipelines) -> Planner:
    accounts, contacts = pipelines.mappings
    accounts["conflict"] = "ask"
    del contacts["create"]
    return Planner(world, pipelines)


def reads(world: World) -> int:
    return sum(int(world.calls(side)["reads"]) for side in ("sweo", "salesforce"))


def test_it_foretells_both_directions_and_changes_nothing(
    planner: Planner, world: World, pipelines: Pipelines
) -> None:
    account, company = world.account("C-1", Industry="Banking"), world.company("C-1")
    disputed = world.account("C-2", Industry="Banking"), world.company("C-2")
    waiting = world.contact("ada@x.test", Title="Countess")
    pipelines.sync()
    pipelines.sync()
    world.sandbox.advance(700)
    world.edit_salesforce("Account", account, Industry="Energy")
    world.edit_salesforce("Account", disputed[0], Industry="Energy")
    world.edit_company(disputed[1], industry="Retail")
    world.edit_company(company, custom_attributes={"health_score": 7}, plan="No such plan")
    world.account("C-3", Name="New")
    met = world.person("ada@x.test")
    world.sandbox.advance(2)

    before = planner.ledger()
    world.sandbox.reset_calls()
    result = planner.run("--json")
    assert result.exit_code == 2, result.output
    assert planner.ledger() == before
    assert world.calls("sweo")["writes"] == world.calls("salesforce")["writes"] == 0
    to_sweo, to_salesforce = json.loads(result.stdout)["directions"]
    changed = [c for c in to_sweo["changes"] if c["sweo_id"] == company]
    assert [(c["field"], c["old"], c["new"]) for c in changed] == [
        ("industry", "Banking", "Energy")
    ]
    made = [c for c in to_sweo["changes"] if c["sweo_id"] is None]
    assert {c["outcome"] for c in made} == {"created"}
    assert to_salesforce["linked"] == [
        {"mapping": "contacts", "salesforce_id": waiting, "sweo_id": met}
    ]
    assert [(h["mapping"], h["salesforce"], h["sweo"]) for h in to_sweo["held"]] == [
        ("accounts", "Energy", "Retail")
    ]
    assert [
        (c["field"], c["old"], c["new"]) for c in to_salesforce["changes"]
        if c["salesforce_id"] == account
    ] == [("Health__c", None, 7)]  # fmt: skip
    refused = to_salesforce["refused"]
    assert [(each["mapping"], each["field"]) for each in refused] == [("accounts", "Plan__c")]
    assert "No such plan" not in json.dumps(refused)

    spent = reads(world)
    foretold = [each["tap_calls"] + each["read_calls"] for each in (to_sweo, to_salesforce)]
    assert sum(foretold) == spent
    world.sandbox.reset_calls()
    done = pipelines.run(TO_SWEO)
    assert done.counts == to_sweo["counts"]
    assert world.calls("sweo")["writes"] == to_sweo["write_calls"]
    pipelines.run(TO_SALESFORCE)
    assert spent <= 1.2 * reads(world)


def test_nothing_to_do_is_said_so_even_before_there_is_a_ledger(
    planner: Planner, pipelines: Pipelines
) -> None:
    result = planner.run("--direction", TO_SWEO)
    assert result.exit_code == 0, result.output
    assert "Nothing would change." in result.output
    assert not list(Path(pipelines.folder).glob("ledger*"))


def test_a_pipeline_that_fails_says_so(planner: Planner, world: World) -> None:
    world.sandbox.fault("sweo", "status", status=401, endpoint="*")
    try:
        result = planner.run("--direction", TO_SALESFORCE)
    finally:
        world.sandbox.clear_faults()
    assert result.exit_code == 1
    assert "tap-sweo failed:" in result.stderr
    assert "SWEO_ACCESS_TOKEN" in result.stderr or "access_token" in result.stderr


def test_under_meltano_with_its_own_state(
    world: World, project: Project, pipelines: Pipelines
) -> None:
    assert pipelines.ledger_url == project.environ["SWEO_LEDGER_URL"]
    world.account("C-1", Industry="Banking")
    pipelines.run(TO_SWEO)
    world.account("C-2", Name="New")
    state = json.dumps({"singer_state": pipelines.state[TO_SWEO]})
    state_id = "sandbox:tap-salesforce-to-target-sweo"
    project.meltano("state", "set", "--force", state_id, state)
    world.sandbox.advance(3600)
    world.sandbox.reset_calls()
    done = project.meltano(
        "invoke", "sweo-sync", "plan", "--direction", TO_SWEO, "--json", exit_code=2
    )
    (to_sweo,) = json.loads(done[done.index("{\n") :])["directions"]
    assert to_sweo["counts"]["created"] == 1
    assert world.calls("sweo")["writes"] == 0
    assert project.states() == {state_id: json.loads(state)}


def test_a_loader_that_would_write_is_refused(world: World, project: Project) -> None:
    project.file.write_text(project.file.read_text().replace("dry_run", "wet_run"))
    world.sandbox.reset_calls()
    environ = {**project.environ, "MELTANO_PROJECT_ROOT": str(project.folder)}
    result = CliRunner().invoke(main, ["plan"], env={**dict.fromkeys(os.environ), **environ})
    assert result.exit_code == 1
    assert "target-sweo in meltano.yml declares no dry_run" in result.stderr
    assert world.calls("sweo")["total"] == 0
