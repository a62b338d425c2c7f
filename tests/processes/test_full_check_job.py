"""The job full-check under ``meltano run``: slice by slice, with a STATE of its own."""

from __future__ import annotations

import pytest
from meltano_project import Project
from pipelines import Pipelines
from processes.test_meltano import companies
from world import World

ACCOUNTS = 6


@pytest.mark.timeout(600)
def test_the_job_goes_on_from_run_to_run_and_finds_what_no_timestamp_tells(
    world: World, project: Project, pipelines: Pipelines
) -> None:
    numbers = [f"C-{n}" for n in range(ACCOUNTS)]
    accounts = [world.account(number, Industry="Energy") for number in numbers]
    assert pipelines.ledger_url == project.environ["SWEO_LEDGER_URL"]
    pipelines.sync()
    for account in accounts:
        world.sandbox.org.set_columns("Account", account, {"Industry": "Banking"})

    project.environ["TAP_SALESFORCE__FULL_SLICE_RECORDS"] = str(ACCOUNTS // 2)
    banking = []
    for _ in range(2):
        project.run("full-check")
        found = [company["industry"] for company in companies(world, numbers)]
        banking.append(found.count("Banking"))
    assert banking == [ACCOUNTS // 2, ACCOUNTS]
    assert set(project.states()) == {
        "sandbox:tap-salesforce--full-to-target-sweo",
        "sandbox:tap-sweo--full-to-target-salesforce",
    }
