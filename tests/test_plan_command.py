"""`sweo-sync plan` through the real processes, without Meltano and under it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from ruamel.yaml import YAML
from sweo_sync.cli import main
from world import World

PROJECT_FILE = Path(__file__).parents[1] / "meltano.yml"
COMMANDS = Path(sys.executable).parent
RUN_SECONDS = 200


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

    def json(self, exit_code: int) -> dict[str, Any]:
        result = self.run("--json")
        assert result.exit_code == exit_code, result.output
        report = json.loads(result.stdout)
        return {each["direction"]: each for each in report["directions"]}


@pytest.fixture
def planner(world: World, pipelines: Pipelines) -> Planner:
    return Planner(world, pipelines)


def test_it_foretells_both_directions_and_changes_nothing(
    planner: Planner, world: World, pipelines: Pipelines
) -> None:
    account, company = world.account("C-1", Industry="Banking"), world.company("C-1")
    pipelines.sync()
    pipelines.sync()
    world.sandbox.advance(700)
    quiet = planner.run("--direction", TO_SWEO)
    assert quiet.exit_code == 0, quiet.output
    assert "Nothing would change." in quiet.output

    world.edit_salesforce("Account", account, Industry="Energy")
    world.account("C-2", Name="New")
    world.edit_company(company, custom_attributes={"health_score": 7})
    world.sandbox.advance(2)
    world.sandbox.reset_calls()
    foretold = planner.json(2)
    assert world.calls("sweo")["writes"] == world.calls("salesforce")["writes"] == 0
    to_sweo, to_salesforce = foretold[TO_SWEO], foretold[TO_SALESFORCE]
    assert to_sweo["counts"]["created"] == 1
    changed = [c for c in to_sweo["changes"] if c["sweo_id"] == company]
    assert [(c["field"], c["old"], c["new"]) for c in changed] == [
        ("industry", "Banking", "Energy")
    ]
    made = [c for c in to_sweo["changes"] if c["sweo_id"] is None]
    assert {c["outcome"] for c in made} == {"created"}
    assert [(c["field"], c["old"], c["new"]) for c in to_salesforce["changes"]] == [
        ("Health__c", None, 7)
    ]
    assert to_sweo["write_calls"] == 2
    assert to_salesforce["write_calls"] == 1
    done = pipelines.sync()
    assert [run.counts for run in done] == [to_sweo["counts"], to_salesforce["counts"]]


def test_a_refused_value_is_foretold(planner: Planner, world: World, pipelines: Pipelines) -> None:
    world.account("C-1")
    company = world.company("C-1")
    pipelines.sync()
    pipelines.sync()
    world.edit_company(company, plan="No such plan")
    world.sandbox.advance(700)
    report = json.loads(planner.run("--json", "--direction", TO_SALESFORCE).stdout)
    found = [each for d in report["directions"] for each in d["refused"]]
    assert [(each["mapping"], each["field"]) for each in found] == [("accounts", "Plan__c")]
    assert "No such plan" not in json.dumps(found)


def test_a_pipeline_that_fails_says_so(planner: Planner, world: World) -> None:
    world.sandbox.fault("sweo", "status", status=401, endpoint="*")
    try:
        result = planner.run("--direction", TO_SALESFORCE)
    finally:
        world.sandbox.clear_faults()
    assert result.exit_code == 1
    assert "failed" in result.stderr


def test_under_meltano_with_its_own_state(world: World, tmp_path: Path) -> None:
    project = _meltano_project(world, tmp_path)
    world.account("C-1", Industry="Banking")
    project.meltano("run", "salesforce-to-sweo")
    world.sandbox.advance(3600)
    world.account("C-2", Name="New")
    world.sandbox.reset_calls()
    done = project.meltano(
        "invoke", "sweo-sync", "plan", "--direction", TO_SWEO, "--json", exit_code=2
    )
    report = json.loads(done[done.index("{\n") :])
    (to_sweo,) = report["directions"]
    assert to_sweo["counts"]["created"] == 1
    assert world.calls("sweo")["writes"] == 0
    project.meltano("run", "salesforce-to-sweo")
    assert world.calls("sweo")["writes"] == 1


def test_a_loader_that_would_write_is_refused(world: World, tmp_path: Path) -> None:
    project = _meltano_project(world, tmp_path)
    text = project.file.read_text().replace("dry_run", "wet_run")
    project.file.write_text(text)
    world.sandbox.reset_calls()
    told = project.meltano("invoke", "sweo-sync", "plan", exit_code=1)
    assert "declares no dry_run" in told
    assert world.calls("sweo")["total"] == 0


class Project:
    """A copy of the project's meltano.yml in a folder of its own."""

    def __init__(self, folder: Path, environ: dict[str, str]) -> None:
        self.folder, self.environ = folder, environ

    @property
    def file(self) -> Path:
        return self.folder / "meltano.yml"

    def meltano(self, *args: str, exit_code: int = 0) -> str:
        done = subprocess.run(
            [str(COMMANDS / "meltano"), *args],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            check=False,
        )
        assert done.returncode == exit_code, done.stdout + done.stderr
        return done.stdout + (done.stderr if exit_code == 1 else "")


def _meltano_project(world: World, folder: Path) -> Project:
    yaml = YAML()
    document = yaml.load(PROJECT_FILE)
    for kind in document["plugins"].values():
        for plugin in kind:
            # Without it Meltano takes the executable from the PATH.
            plugin.pop("pip_url", None)
    yaml.width = 200
    with (folder / "meltano.yml").open("w") as out:
        yaml.dump(document, out)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MELTANO_", "SWEO_"))}
    return Project(
        folder,
        kept
        | world.sandbox.env()
        | {
            "PATH": f"{COMMANDS}{os.pathsep}{os.environ['PATH']}",
            "MELTANO_ENVIRONMENT": "sandbox",
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            "SWEO_LEDGER_URL": f"sqlite:///{folder}/ledger.db",
        },
    )
