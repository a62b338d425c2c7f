"""Under ``meltano run``, with the project's own file: a new field, and a Meltano that is killed.

The plugins are those of the environment that runs the tests; nothing is installed.
"""

from __future__ import annotations

from typing import Any

import pytest
from meltano_project import Project
from processes.pipe import wait_until
from world import World

ACCOUNTS = 30
NEW_FIELD = "      - {salesforce: Phone, sweo: switchboard}"


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
