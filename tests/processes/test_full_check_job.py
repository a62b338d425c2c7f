"""The job full-check under ``meltano run``: slice by slice, with a STATE of its own."""

from __future__ import annotations

import pytest
from processes.test_meltano import Project, companies, project
from world import World

__all__ = ["project"]

ACCOUNTS = 6


@pytest.mark.timeout(300)
def test_the_job_goes_on_from_run_to_run_and_finds_what_no_timestamp_tells(
    world: World, project: Project
) -> None:
    numbers = [f"C-{n}" for n in range(ACCOUNTS)]
    accounts = [world.account(number, Industry="Energy") for number in numbers]
    world.sandbox.advance(7_200)
    project.run("sync")
    world.sandbox.advance(7_200)
    for account in accounts:
        world.sandbox.org.set_columns("Account", account, {"Industry": "Banking"})

    project.environ["TAP_SALESFORCE__FULL_SLICE_RECORDS"] = str(ACCOUNTS // 2)
    banking = []
    for _ in range(2):
        project.run("full-check")
        found = [company["industry"] for company in companies(world, numbers)]
        banking.append(found.count("Banking"))
    assert banking == [ACCOUNTS // 2, ACCOUNTS]

    world.sandbox.reset_calls()
    project.run("salesforce-to-sweo")
    last = project.last_run("to_sweo")
    assert last is not None
    assert last.counts.get("read", 0) == 0, "its STATE is as the ordinary run left it"
    assert world.calls("salesforce")["total"] == 1
