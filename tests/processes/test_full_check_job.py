"""The full check under Meltano: job and command take turns, slice by slice, with one STATE."""

from __future__ import annotations

import json

import pytest
from meltano_project import Project
from pipelines import TO_SWEO, Pipelines
from processes.test_meltano import companies
from world import World

ACCOUNTS = 6
TO_SWEO_STATE = "sandbox:tap-salesforce--full-to-target-sweo"


@pytest.mark.timeout(600)
def test_the_command_goes_on_where_the_job_stopped(
    world: World, project: Project, pipelines: Pipelines
) -> None:
    numbers = [f"C-{n}" for n in range(ACCOUNTS)]
    accounts = [world.account(number, Industry="Energy") for number in numbers]
    assert pipelines.ledger_url == project.environ["SWEO_LEDGER_URL"]
    pipelines.sync()
    for account in accounts:
        world.sandbox.org.set_columns("Account", account, {"Industry": "Banking"})

    project.environ["TAP_SALESFORCE__FULL_SLICE_RECORDS"] = str(ACCOUNTS // 2)
    project.run("full-check")
    assert banking(world, numbers) == ACCOUNTS // 2
    began = project.states()[TO_SWEO_STATE]["singer_state"]["full_check"]["began"]
    project.environ["TAP_SALESFORCE__FULL_SLICE_RECORDS"] = "20000"
    done = project.meltano("invoke", "sweo-sync", "full-check", "--direction", TO_SWEO, "--json")
    told = [json.loads(line) for line in done.splitlines() if line.startswith("{")]
    assert [line["began"] for line in told] == [began]
    assert told[-1]["ended"]
    assert banking(world, numbers) == ACCOUNTS
    states = project.states()
    assert set(states) == {TO_SWEO_STATE, "sandbox:tap-sweo--full-to-target-salesforce"}
    assert states[TO_SWEO_STATE]["singer_state"]["full_check"]["began"] == began
    assert states[TO_SWEO_STATE]["singer_state"]["full_check"]["ended"]


def banking(world: World, numbers: list[str]) -> int:
    return [each["industry"] for each in companies(world, numbers)].count("Banking")
