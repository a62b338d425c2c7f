"""A workspace and a ledger on this machine, and a tap that is run as Meltano runs it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import stamina
from crosswalk.ledger import Ledger
from crosswalk.ledger.commit import Commit, RevisitRow, Writer
from sweo_sandbox.testing import Sandbox, running_sandbox
from tap_sweo.tap import TapSweo

MAPPINGS: list[dict[str, Any]] = [
    {
        "name": "accounts",
        "salesforce": "Account",
        "sweo": "company",
        "match": {"salesforce": "Customer_Number__c", "sweo": "company_id"},
        "fields": [
            {"salesforce": "Name", "sweo": "name"},
            {"salesforce": "Industry", "sweo": "industry", "direction": "both"},
            {"salesforce": "Health__c", "sweo": "health_score", "direction": "both"},
        ],
    },
    {
        "name": "contacts",
        "salesforce": "Contact",
        "sweo": "contact",
        "match": {"salesforce": "Email", "sweo": "email"},
        "fields": [{"salesforce": "Phone", "sweo": "phone", "direction": "both"}],
    },
]


@pytest.fixture(scope="session")
def _running() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(_running: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    _running.reset()
    for name, value in _running.env().items():
        monkeypatch.setenv(name, value)
    with stamina.set_testing(True, attempts=4, cap=True):
        yield _running


@dataclass
class Run:
    """What one run of the tap wrote."""

    lines: list[dict[str, Any]]

    def records(self, stream: str) -> list[dict[str, Any]]:
        return [
            line["record"]
            for line in self.lines
            if line["type"] == "RECORD" and line["stream"] == stream
        ]

    def schema(self, stream: str) -> dict[str, Any]:
        return next(
            line["schema"]
            for line in self.lines
            if line["type"] == "SCHEMA" and line["stream"] == stream
        )

    @property
    def state(self) -> dict[str, Any]:
        return self.states[-1]

    @property
    def states(self) -> list[dict[str, Any]]:
        return [line["value"] for line in self.lines if line["type"] == "STATE"]


@dataclass
class Runner:
    """Runs the tap, handing STATE on from run to run."""

    sandbox: Sandbox
    ledger_url: str
    read_output: Callable[[], bytes]
    state: dict[str, Any] | None = None
    mappings: list[dict[str, Any]] = field(default_factory=lambda: copy.deepcopy(MAPPINGS))

    def __call__(self, **config: Any) -> Run:
        self.sandbox.reset_calls()
        tap = TapSweo(
            config={
                "api_url": self.sandbox.sweo_url,
                "access_token": self.sandbox.workspace_settings.access_token,
                "mappings": self.mappings,
                "ledger_url": self.ledger_url,
                "company_scan_minutes": 0,
                **config,
            },
            state=copy.deepcopy(self.state),
            parse_env_config=False,
        )
        self.read_output()
        try:
            tap.sync_all()
        finally:
            self.run = Run([json.loads(line) for line in self.read_output().splitlines()])
        self.state = self.run.state
        return self.run

    def calls(self) -> dict[str, int]:
        return self.sandbox.calls("sweo")["by_endpoint"]


@pytest.fixture
def run(sandbox: Sandbox, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> Runner:
    url = f"sqlite:///{tmp_path}/ledger.db"
    return Runner(sandbox, url, lambda: capsysbinary.readouterr().out)


@dataclass
class Book:
    """The ledger as target-salesforce would fill it."""

    ledger: Ledger

    def link(self, mapping: str, *sweo_ids: str) -> None:
        writer = Writer(self.ledger)
        for sweo_id in sweo_ids:
            assert writer.open_link(mapping, f"sf-{sweo_id}", sweo_id, "run", None)

    def owe(self, mapping: str, *sweo_ids: str, reason: str = "test") -> None:
        rows = [RevisitRow("to_salesforce", mapping, i, reason) for i in sweo_ids]
        Writer(self.ledger).commit(Commit("to_salesforce", mapping, "run", revisits=rows))


@pytest.fixture
def book(run: Runner) -> Iterator[Book]:
    ledger = Ledger.open(run.ledger_url)
    yield Book(ledger)
    ledger.close()
