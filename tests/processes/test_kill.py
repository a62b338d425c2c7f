"""``kill -9`` of any process in the middle of a run, and a plain re-run: nothing shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from processes.crowd import gather, standing
from processes.pipe import Pipe, Running, wait_until
from sweo_sandbox.testing import Sandbox
from world import World

SWEO_CONCURRENCY = 10
REST_ONLY = {"tap-salesforce": {"bulk_threshold_rows": 100_000}}


@pytest.fixture(scope="module")
def undisturbed(
    session_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """How both sides stand, and the writes it took, where nothing is killed."""
    from conftest import project_mappings

    session_sandbox.reset()
    world = World(session_sandbox)
    world.furnish()
    gather(world)
    folder: Path = tmp_path_factory.mktemp("undisturbed")
    project = Pipelines(session_sandbox, folder, mappings(project_mappings()), REST_ONLY)
    session_sandbox.reset_calls()
    project.sync()
    return {
        "standing": standing(world),
        "sweo_writes": session_sandbox.calls("sweo")["writes"],
        "salesforce_writes": session_sandbox.calls("salesforce")["writes"],
    }


def mappings(project: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The project's own, but no company is made: what waits makes a run long at no cost."""
    accounts, contacts = project
    return [accounts | {"create": []}, contacts]


@pytest.fixture
def crowd(world: World, pipe: Pipe) -> World:
    gather(world)
    pipe.project.mappings = mappings(pipe.project.mappings)
    pipe.project.settings = REST_ONLY
    world.sandbox.reset_calls()
    return world


def in_the_middle_of_reading(pipe: Pipe, direction: str) -> Running:
    """Start a run that stands still while the tap waits for its second page."""
    sandbox = pipe.project.sandbox
    if direction == TO_SWEO:
        stall = sandbox.fault("salesforce", "delay", endpoint="GET */query/*", delay_seconds=1)
    else:
        stall = sandbox.fault(
            "sweo", "delay", endpoint="POST /contacts/search", nth=1, delay_seconds=1
        )
    running = pipe.start(direction)
    reach(pipe, running, lambda: stall.applied > 0)
    return running


def in_the_middle_of_writing(pipe: Pipe, direction: str) -> Running:
    """Start a run whose target has written a part, and is writing."""
    sandbox = pipe.project.sandbox
    if direction == TO_SWEO:
        sandbox.fault("sweo", "delay", endpoint="PUT /companies/*", delay_seconds=0.2)
        running = pipe.start(direction)
        reach(pipe, running, lambda: sandbox.calls("sweo")["writes"] > 25)
    else:
        stall = sandbox.fault("salesforce", "delay", endpoint="PATCH */composite*", delay_seconds=1)
        running = pipe.start(direction)
        reach(pipe, running, lambda: stall.applied > 0)
    return running


def reach(pipe: Pipe, running: Running, middle: Callable[[], bool]) -> None:
    """Wait for a run's middle; a run that ends before it says why."""
    wait_until(lambda: middle() or running.target.poll() is not None, "the middle of the run")
    assert middle(), pipe.errors()


@pytest.mark.parametrize("which", ["tap", "mapper", "target"])
def test_salesforce_to_sweo(
    undisturbed: dict[str, Any], crowd: World, pipe: Pipe, which: str
) -> None:
    killed_while = in_the_middle_of_writing if which == "target" else in_the_middle_of_reading
    running = killed_while(pipe, TO_SWEO)
    running.kill(which)
    assert running.wait()[which] == -9
    crowd.sandbox.clear_faults()
    pipe.run(TO_SWEO)
    writes = crowd.calls("sweo")["writes"]
    pipe.run(TO_SALESFORCE)
    assert standing(crowd) == undisturbed["standing"]
    in_flight = SWEO_CONCURRENCY if which == "target" else 0
    assert writes <= undisturbed["sweo_writes"] + in_flight
    nothing_is_left_to_write(crowd, pipe)


@pytest.mark.parametrize("which", ["mapper and target", "target"])
def test_sweo_to_salesforce(
    undisturbed: dict[str, Any], crowd: World, pipe: Pipe, which: str
) -> None:
    pipe.run(TO_SWEO)
    crowd.sandbox.reset_calls()
    killed_while = in_the_middle_of_writing if which == "target" else in_the_middle_of_reading
    running = killed_while(pipe, TO_SALESFORCE)
    # Where a mapper dies, Meltano kills the target as well.
    for process in which.split(" and "):
        running.kill(process)
    codes = running.wait()
    assert all(codes[process] == -9 for process in which.split(" and "))
    crowd.sandbox.clear_faults()
    pipe.run(TO_SALESFORCE)
    in_flight = 1 if which == "target" else 0
    writes = crowd.calls("salesforce")["writes"]
    assert writes <= undisturbed["salesforce_writes"] + in_flight
    assert standing(crowd) == undisturbed["standing"]
    nothing_is_left_to_write(crowd, pipe)


def nothing_is_left_to_write(world: World, pipe: Pipe) -> None:
    world.sandbox.reset_calls()
    pipe.run(TO_SWEO)
    pipe.run(TO_SALESFORCE)
    assert world.calls("sweo")["writes"] == world.calls("salesforce")["writes"] == 0
