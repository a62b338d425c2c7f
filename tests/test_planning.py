"""A plan foretells exactly what the next run does, and does nothing itself."""

from __future__ import annotations

import json
from pathlib import Path

from pipelines import TO_SWEO, Pipelines
from world import World


def test_a_plan_is_the_run_that_follows(world: World, pipelines: Pipelines, tmp_path: Path) -> None:
    account, company = world.account("C-1", Industry="Banking"), world.company("C-1")
    pipelines.sync()
    pipelines.sync()
    world.sandbox.advance(700)
    world.edit_salesforce("Account", account, Industry="Energy")
    world.account("C-2", Name="New")
    before = pipelines.state[TO_SWEO]
    plan_file = tmp_path / "plan.jsonl"
    pipelines.settings["target-sweo"] = {"dry_run": True, "plan_file": str(plan_file)}
    world.sandbox.reset_calls()
    planned = pipelines.run(TO_SWEO)
    assert world.calls("sweo")["writes"] == 0
    assert pipelines.state[TO_SWEO] == before
    lines = [json.loads(line) for line in plan_file.read_text().splitlines()]
    changed = [line for line in lines if line["kind"] == "change" and line["sweo_id"] == company]
    assert [(line["field"], line["old"], line["new"]) for line in changed] == [
        ("industry", '"Banking"', '"Energy"')
    ]
    assert lines[-1]["write_calls"] == 2
    reads = world.calls("sweo")["reads"]
    pipelines.settings.clear()
    world.sandbox.reset_calls()
    done = pipelines.run(TO_SWEO)
    assert done.counts == planned.counts
    assert world.calls("sweo")["writes"] == 2
    assert reads <= 1.2 * world.calls("sweo")["reads"]
