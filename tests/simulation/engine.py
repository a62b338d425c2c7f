"""The whole system in one process: real plugins, real ledger, real sandbox apps, one seed."""

from __future__ import annotations

import io
import json
import logging
import os
import random
import shutil
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from crosswalk.errors import SyncError
from crosswalk.ledger import Ledger
from mapper_sweo.mapper import MapperSweo
from pipelines import TO_SALESFORCE, TO_SWEO, captured_stdout
from simulation.history import SYNC, History
from simulation.invariants import Invariants, Lost
from simulation.people import People, mappings_of
from simulation.plan import FAULTS, Plan
from simulation.transport import InProcess
from simulation.virtual import VirtualTime, virtual
from sqlalchemy import event
from sweo_sandbox.salesforce.settings import OrgSettings
from sweo_sandbox.side import Side, salesforce_side, sweo_side
from sweo_sandbox.sweo.settings import WorkspaceSettings
from sweo_sandbox.testing import ready_access_token
from tap_salesforce.tap import TapSalesforce
from tap_sweo.tap import TapSweo
from target_salesforce.target import TargetSalesforce
from target_sweo.target import TargetSweo


class Crash(BaseException):
    """The process of one pipeline ends here, as by ``kill -9``."""


@dataclass
class Process:
    """One run of one pipeline, with the number that the lease knows it by."""

    direction: str
    pid: int
    dead: bool = False


class Simulation:
    """One world and what befalls it."""

    def __init__(self, seed: int, plan: Plan | None = None) -> None:
        self.seed = seed
        self.chance = random.Random(seed)
        self.plan = plan or Plan.drawn(self.chance)
        self.time = VirtualTime()
        self.folder = Path(tempfile.mkdtemp(prefix="simulation-", dir=_memory()))
        self.history = History()
        self.struck: Counter[str] = Counter()
        self.led_to: Counter[str] = Counter()
        self.trace: list[str] = []
        self.state: dict[str, dict[str, Any]] = {TO_SWEO: {}, TO_SALESFORCE: {}}
        self.former_states: dict[str, list[dict[str, Any]]] = {TO_SWEO: [], TO_SALESFORCE: []}
        self.running: list[Process] = []
        self.begun = 0
        self.wild = False
        self.mappings = mappings_of(self.plan)
        self.salesforce = salesforce_side(OrgSettings(access_token=ready_access_token()), None)
        self.sweo = sweo_side(
            WorkspaceSettings(
                requests_per_minute=None, index_lag_seconds=self.plan.index_lag_seconds
            ),
            None,
        )
        self.salesforce.state.settings.instance_url = "https://salesforce.localhost"
        self.sides: dict[str, Side] = {"salesforce": self.salesforce, "sweo": self.sweo}
        self.people = People(self.chance, self.salesforce, self.sweo, self.history, self.plan)
        self.transport = InProcess(self.sides, self._before, self._after)

    def close(self) -> None:
        self.transport.close()
        self.salesforce.close()
        self.sweo.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def ledger_url(self) -> str:
        return f"sqlite:///{self.folder}/ledger.db"

    # the world's time

    def _tick(self, seconds: float) -> None:
        self.time.sleep(seconds)
        self._set_clocks()

    def _set_clocks(self) -> None:
        now = round(self.time.now * 1000)
        self.salesforce.clock.freeze(now)
        self.sweo.clock.freeze(now + self.plan.skew_seconds * 1000)

    # what strikes

    @property
    def direction(self) -> str:
        """The direction of the run that is at work now."""
        return self.running[-1].direction if self.running else ""

    def _before(self, name: str, request: requests.PreparedRequest) -> None:
        self._tick(self.chance.choice(self.plan.ticks))
        self._maybe_die("crash before a call", self.plan.crash_at_call / 2)
        if not self.wild:
            return
        if self.chance.random() < self.plan.slow:
            self._note("slow call")
            self._tick(self.chance.choice((100, 900)))
        if self.chance.random() < self.plan.edit:
            self.people.edit_something()
        self._maybe_overlap()

    def _maybe_overlap(self) -> None:
        if len(self.running) != 1:
            return
        here = self.direction
        other = TO_SALESFORCE if here == TO_SWEO else TO_SWEO
        if self.chance.random() < self.plan.overlap:
            self._note("overlapping run")
            self.run(other)
        if self.chance.random() < self.plan.second:
            self._note("second run of one direction")
            self.run(here)

    def _after(self, name: str, request: requests.PreparedRequest) -> None:
        path = (request.path_url or "").split("?")[0]
        self.trace.append(f"{self.direction} {name} {request.method} {path}")
        changed = self.people.look(name, SYNC)
        written_at = self.history.step
        self.history.step += 1
        touched = self._read_by_id(name, request, path)
        for record_id in touched:
            self.history.reads.setdefault(record_id, []).append(self.history.step)
        if name == "sweo" and request.method == "PUT":
            touched = [path.rsplit("/", 1)[-1]]
            if changed.intersection(touched):
                self.history.sent.setdefault(touched[0], []).append(written_at)
        self.history.step += 1
        if self.wild and self.chance.random() < self.plan.edit:
            self.people.edit_something(touched)
        self._tick(self.chance.choice(self.plan.ticks))
        self._maybe_die("crash after a call", self.plan.crash_at_call / 2)

    def _read_by_id(self, name: str, request: requests.PreparedRequest, path: str) -> list[str]:
        """The records that this call read for the pipeline that writes them."""
        if name == "sweo" and request.method == "GET" and self.direction == TO_SWEO:
            return [path.rsplit("/", 1)[-1]]
        retrieves = "/composite/sobjects/" in path and request.method == "POST"
        if retrieves and self.direction == TO_SALESFORCE:
            return list(json.loads(request.body or b"{}").get("ids", []))
        return []

    def _maybe_die(self, kind: str, probability: float) -> None:
        if not self.running:
            return
        process = self.running[-1]
        if process.dead:
            raise Crash
        if self.wild and self.chance.random() < probability:
            self._note(kind)
            process.dead = True
            raise Crash

    def _note(self, kind: str) -> None:
        self.struck[kind] += 1
        self.trace.append(f"** {kind}")

    def _watch_commits(self, ledger: Ledger) -> None:
        dialect = ledger.engine.dialect
        genuine = dialect.do_commit

        def do_commit(connection: Any) -> None:
            self._maybe_die("crash before a commit", self.plan.crash_at_commit / 2)
            genuine(connection)
            self._maybe_die("crash after a commit", self.plan.crash_at_commit / 2)

        dialect.do_commit = do_commit  # type: ignore[method-assign]

        @event.listens_for(ledger.engine, "close")
        def _closed(*_: Any) -> None:
            """Nothing: a killed process closes nothing in order."""

    # the pipelines

    def config(self, plugin: str) -> dict[str, Any]:
        common: dict[str, Any] = {"mappings": self.mappings, "ledger_url": self.ledger_url}
        if plugin == "mapper-sweo":
            return common
        if not self.plan.limits:
            common["environment"] = "sandbox"
        if plugin.endswith("salesforce"):
            settings = self.salesforce.state.settings
            if plugin.startswith("tap"):
                common["overlap_minutes"] = self.plan.overlap_minutes
            return common | {
                "login_url": "https://salesforce.localhost",
                "client_id": settings.client_id,
                "client_secret": settings.client_secret,
            }
        common |= {
            "api_url": "https://sweo.localhost",
            "access_token": self.sweo.state.settings.access_token,
        }
        if plugin.startswith("tap"):
            common["overlap_minutes"] = self.plan.overlap_minutes
        if plugin == "tap-sweo":
            common["company_scan_minutes"] = 0
        if plugin == "target-sweo":
            common["max_concurrency"] = 1
        return common

    def run(self, direction: str) -> str:
        """One run of one pipeline; how it ended."""
        self.begun += 1
        process = Process(direction, self.begun)
        self.running.append(process)
        self.trace.append(f">> {direction}")
        try:
            end = self._pipeline(process)
        except Crash:
            end = "crashed"
        finally:
            self.running.pop()
        self.trace.append(f"<< {direction} {end}")
        self.struck[f"run {end}"] += 1
        return end

    def _pipeline(self, process: Process) -> str:
        lines, end = self._tap(process)
        mapped = io.BytesIO()
        MapperSweo(
            config=self.config("mapper-sweo") | {"direction": process.direction.replace("_", "-")}
        ).run(io.BytesIO(lines), mapped)
        return self._target(process, mapped.getvalue()) or end

    def _tap(self, process: Process) -> tuple[bytes, str]:
        """What the tap printed, and how it ended. A killed tap may leave the target alive."""
        to_sweo = process.direction == TO_SWEO
        end = "finished"
        with captured_stdout() as out:
            try:
                (TapSalesforce if to_sweo else TapSweo)(
                    config=self.config("tap-salesforce" if to_sweo else "tap-sweo"),
                    state=json.loads(json.dumps(self.state[process.direction])),
                ).sync_all()
            except SyncError as error:
                end = f"tap: {type(error).__name__}"
                self.trace.append(str(error))
            except Crash:
                if self.chance.random() >= self.plan.tap_killed:
                    raise
                self._note("tap killed alone")
                process.dead = False
                whole = out().splitlines(keepends=True)
                return b"".join(whole[: self.chance.randrange(len(whole) + 1)]), "tap: killed"
            return out(), end

    def _target(self, process: Process, lines: bytes) -> str | None:
        """How the target ended, where it did not simply finish. Its STATE is kept."""
        to_sweo = process.direction == TO_SWEO
        target = (TargetSweo if to_sweo else TargetSalesforce)(
            config=self.config("target-sweo" if to_sweo else "target-salesforce")
        )
        self._watch_commits(target.run.ledger)
        with captured_stdout() as out:
            try:
                target.listen(io.BytesIO(lines))  # type: ignore[arg-type]
            except SyncError as error:
                self.trace.append(str(error))
                target.finish("failed")
                return f"target: {type(error).__name__}"
            finally:
                self.led_to.update(target.run.counts.as_dict())
                self._keep_state(process.direction, out().splitlines())
                target.run.ledger.engine.dispose()
        return None

    def _keep_state(self, direction: str, lines: list[bytes]) -> None:
        for line in lines:
            self.state[direction] = json.loads(line)
            self.former_states[direction].append(self.state[direction])
            if self.wild and self.chance.random() < self.plan.crash_at_state:
                # What is printed behind this line is never saved.
                self._note("state lost")
                return

    def _maybe_forget(self, direction: str) -> None:
        """Somebody deletes the STATE, or puts back an older one."""
        if self.chance.random() < self.plan.old_state:
            self._note("old state")
            self.state[direction] = self.chance.choice([{}, *self.former_states[direction]])

    # a life

    def live(self) -> None:
        """Everything: a first meeting, wild times, quiet, and what must hold then."""
        logging.disable(logging.CRITICAL)
        try:
            with virtual(self.time, self.chance, self.transport.send, self._process):
                self._live()
        finally:
            logging.disable(logging.NOTSET)

    def _process(self) -> tuple[int, dict[int, int]]:
        alive = {process.pid: 1 for process in self.running if not process.dead}
        return self.running[-1].pid if self.running else 0, alive

    def _live(self) -> None:
        self._set_clocks()
        self.people.furnish()
        for number in range(self.plan.records):
            account = self.people.new_account(f"C-{number}")
            self.people.new_company(f"C-{number}")
            email = f"p{number}@x.test"
            self.people.new_contact(email, account)
            self.people.new_person(email)
        self._arm()
        self.wild = True
        for _ in range(self.plan.runs):
            self._tick(self.chance.choice((3, 60, 900)))
            for _ in range(self.chance.randrange(4)):
                self.people.edit_something()
            if self.chance.random() < 0.2:
                self._newcomer()
            direction = self.chance.choice((TO_SWEO, TO_SALESFORCE))
            self._maybe_forget(direction)
            self.run(direction)
        if self.plan.refused:
            self.people.write_what_is_refused()
        self.wild = False
        self._disarm()
        self._quiet()

    def _newcomer(self) -> None:
        number = f"N-{self.people.unique()}"
        account = self.people.new_account(number)
        self._tick(self.chance.choice((1, 100)))
        if not self.plan.creates:
            self.people.new_company(number)
            return
        if self.chance.random() < 0.5:
            self.people.new_company(number)
        email = f"n{self.people.unique()}@x.test"
        self.people.new_contact(email, account)
        if self.chance.random() < 0.3:
            self.people.new_person(email)
        self.people.new_lead(f"l{self.people.unique()}@x.test")

    def _arm(self) -> None:
        for kind, probability in self.plan.faults.items():
            side, fault, order = FAULTS[kind]
            rule = self.sides[side].faults.add(
                fault,  # type: ignore[arg-type]
                endpoint="*/services/data/*" if side == "salesforce" else "*",
                probability=probability,
                seed=self.chance.randrange(1 << 30),
                **order,
            )
            rule.__dict__["named"] = kind

    def _disarm(self) -> None:
        for side in self.sides.values():
            for rule, view in zip(side.faults._rules, side.faults.rules(), strict=True):
                self.struck[rule.__dict__.get("named", "fault")] += view["applied"]
            side.faults.clear()

    def _quiet(self) -> None:
        """Both sides are quiet: the pipelines run at most twice, and once more for nothing."""
        self._tick(max(self.plan.index_lag_seconds, 30) + 3_600)
        for _ in range(2):
            for direction in (TO_SWEO, TO_SALESFORCE):
                self._tick(86_400)
                end = self.run(direction)
                if end != "finished":
                    raise Lost(f"a quiet run of {direction} ended with: {end}")
        self.check()
        for side in self.sides.values():
            side.meter.reset()
        self._tick(86_400)
        for direction in (TO_SWEO, TO_SALESFORCE):
            end = self.run(direction)
            if end != "finished":
                raise Lost(f"the last run of {direction} ended with: {end}")
        for name, side in self.sides.items():
            writes = side.meter.snapshot()["writes"]
            if writes:
                raise Lost(f"the run after the quiet ones made {writes} writes on {name}")

    def check(self) -> None:
        """Every invariant that a world can be asked about.

        Raises:
            Lost: one does not hold.
        """
        ledger = Ledger.open(self.ledger_url)
        try:
            Invariants(self.people, self.history, ledger, self.mappings).check()
        finally:
            ledger.close()


def _memory() -> str | None:
    """A folder in memory, where there is one: a ledger waits for the disk at every commit."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def one(seed: int, plan: Plan | None = None) -> Simulation:
    """Live one life and close it; the simulation is returned for its counts and trace."""
    simulation = Simulation(seed, plan)
    try:
        simulation.live()
    finally:
        simulation.close()
    return simulation


__all__ = ["Lost", "Plan", "Simulation", "one"]
