"""Both pipelines in one process, over real sockets, against a running sandbox."""

from __future__ import annotations

import copy
import io
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crosswalk.ledger import Ledger
from mapper_sweo.mapper import MapperSweo
from sweo_sandbox.testing import Sandbox
from tap_salesforce.tap import TapSalesforce
from tap_sweo.tap import TapSweo
from target_salesforce.target import TargetSalesforce
from target_sweo.target import TargetSweo

TO_SWEO, TO_SALESFORCE = "to_sweo", "to_salesforce"


@dataclass
class Run:
    """What one run of a pipeline did."""

    records: int
    counts: dict[str, int]
    state: dict[str, Any]


@dataclass
class Pipelines:
    """A project: field configs, a ledger, saved STATE, and a sandbox to run against."""

    sandbox: Sandbox
    folder: Path
    mappings: list[dict[str, Any]]
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    state: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def ledger_url(self) -> str:
        return f"sqlite:///{self.folder}/ledger.db"

    @property
    def ledger(self) -> Ledger:
        return Ledger.open(self.ledger_url)

    def config(self, plugin: str) -> dict[str, Any]:
        env = self.sandbox.env()
        common: dict[str, Any] = {"mappings": self.mappings, "ledger_url": self.ledger_url}
        if plugin.startswith("mapper"):
            return common
        if plugin.endswith("salesforce"):
            common |= {
                "login_url": env["SALESFORCE_LOGIN_URL"],
                "client_id": env["SALESFORCE_CLIENT_ID"],
                "client_secret": env["SALESFORCE_CLIENT_SECRET"],
            }
        else:
            common |= {"api_url": env["SWEO_API_URL"], "access_token": env["SWEO_ACCESS_TOKEN"]}
        if plugin == "tap-sweo":
            common["company_scan_minutes"] = 0
        common |= {"environment": "sandbox"} | self.settings.get(plugin, {})
        return {name: value for name, value in common.items() if value is not None}

    def tap(self, direction: str) -> bytes:
        plugin, kind = (
            ("tap-salesforce", TapSalesforce) if direction == TO_SWEO else ("tap-sweo", TapSweo)
        )
        with captured_stdout() as out:
            state = copy.deepcopy(self.state.get(direction, {}))
            kind(config=self.config(plugin), state=state).sync_all()
            return out()

    def map(self, direction: str, lines: bytes) -> bytes:
        config = self.config("mapper-sweo") | {"direction": direction.replace("_", "-")}
        with captured_stdout() as out:
            MapperSweo(config=config).listen(io.BytesIO(lines))  # type: ignore[arg-type]
            return out()

    def target(self, direction: str, lines: bytes) -> Run:
        plugin, kind = (
            ("target-sweo", TargetSweo)
            if direction == TO_SWEO
            else ("target-salesforce", TargetSalesforce)
        )
        with captured_stdout() as out:
            target = kind(config=self.config(plugin))
            try:
                target.listen(io.BytesIO(lines))  # type: ignore[arg-type]
            except BaseException:
                target.finish("failed")
                raise
            finally:
                for line in out().splitlines():
                    self.state[direction] = json.loads(line)
        return Run(
            records=target.run.counts.read,
            counts=target.run.counts.as_dict(),
            state=self.state.get(direction, {}),
        )

    def run(self, direction: str) -> Run:
        """One run of one pipeline; the sandbox's clocks go on by two seconds before it."""
        self.sandbox.advance(2)
        return self.target(direction, self.map(direction, self.tap(direction)))

    def sync(self) -> tuple[Run, Run]:
        """Both directions, once."""
        return self.run(TO_SWEO), self.run(TO_SALESFORCE)

    def full_check(self, direction: str, slice_records: int = 20_000) -> list[Run]:
        """Run the job full-check of one direction, with a STATE of its own, until it has ended."""
        inherited = copy.copy(self)
        inherited.state = {}
        check = {"full_check": True, "check_every_hours": 0, "slice_records": slice_records}
        tap = "tap-salesforce" if direction == TO_SWEO else "tap-sweo"
        inherited.settings = self.settings | {tap: self.settings.get(tap, {}) | check}
        runs: list[Run] = []
        while not runs or "ended" not in runs[-1].state["full_check"]:
            assert len(runs) < 20
            runs.append(inherited.run(direction))
        return runs

    def is_quiet(self) -> bool:
        """Whether one more sync writes nothing."""
        self.sandbox.advance(5)
        self.sandbox.reset_calls()
        self.sync()
        return not any(self.sandbox.calls(side)["writes"] for side in ("sweo", "salesforce"))


class _Output(io.TextIOWrapper):
    def fileno(self) -> int:
        raise OSError("not a file")


@contextmanager
def captured_stdout() -> Iterator[Any]:
    """Plugins write to ``sys.stdout`` and its buffer; take both."""
    buffer = io.BytesIO()
    wrapper = _Output(buffer, encoding="utf-8", write_through=True)
    former = sys.stdout
    sys.stdout = wrapper

    def so_far() -> bytes:
        wrapper.flush()
        return buffer.getvalue()

    try:
        yield so_far
    finally:
        sys.stdout = former


@contextmanager
def environ(**values: str) -> Iterator[None]:
    """Set environment variables for a while."""
    former = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in former.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
