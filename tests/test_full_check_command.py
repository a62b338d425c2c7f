"""`sweo-sync full-check` through the real processes, to its end and interrupted."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from typing import Any

import pytest
from click.testing import CliRunner
from crosswalk.ledger import operate
from crosswalk.ledger.runs import Lease
from meltano_project import COMMANDS
from pipelines import TO_SALESFORCE, TO_SWEO, Pipelines
from ruamel.yaml import YAML
from sweo_sync.cli import main
from world import World

PATIENCE_SECONDS = 120
ACCOUNTS = 5
WRONG = {"access_token": "wrong", "client_secret": "wrong"}


class Checker:
    """The command as an operator's shell starts it, with slices of a few records."""

    def __init__(self, world: World, pipelines: Pipelines) -> None:
        self.world, self.pipelines, self.folder = world, pipelines, pipelines.folder
        with (self.folder / "mappings.yml").open("w") as out:
            YAML().dump({"mappings": pipelines.mappings}, out)
        self.slices(2)

    def slices(self, records: int) -> None:
        for tap in ("tap-salesforce", "tap-sweo"):
            (self.folder / f"{tap}.json").write_text(json.dumps({"slice_records": records}))

    @property
    def environ(self) -> dict[str, str]:
        gone = ("MELTANO_", "SWEO_", "COLUMNS")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(gone)}
        return {
            **kept,
            **self.world.sandbox.env(),
            "SWEO_LEDGER_URL": self.pipelines.ledger_url,
            "SWEO_SYNC_MAPPING_FILE": str(self.folder / "mappings.yml"),
        }

    def command(self, *args: str) -> list[str]:
        given = [
            *("--state", f"to_sweo={self.folder}/to_sweo.json"),
            *("--state", f"to_salesforce={self.folder}/to_salesforce.json"),
            *("--config", f"tap-salesforce={self.folder}/tap-salesforce.json"),
            *("--config", f"tap-sweo={self.folder}/tap-sweo.json"),
        ]
        return [str(COMMANDS / "sweo-sync"), "full-check", *given, *args]

    def start(self, *args: str, **more: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*args),
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )

    def run(self, *args: str, exit_code: int = 0) -> str:
        process = self.start(*args)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == exit_code, out + err
        return out + err

    def refused(self, *args: str) -> str:
        """Its sentence, where it does not come to start anything: no process is needed for that."""
        names = [name for name in os.environ if name not in self.environ]
        environ: dict[str, Any] = {**dict.fromkeys(names), **self.environ}
        result = CliRunner().invoke(main, ["full-check", *args], env=environ)
        assert result.exit_code == 1, result.output
        return result.stderr

    def json(self, *args: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.run("--json", *args).splitlines()]

    def state(self, direction: str) -> dict[str, Any]:
        text = (self.folder / f"{direction}.json").read_text()
        assert len(text.splitlines()) == 1
        state: dict[str, Any] = json.loads(text)
        return state


@pytest.fixture
def checker(world: World, pipelines: Pipelines) -> Checker:
    """Linked accounts of which one changed without moving a timestamp."""
    accounts = [world.account(f"C-{n}", Industry="Banking") for n in range(ACCOUNTS)]
    pipelines.sync()
    world.sandbox.org.set_columns("Account", accounts[-1], {"Industry": "Energy"})
    made = Checker(world, pipelines)
    made.accounts = accounts
    return made


def industry(checker: Checker, number: int = ACCOUNTS - 1) -> str:
    company = checker.world.sandbox.workspace.companies.find(company_id=f"C-{number}")
    return str(company["industry"])


def test_it_runs_slices_to_the_end_and_tells_each_as_json(checker: Checker) -> None:
    checker.slices(3)
    told = checker.json("--direction", TO_SWEO)
    assert [line["slice"] for line in told] == [1, 2]
    assert [line["ended"] for line in told] == [False, True]
    assert [line["mappings"]["accounts"]["read"] for line in told] == [3, 5]
    assert {line["mappings"]["accounts"]["total"] for line in told} == {ACCOUNTS}
    assert told[-1]["mappings"]["contacts"]["checked"]
    assert len({line["run"] for line in told}) == 2
    assert sum(line["counts"].get("updated", 0) for line in told) == 1
    assert industry(checker) == "Energy"
    assert checker.state(TO_SWEO)["full_check"]["ended"]


def test_on_a_terminal_bars_move_and_end_in_check_marks(checker: Checker) -> None:
    checker.slices(20_000)
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        checker.command("--direction", TO_SWEO, "--mapping", "accounts"),
        env={**checker.environ, "TERM": "xterm", "COLUMNS": "140"},
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=follower,
        close_fds=True,
    )
    os.close(follower)
    shown = _drained(leader, process)
    assert process.returncode == 0, shown
    assert "  accounts Salesforce to Sweo ━━" in shown
    assert re.search(r"✓ accounts Salesforce to Sweo ━+ +5 ", shown)
    assert "1 records changed" in shown


def _drained(leader: int, process: subprocess.Popen[bytes]) -> str:
    """What a terminal showed, without its colours."""
    shown = b""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if select.select([leader], [], [], 0.1)[0]:
            try:
                shown += os.read(leader, 65_536)
            except OSError:  # Linux says so when the other end is closed
                break
        elif process.poll() is not None:
            break
    process.wait(PATIENCE_SECONDS)
    os.close(leader)
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())


def test_interrupted_it_leaves_no_process_and_goes_on_from_there(checker: Checker) -> None:
    process = checker.start("--json", "--direction", TO_SWEO, start_new_session=True)
    assert process.stdout is not None
    first = json.loads(process.stdout.readline())
    assert first["mappings"]["accounts"]["read"] == 2
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130, out + err
    assert "goes on from there" in err
    kept = checker.state(TO_SWEO)
    assert kept["full_check"]["began"] == first["began"]
    assert "ended" not in kept["full_check"]
    checker.slices(20_000)
    (rest,) = checker.json("--direction", TO_SWEO)
    assert rest["began"] == first["began"]
    assert rest["mappings"]["accounts"] == {"read": 5, "total": 5, "checked": True}
    assert rest["counts"]["read"] <= ACCOUNTS - 2
    assert industry(checker) == "Energy"


def test_a_check_of_one_mapping_reads_no_other(checker: Checker) -> None:
    checker.slices(20_000)
    text = checker.run("--direction", TO_SWEO, "--mapping", "contacts")
    assert "✓ contacts" in text
    assert "accounts" not in text
    assert checker.state(TO_SWEO)["full_check"]["only"] == "contacts"
    assert industry(checker) == "Banking"
    assert "no mapping nobody" in checker.refused("--mapping", "nobody")


def test_what_is_paused_is_left_out_or_ends_it(checker: Checker) -> None:
    ledger = checker.pipelines.ledger
    operate.pause(ledger, "accounts")
    checker.slices(20_000)
    text = checker.run("--direction", TO_SWEO)
    assert "✓ contacts" in text
    assert "accounts," not in text
    assert "Paused, so not checked: accounts." in text
    assert industry(checker) == "Banking"
    operate.pause(ledger)
    states = [f"--state={direction}=x.json" for direction in (TO_SWEO, TO_SALESFORCE)]
    text = checker.refused(*states)
    assert text == "Everything is paused; `sweo-sync resume` lets it go on.\n"


def test_it_waits_for_the_run_that_is_at_work_and_sigterm_ends_it(checker: Checker) -> None:
    lease = Lease(checker.pipelines.ledger, TO_SWEO, "another")
    lease.acquire(heartbeat=False)
    process = checker.start("--direction", TO_SWEO)
    assert process.stdout is not None
    assert "waiting for the run that is at work" in process.stdout.readline()
    process.terminate()
    _, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert industry(checker) == "Banking"
    lease.release()


def test_a_failing_slice_ends_it_in_one_sentence(checker: Checker) -> None:
    (checker.folder / "tap-salesforce.json").write_text(json.dumps(WRONG))
    text = checker.run("--direction", TO_SWEO, exit_code=1)
    assert text.startswith("tap-salesforce failed:\n")
    assert "Traceback" not in text
    assert len(text.splitlines()) == 2


def test_without_meltano_the_state_needs_a_place(checker: Checker) -> None:
    told = checker.refused("--direction", TO_SALESFORCE)
    assert "--state to_salesforce=to_salesforce.json" in told
