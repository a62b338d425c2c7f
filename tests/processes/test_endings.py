"""How a target ends before its time: signals, and another run at work."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from typing import Any

import pytest
from crosswalk.ledger import Ledger
from crosswalk.ledger.report import status
from crosswalk.ledger.runs import Lease
from pipelines import TO_SWEO
from processes.pipe import Pipe, wait_until
from world import World

PATIENCE_SECONDS = 30
BOTH_SIGNALS = pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)]
)


def write(process: subprocess.Popen[bytes], lines: bytes) -> None:
    assert process.stdin is not None
    process.stdin.write(lines)
    process.stdin.flush()


def outcome(pipe: Pipe) -> str | None:
    """How the ledger says that the last run to Sweo ended."""
    ledger = Ledger.open_existing(pipe.project.ledger_url)
    if ledger is None:
        return None
    last = next(d.last for d in status(ledger).directions if d.direction == TO_SWEO)
    ledger.close()
    return last.outcome if last else None


@BOTH_SIGNALS
def test_a_batch_in_hand_is_finished_and_its_state_let_out(
    world: World, pipe: Pipe, number: int, code: int
) -> None:
    for n in range(40):
        world.account(f"C-{n}")
    lines = pipe.lines(TO_SWEO)
    world.sandbox.fault("sweo", "delay", endpoint="POST /companies", delay_seconds=0.3)
    world.sandbox.reset_calls()
    with pipe.fed("target-sweo", TO_SWEO) as target:
        write(target, lines)
        wait_until(lambda: world.calls("sweo")["writes"] > 12, "the middle of the batch")
        target.send_signal(number)
        out, _ = target.communicate(timeout=PATIENCE_SECONDS)
        assert target.returncode == code
    assert len(json.loads(out.splitlines()[-1])["bookmarks"]) >= 1
    assert outcome(pipe) == f"ended by signal {number}"
    made = world.sandbox.workspace.companies
    assert all(made.find(company_id=f"C-{n}")["name"] == f"Account C-{n}" for n in range(40))
    world.sandbox.clear_faults()
    world.sandbox.reset_calls()
    again = pipe.alone("target-sweo", TO_SWEO, lines)
    assert again.code == 0, again.err
    assert world.calls("sweo")["writes"] == 0


@BOTH_SIGNALS
def test_a_target_that_waits_for_a_line_ends_at_once(
    world: World, pipe: Pipe, number: int, code: int
) -> None:
    world.account("C-1")
    schema = pipe.lines(TO_SWEO).splitlines(keepends=True)[0]
    with pipe.fed("target-sweo", TO_SWEO) as target:
        write(target, schema)
        wait_until(lambda: outcome(pipe) == "running", "the run's beginning")
        begun = time.monotonic()
        target.send_signal(number)
        target.wait(PATIENCE_SECONDS)
        assert time.monotonic() - begun < 5
        assert target.returncode == code
    assert outcome(pipe) == f"ended by signal {number}"
    assert "Traceback" not in pipe.errors()
    assert world.calls("sweo")["writes"] == 0


@pytest.mark.parametrize(("settings", "code"), [({}, 1), ({"when_busy": "skip"}, 0)])
def test_of_two_targets_at_once_one_writes(
    world: World, pipe: Pipe, settings: dict[str, Any], code: int
) -> None:
    world.account("C-1")
    lines = pipe.lines(TO_SWEO)
    first_line = lines.splitlines(keepends=True)[0]
    world.sandbox.reset_calls()
    with pipe.fed("target-sweo", TO_SWEO) as first:
        write(first, first_line)
        wait_until(lambda: outcome(pipe) == "running", "the first run's beginning")
        second = pipe.alone("target-sweo", TO_SWEO, lines, **settings)
        assert second.code == code
        assert str(first.pid) in second.said()
        assert "Traceback" not in second.err
        assert not second.out
        assert world.calls("sweo")["total"] == 0
        first.communicate(lines[len(first_line) :], timeout=PATIENCE_SECONDS)
        assert first.returncode == 0
    assert world.sandbox.workspace.companies.find(company_id="C-1")["name"] == "Account C-1"


def test_a_target_that_was_told_to_wait_writes_behind_the_other_one(
    world: World, pipe: Pipe
) -> None:
    world.account("C-1")
    lines = pipe.lines(TO_SWEO)
    lease = Lease(pipe.project.ledger, TO_SWEO, "another")
    lease.acquire(heartbeat=False)
    with pipe.fed("target-sweo", TO_SWEO, when_busy="wait") as target:
        write(target, lines)
        wait_until(lambda: "Waiting." in pipe.errors(), "a word that it waits")
        assert world.calls("sweo")["writes"] == 0
        lease.release()
        target.communicate(timeout=PATIENCE_SECONDS)
        assert target.returncode == 0
    assert world.sandbox.workspace.companies.find(company_id="C-1")["name"] == "Account C-1"


def test_a_killed_target_leaves_no_lease_that_lasts(world: World, pipe: Pipe) -> None:
    world.account("C-1")
    lines = pipe.lines(TO_SWEO)
    with pipe.fed("target-sweo", TO_SWEO) as first:
        write(first, lines.splitlines(keepends=True)[0])
        wait_until(lambda: outcome(pipe) == "running", "the first run's beginning")
        first.kill()
        first.wait()
    again = pipe.alone("target-sweo", TO_SWEO, lines)
    assert again.code == 0, again.err
