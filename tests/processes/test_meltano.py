"""Under ``meltano run``, with the project's own file: a new field, and a Meltano that is killed.

The plugins are those of the environment that runs the tests; nothing is installed.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from crosswalk.ledger import Ledger
from crosswalk.ledger.report import RunReport, status
from processes.pipe import COMMANDS, wait_until
from ruamel.yaml import YAML
from sweo_sandbox.testing import Sandbox
from world import World

PROJECT_FILE = Path(__file__).parents[2] / "meltano.yml"
ACCOUNTS = 30
RUN_SECONDS = 100
NEW_FIELD = "      - {salesforce: Phone, sweo: switchboard}"


@dataclass
class Project:
    """A copy of the project's meltano.yml in a folder of its own."""

    folder: Path
    environ: dict[str, str]
    _started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def file(self) -> Path:
        return self.folder / "meltano.yml"

    def start(self, job: str) -> subprocess.Popen[bytes]:
        log = self.folder / f"{len(self._started)}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [str(COMMANDS / "meltano"), "run", job],
                cwd=self.folder,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._started.append(process)
        return process

    def run(self, job: str) -> None:
        code = self.start(job).wait(RUN_SECONDS)
        assert code == 0, "\n".join(f.read_text() for f in sorted(self.folder.glob("*.log")))

    def stop(self) -> None:
        for process in self._started:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def last_run(self, direction: str) -> RunReport | None:
        ledger = Ledger.open_existing(self.environ["SWEO_LEDGER_URL"])
        if ledger is None:
            return None
        last = next(d.last for d in status(ledger).directions if d.direction == direction)
        ledger.close()
        return last


@pytest.fixture
def project(sandbox: Sandbox, tmp_path: Path) -> Iterator[Project]:
    yaml = YAML()
    document = yaml.load(PROJECT_FILE)
    for kind in document["plugins"].values():
        for plugin in kind:
            # Without it Meltano takes the executable from the PATH.
            plugin.pop("pip_url", None)
    yaml.width = 200
    with (tmp_path / "meltano.yml").open("w") as out:
        yaml.dump(document, out)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MELTANO_", "SWEO_"))}
    made = Project(
        tmp_path,
        kept
        | sandbox.env()
        | {
            "PATH": f"{COMMANDS}{os.pathsep}{os.environ['PATH']}",
            "MELTANO_ENVIRONMENT": "sandbox",
            "MELTANO_SEND_ANONYMOUS_USAGE_STATS": "false",
            "SWEO_LEDGER_URL": f"sqlite:///{tmp_path}/ledger.db",
        },
    )
    yield made
    made.stop()


@pytest.fixture
def accounts(world: World) -> list[str]:
    numbers = [f"C-{n}" for n in range(ACCOUNTS)]
    for n, number in enumerate(numbers):
        world.account(number, Phone=f"+1 555 {n:04d}", Industry="Energy")
    return numbers


def companies(world: World, numbers: list[str]) -> list[dict[str, Any]]:
    return [world.sandbox.workspace.companies.find(company_id=number) for number in numbers]


def test_one_new_line_carries_a_field_for_every_linked_record(
    world: World, project: Project, accounts: list[str]
) -> None:
    project.run("sync")
    before = companies(world, accounts)
    world.sandbox.advance(3600)

    text = project.file.read_text()
    line = "      - {salesforce: ARR__c, sweo: arr}\n"
    assert line in text
    project.file.write_text(text.replace(line, f"{line}{NEW_FIELD}\n"))
    world.sandbox.reset_calls()
    project.run("sync")

    calls = world.calls("sweo")
    assert calls["writes"] == ACCOUNTS + 1, calls
    assert calls["by_endpoint"]["POST /data_attributes"] == 1
    assert world.calls("salesforce")["writes"] == 0
    after = companies(world, accounts)
    for n, (was, now) in enumerate(zip(before, after, strict=True)):
        assert now["custom_attributes"].pop("switchboard") == f"+1 555 {n:04d}"
        for moving in (was, now):
            moving.pop("updated_at")
        assert now == was


def test_a_killed_meltano_leaves_one_writer_and_the_next_run_completes(
    world: World, project: Project, accounts: list[str]
) -> None:
    project.environ["MELTANO_RUN_FORCE"] = "true"
    world.sandbox.fault("sweo", "delay", endpoint="POST /companies", delay_seconds=0.5)
    orphaned = project.start("salesforce-to-sweo")
    wait_until(lambda: world.calls("sweo")["writes"] > 5, "the middle of the run")
    orphaned.kill()
    orphaned.wait()
    world.sandbox.clear_faults()
    wait_until(lambda: is_over(project), "the end of the orphaned target")
    project.run("salesforce-to-sweo")
    made = world.sandbox.workspace.database.number("SELECT count(*) FROM company")
    assert made == ACCOUNTS
    assert all(company["industry"] == "Energy" for company in companies(world, accounts))


def is_over(project: Project) -> bool:
    last = project.last_run("to_sweo")
    return last is not None and last.outcome != "running"
