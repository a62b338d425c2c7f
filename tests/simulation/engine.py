"""The whole system in one process: real plugins, real ledger, real sandbox apps, one seed."""

from __future__ import annotations

import io
import json
import logging
import random
import shutil
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from crosswalk.errors import SyncError
from crosswalk.ledger import Ledger
from crosswalk.mapping import Side as SideName
from mapper_sweo.mapper import MapperSweo
from pipelines import TO_SALESFORCE, TO_SWEO, captured_stdout
from simulation.history import PERSON, SYNC, History
from simulation.people import MAPPINGS, TWO_WAY, People
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

PROCESS = {TO_SWEO: 1, TO_SALESFORCE: 2}


class Crash(BaseException):
    """The process of one pipeline ends here, as by ``kill -9``."""


class Lost(AssertionError):
    """An invariant does not hold."""


@dataclass
class Plan:
    """What may happen in one world. Probabilities are per call unless they say otherwise."""

    records: int = 4
    runs: int = 8
    edit: float = 0.15
    crash_at_call: float = 0.01
    crash_at_commit: float = 0.01
    crash_at_state: float = 0.02
    overlap: float = 0.03
    faults: dict[str, float] = field(default_factory=dict)
    index_lag_seconds: int = 0
    skew_seconds: int = 0
    policies: tuple[str, str] = ("salesforce", "newest")

    @classmethod
    def drawn(cls, chance: random.Random) -> Plan:
        """A plan that exercises a few kinds of trouble at once."""
        faults = {}
        for kind in FAULTS:
            if chance.random() < 0.4:
                faults[kind] = chance.choice((0.01, 0.03, 0.08))
        policies = ("salesforce", "sweo", "newest")
        return cls(
            records=chance.choice((1, 2, 4)),
            edit=chance.choice((0.05, 0.15, 0.4)),
            crash_at_call=chance.choice((0.0, 0.02, 0.05)),
            crash_at_commit=chance.choice((0.0, 0.02, 0.05)),
            crash_at_state=chance.choice((0.0, 0.1)),
            overlap=chance.choice((0.0, 0.05)),
            faults=faults,
            index_lag_seconds=chance.choice((0, 0, 150)),
            skew_seconds=chance.choice((0, 0, 30, -30)),
            policies=(chance.choice(policies), chance.choice(policies)),
        )


FAULTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "salesforce answer lost": ("salesforce", "reset_after", {}),
    "salesforce request lost": ("salesforce", "reset_before", {}),
    "salesforce 503": ("salesforce", "status", {"status": 503}),
    "salesforce 401": ("salesforce", "status", {"status": 401}),
    "salesforce partial": ("salesforce", "partial_success", {}),
    "salesforce row locked": ("salesforce", "UNABLE_TO_LOCK_ROW", {}),
    "salesforce truncated": ("salesforce", "truncate", {}),
    "sweo answer lost": ("sweo", "reset_after", {}),
    "sweo request lost": ("sweo", "reset_before", {}),
    "sweo 429": ("sweo", "status", {"status": 429}),
    "sweo 500": ("sweo", "status", {"status": 500}),
    "sweo 503": ("sweo", "status", {"status": 503}),
    "sweo truncated": ("sweo", "truncate", {}),
}


class Simulation:
    """One world and what befalls it."""

    def __init__(self, seed: int, plan: Plan | None = None) -> None:
        self.seed = seed
        self.chance = random.Random(seed)
        self.plan = plan or Plan.drawn(self.chance)
        self.time = VirtualTime()
        self.folder = Path(tempfile.mkdtemp(prefix="simulation-"))
        self.history = History()
        self.struck: Counter[str] = Counter()
        self.trace: list[str] = []
        self.state: dict[str, dict[str, Any]] = {TO_SWEO: {}, TO_SALESFORCE: {}}
        self.incarnations = {1: 0, 2: 0}
        self.running: list[str] = []
        self.dead: set[str] = set()
        self.wild = False
        self.mappings = json.loads(json.dumps(MAPPINGS))
        for mapping, policy in zip(self.mappings, self.plan.policies, strict=True):
            mapping["conflict"] = policy
        self.salesforce = salesforce_side(OrgSettings(access_token=ready_access_token()), None)
        self.sweo = sweo_side(
            WorkspaceSettings(
                requests_per_minute=None, index_lag_seconds=self.plan.index_lag_seconds
            ),
            None,
        )
        self.salesforce.state.settings.instance_url = "https://salesforce.localhost"
        self.sides: dict[str, Side] = {"salesforce": self.salesforce, "sweo": self.sweo}
        self.people = People(self.chance, self.salesforce, self.sweo, self.history)
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

    def _before(self, name: str, request: requests.PreparedRequest) -> None:
        self._tick(self.chance.choice((0.01, 0.2, 1.1)))
        self._maybe_die("crash before a call", self.plan.crash_at_call / 2)
        if not self.wild:
            return
        if self.chance.random() < self.plan.edit:
            self.people.edit_something()
        other = TO_SALESFORCE if self.running[-1:] == [TO_SWEO] else TO_SWEO
        if len(self.running) == 1 and self.chance.random() < self.plan.overlap:
            self._note("overlapping run")
            self.run(other)

    def _after(self, name: str, request: requests.PreparedRequest) -> None:
        path = (request.path_url or "").split("?")[0]
        self.trace.append(f"{self.running[-1:]} {name} {request.method} {path}")
        self.people.look(name, SYNC)
        self.history.step += 1
        if name == "sweo" and request.method == "GET" and self.running[-1:] == [TO_SWEO]:
            self.history.reads.setdefault(path.rsplit("/", 1)[-1], []).append(self.history.step)
        self.history.step += 1
        if self.wild and self.chance.random() < self.plan.edit:
            self.people.edit_something()
        self._maybe_die("crash after a call", self.plan.crash_at_call / 2)

    def _maybe_die(self, kind: str, probability: float) -> None:
        if not self.running:
            return
        if self.running[-1] in self.dead:
            raise Crash
        if self.wild and self.chance.random() < probability:
            self._note(kind)
            self.dead.add(self.running[-1])
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
        if plugin.endswith("salesforce"):
            settings = self.salesforce.state.settings
            return common | {
                "login_url": "https://salesforce.localhost",
                "client_id": settings.client_id,
                "client_secret": settings.client_secret,
            }
        common |= {
            "api_url": "https://sweo.localhost",
            "access_token": self.sweo.state.settings.access_token,
        }
        if plugin == "tap-sweo":
            common["company_scan_minutes"] = 0
        if plugin == "target-sweo":
            common["max_concurrency"] = 1
        return common

    def run(self, direction: str) -> str:
        """One run of one pipeline; how it ended."""
        if direction in self.running:
            return "skipped"
        self.running.append(direction)
        self.trace.append(f">> {direction}")
        try:
            end = self._pipeline(direction)
        except Crash:
            end = "crashed"
            self.incarnations[PROCESS[direction]] += 1
            self.dead.discard(direction)
        finally:
            self.running.pop()
        self.trace.append(f"<< {direction} {end}")
        self.struck[f"run {end}"] += 1
        return end

    def _pipeline(self, direction: str) -> str:
        to_sweo = direction == TO_SWEO
        tap = (TapSalesforce if to_sweo else TapSweo)(
            config=self.config("tap-salesforce" if to_sweo else "tap-sweo"),
            state=json.loads(json.dumps(self.state[direction])),
        )
        end = "finished"
        with captured_stdout() as out:
            try:
                tap.sync_all()
            except SyncError as error:
                end = f"tap: {type(error).__name__}"
                self.trace.append(str(error))
            finally:
                tap_lines = out()
        mapped = io.BytesIO()
        MapperSweo(
            config=self.config("mapper-sweo") | {"direction": direction.replace("_", "-")}
        ).run(io.BytesIO(tap_lines), mapped)
        target = (TargetSweo if to_sweo else TargetSalesforce)(
            config=self.config("target-sweo" if to_sweo else "target-salesforce")
        )
        self._watch_commits(target.run.ledger)
        with captured_stdout() as out:
            try:
                target.listen(io.BytesIO(mapped.getvalue()))  # type: ignore[arg-type]
            except SyncError as error:
                end = f"target: {type(error).__name__}"
                self.trace.append(str(error))
                target.finish("failed")
            finally:
                for line in out().splitlines():
                    self.state[direction] = json.loads(line)
                    if self.wild and self.chance.random() < self.plan.crash_at_state:
                        # What is printed behind this line is never saved.
                        self._note("state lost")
                        break
                target.run.ledger.engine.dispose()
        return end

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
        return PROCESS[self.running[-1]] if self.running else 0, self.incarnations

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
            self.run(self.chance.choice((TO_SWEO, TO_SALESFORCE)))
        self.wild = False
        self._disarm()
        self._quiet()

    def _newcomer(self) -> None:
        number = f"N-{self.people.unique()}"
        self.people.new_account(number)
        self._tick(self.chance.choice((1, 100)))
        self.people.new_company(number)

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
            self.run(direction)
        for name, side in self.sides.items():
            writes = side.meter.snapshot()["writes"]
            if writes:
                raise Lost(f"the run after the quiet ones made {writes} writes on {name}")

    # what must hold

    def check(self) -> None:
        """Every invariant that a world can be asked about."""
        with suppress(FileNotFoundError):
            self._check()

    def _check(self) -> None:
        ledger = Ledger.open(self.ledger_url)
        try:
            self._check_pairs(ledger)
        finally:
            ledger.close()

    def _check_pairs(self, ledger: Ledger) -> None:
        rows = {
            "accounts": {r["Id"]: dict(r) for r in self.people.org.rows("Account")},
            "contacts": {r["Id"]: dict(r) for r in self.people.org.rows("Contact")},
        }
        records = {
            "accounts": {c["id"]: c for c in self.people.companies_now()},
            "contacts": {p["id"]: p for p in self.people.persons_now()},
        }
        kept = self._kept_values(ledger)
        for mapping in ("accounts", "contacts"):
            ids = list(rows[mapping])
            links = ledger.links(mapping, SideName.SALESFORCE, ids)
            if len(links) != len(ids):
                raise Lost(f"{len(ids) - len(links)} of {len(ids)} {mapping} are not linked")
            for salesforce_id, link in links.items():
                left = self.people.salesforce_values(mapping, rows[mapping][salesforce_id])
                right = self.people.sweo_values(mapping, records[mapping][link.sweo_id])
                for _, name in TWO_WAY[mapping]:
                    if left[name] != right[name]:
                        raise Lost(
                            f"{mapping} {salesforce_id}/{link.sweo_id} {name}: "
                            f"{left[name]!r} in Salesforce, {right[name]!r} in Sweo"
                        )
                    self._check_history(name, salesforce_id, link.sweo_id, kept)

    def _check_history(self, name: str, salesforce_id: str, sweo_id: str, kept: set[str]) -> None:
        keys = {
            "salesforce": ("salesforce", salesforce_id, name),
            "sweo": ("sweo", sweo_id, name),
        }
        for side, other in (("salesforce", "sweo"), ("sweo", "salesforce")):
            for value in (held.value for held in self.history.overwritten_by_sync(keys[side])):
                if value is None:
                    continue
                crossed = self.history.reached(*keys[other], value)
                if not crossed and json.dumps(value) not in kept:
                    raise Lost(
                        f"{name} of {keys[side][1]}: a person's {value!r} on {side} was "
                        "overwritten, never reached the other side and is not in the ledger"
                    )
            invented = self.history.invented(keys[side], keys[other])
            if invented:
                raise Lost(f"{name} of {keys[side][1]}: {invented!r} was written by nobody")

    def _kept_values(self, ledger: Ledger) -> set[str]:
        """Every value that the sync log or a conflict still holds, as JSON."""
        kept: set[str] = set()
        with ledger.reader.connect() as connection:
            for (old,) in connection.exec_driver_sql("SELECT old FROM change"):
                kept.add(old)
            for left, right in connection.exec_driver_sql("SELECT salesforce, sweo FROM conflict"):
                kept |= {left, right}
        # A timestamp stands for the day it is noon of.
        return kept | {
            json.dumps(json.loads(value)[:10])
            for value in kept
            if value and isinstance(json.loads(value), str) and len(json.loads(value)) == 20
        }


def one(seed: int, plan: Plan | None = None) -> Simulation:
    """Live one life and close it; the simulation is returned for its counts and trace."""
    simulation = Simulation(seed, plan)
    try:
        simulation.live()
    finally:
        simulation.close()
    return simulation


__all__ = ["FAULTS", "PERSON", "Lost", "Plan", "Simulation", "one"]
